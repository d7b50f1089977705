/** All settings, and the other parts of the configuration file. */

import { PING_SETTINGS } from './ping-schema.js';
import { PROCESS_SETTINGS } from './process-schema.js';
import { byLevels, type Setting, type Settings } from './setting.js';

/** Every setting by its path (`web.listen-address`), in the order of `--help`. */
export const SETTINGS: Settings = { ...PROCESS_SETTINGS, ...PING_SETTINGS };

/** The parts of the file that are not settings, with their shapes. */
export const STRUCTURES = {
  discovery: 'a mapping',
  webhooks: 'a list',
  destinations: 'a list',
  modules: 'a mapping',
} as const;

/** Settings by the levels of the file: `{web: {config: {file: …}}}`. */
export const SETTINGS_BY_LEVEL: Readonly<Record<string, unknown>> = byLevels(SETTINGS);

/** Every setting with its path, in the order of `--help`. */
export function settings(): readonly (readonly [path: string, setting: Setting])[] {
  return Object.entries(SETTINGS);
}
