/** The directives `#!subst`, `#!substdef` and `#!substdefs`, which replace text in strings. */

export interface Substitution {
  /** The text to replace, as written; `#!substdef` also defines it as a name. */
  readonly name: string;
  /** Undefined when only Kamailio knows it. */
  readonly value: string | undefined;
  readonly pattern: RegExp;
}

/** Kamailio's limit on the number of defines. */
export const MAX_SUBSTITUTIONS = 512;
const MAX_LENGTH = 1024;
/** Longer than any parameter. The limit prevents that rules which multiply a text fill the memory. */
const MAX_TEXT_LENGTH = 4096;
/** Ordinary characters, escaped characters and the dot: no pattern that can backtrack. */
const PLAIN = /^(?:[^\\.*+?()[\]{}|^$]|\\[^A-Za-z0-9]|\.)+$/;

/** Reads `/pattern/replacement/flags` with any separator. Returns a text if it cannot be used. */
export function readSubstitution(rule: string): Substitution | string {
  if (rule.length > MAX_LENGTH) return `expected at most ${MAX_LENGTH} characters`;
  const separator = rule[0] ?? '';
  if (separator === '' || separator === '\\') return 'expected /pattern/replacement/flags';
  const parts = rule.slice(1).split(new RegExp(`(?<!\\\\)${escaped(separator)}`));
  const [name = '', replacement = '', flags = ''] = parts;
  if (parts.length !== 3 || name === '') return 'expected /pattern/replacement/flags';
  if (!PLAIN.test(name)) return 'expected plain text, got a regular expression';
  const value = replacement.replaceAll(`\\${separator}`, separator);
  if (value.includes('\\')) return 'a backslash in the replacement is not supported';
  const source = name.replace(/\\?[\s\S]/g, (char) => (char === '.' ? '[^]' : escaped(char)));
  const isAll = flags.includes('g');
  const pattern = new RegExp(source, `${isAll ? 'g' : ''}${flags.includes('i') ? 'i' : ''}`);
  return { name, value: value.includes('$') ? undefined : value, pattern };
}

/** Applies all substitutions in order. `unknown` is the name of one whose value only Kamailio knows. */
export function substitute(
  text: string,
  substitutions: readonly Substitution[],
): { readonly text: string; readonly unknown: string | undefined } {
  let result = text;
  let unknown: string | undefined;
  for (const { name, value, pattern } of substitutions) {
    if (result.length > MAX_TEXT_LENGTH) return { text: '', unknown: name };
    pattern.lastIndex = 0;
    if (value !== undefined) result = result.replace(pattern, () => value);
    else if (pattern.test(result)) unknown = name;
  }
  return { text: result, unknown };
}

function escaped(char: string): string {
  const bare = char.length > 1 ? char.slice(1) : char;
  return /[\w\s]/.test(bare) ? bare : bare.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
}
