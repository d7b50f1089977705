/** The first argument of `modparam`: the modules that it names, whatever their case. */

/**
 * Whether the pattern names `module`. Kamailio takes a POSIX extended regular expression; only a word,
 * and words parted by `|`, are read here.
 *
 * @returns undefined for any other expression.
 */
export function namesModule(pattern: string, module: string): boolean | undefined {
  if (!/^\w+(?:\|\w+)*$/.test(pattern)) return undefined;
  return pattern.toLowerCase().split('|').includes(module.toLowerCase());
}
