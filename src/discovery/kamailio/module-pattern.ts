/** Reads the first argument of `modparam`: the names of modules, ignoring case. */

/**
 * Whether the pattern matches `module`. Kamailio accepts a POSIX extended regular expression; here only
 * words separated by `|` are supported.
 *
 * @returns undefined for any other expression.
 */
export function namesModule(pattern: string, module: string): boolean | undefined {
  if (!/^\w+(?:\|\w+)*$/.test(pattern)) return undefined;
  return pattern.toLowerCase().split('|').includes(module.toLowerCase());
}
