/** Names of destinations that a source gives. */

/** What the configuration takes for a name. */
export const LONGEST_NAME = 256;

/** Why a destination cannot have this name. */
export function nameFault(name: string): string | undefined {
  if (name.length <= LONGEST_NAME) return undefined;
  return `expected a name of at most ${LONGEST_NAME} characters, got ${name.length}`;
}
