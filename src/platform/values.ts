/** Values from outside, whose shape is not known yet. */

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What an owner is called. */
export const OWNER_WANTED = '1 to 128 printable characters';

export function isOwner(value: unknown): value is string {
  return typeof value === 'string' && /^[^\p{C}]{1,128}$/u.test(value);
}

/** What kind of thing came, where what it says may be a secret. */
export function kindOf(given: unknown): string {
  if (given === null || given === undefined) return 'nothing';
  if (Array.isArray(given)) return 'a list';
  if (typeof given === 'object') return 'a mapping';
  return typeof given === 'string' ? 'a text' : `a ${typeof given}`;
}

/** What came, short enough for a line. Of a mapping or a list the kind: there may be a password in it. */
export function show(given: unknown): string {
  if (typeof given === 'object' && given !== null) return kindOf(given);
  const shown = JSON.stringify(given) ?? String(given);
  return shown.length > 120 ? `${shown.slice(0, 117)}...` : shown;
}
