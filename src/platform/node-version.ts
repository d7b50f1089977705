/**
 * The minimum version of Node.js. Older versions execute this file too, so it imports nothing and uses only
 * syntax that Node.js 14 supports.
 */

/** Major and minor version, the same as in `engines` of package.json. */
export const MIN_NODE_VERSION = '20.19';

/** A one-line error when this version of Node.js is too old; undefined otherwise. */
export function nodeVersionProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [minMajor = 0, minMinor = 0] = MIN_NODE_VERSION.split('.').map(Number);
  if (major > minMajor || (major === minMajor && minor >= minMinor)) return undefined;
  return `Node.js ${MIN_NODE_VERSION} or later is required; this is ${version}`;
}
