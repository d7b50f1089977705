/** State changes, for tests of their listeners. */

import type { StateChange } from '../../src/status/state-change.js';
import { settings } from './settings.js';

const SETTINGS = settings();

export function change(name: string, labels: Readonly<Record<string, string>> = {}) {
  const uri = `sip:${name}.example`;
  return {
    destination: { name, uri, module: 'default', labels, settings: SETTINGS },
    ...{ owners: ['config'], from: 'up', to: 'down', reason: 'timeout', detail: '' },
    sipCode: undefined,
    atMs: 1_700_000_000_000,
  } as const satisfies Omit<StateChange, 'id'>;
}
