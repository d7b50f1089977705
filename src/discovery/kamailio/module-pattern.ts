/** Reads the names of modules, in the first argument of `modparam` and in that of `loadmodule`. */

import { basename } from 'node:path';
import type { Value } from './statements.js';

/**
 * Whether the pattern matches `module`, ignoring case. Kamailio accepts a POSIX extended regular expression; here only
 * words separated by `|` are supported.
 *
 * @returns undefined for any other expression.
 */
export function namesModule(pattern: string, module: string): boolean | undefined {
  if (!/^\w+(?:\|\w+)*$/.test(pattern)) return undefined;
  return pattern.toLowerCase().split('|').includes(module.toLowerCase());
}

/** Whether the argument of a `loadmodule` statement is this module: `name.so`, `name`, or a path. */
export function isModuleFile(file: Value, module: string): boolean {
  return file.kind === 'text' && basename(file.text).replace(/\.so$/, '') === module;
}
