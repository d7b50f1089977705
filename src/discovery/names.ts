/** Checks names of destinations. */

/** The same limit as in the configuration. */
export const MAX_NAME_LENGTH = 256;

/** Why a destination cannot have this name; undefined when it can. */
export function nameProblem(name: string): string | undefined {
  if (name.length <= MAX_NAME_LENGTH) return undefined;
  return `expected a name of at most ${MAX_NAME_LENGTH} characters, got ${name.length}`;
}
