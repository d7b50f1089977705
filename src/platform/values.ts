/** Checks and shows values of unknown type. */

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Describes a valid owner, for errors. */
export const OWNER_FORMAT = '1 to 128 printable characters';

export function isOwner(value: unknown): value is string {
  return typeof value === 'string' && /^[^\p{C}]{1,128}$/u.test(value);
}

/** Describes a valid name of a destination, for errors. */
export const NAME_FORMAT = '1 to 256 printable characters, not . or ..';

/** Whether a destination may have this name. Names are parts of paths, where `.` and `..` are special. */
export function isName(text: string): boolean {
  return /^(?!\.\.?$)[^\p{C}]{1,256}$/u.test(text);
}

/** The kind of a value, for errors about a value that may be secret. */
export function kindOf(given: unknown): string {
  if (given === null || given === undefined) return 'nothing';
  if (Array.isArray(given)) return 'a list';
  if (typeof given === 'object') return 'a mapping';
  return typeof given === 'string' ? 'a text' : `a ${typeof given}`;
}

/** The value as JSON, shortened to one line. A mapping or a list is not shown: it may contain a password. */
export function show(given: unknown): string {
  if (typeof given === 'object' && given !== null) return kindOf(given);
  // JSON has no NaN and no infinity.
  const shown =
    typeof given === 'number' ? String(given) : (JSON.stringify(given) ?? String(given));
  return shown.length > 120 ? `${shown.slice(0, 117)}...` : shown;
}
