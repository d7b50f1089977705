/**
 * The oldest Node.js that this program runs on. Older ones read this file too, so it imports nothing
 * and uses no syntax that Node.js 14 does not know.
 */

/** Major and minor version, as in the `engines` of package.json. */
export const MIN_NODE_VERSION = '20.19';

/** Why this version of Node.js is too old, in one line; undefined when it is not. */
export function nodeVersionProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [minMajor = 0, minMinor = 0] = MIN_NODE_VERSION.split('.').map(Number);
  if (major > minMajor || (major === minMajor && minor >= minMinor)) return undefined;
  return `Node.js ${MIN_NODE_VERSION} or later is required; this is ${version}`;
}
