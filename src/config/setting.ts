/** What is said of a setting, once. */

import type { FormatName } from './formats.js';

export interface Setting {
  readonly doc: string;
  /** The name of one of FORMATS. */
  readonly format: FormatName;
  readonly default: unknown;
  readonly env?: string;
  /** The name of the flag, without its dashes. */
  readonly arg?: string;
  /** May be given again and again, each time one item. */
  readonly isRepeatable?: true;
  /** A flag that takes no value. */
  readonly isSwitch?: true;
  /** In the file it may be a mapping. */
  readonly isMapping?: true;
}

/** The setting at `path`, with the flag and the variable that follow from it. */
export function setting<const S extends Omit<Setting, 'env' | 'arg'>>(path: string, rest: S) {
  const env = `SIP_KEEPALIVE_${path.replace(/[.-]/g, '_').toUpperCase()}`;
  return { ...rest, env, arg: path };
}
