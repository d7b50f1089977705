/** One line of the file that Kamailio's dispatcher module reads (`list_file`). */

/** The bits of a destination's flags. */
export const FLAG_DISABLED = 4;
export const FLAG_NO_PING = 32;

/** What Kamailio reads at once: a line that is longer goes on as another one. */
export const MAX_LINE_BYTES = 1023;

export type Line =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'bad'; readonly why: string }
  | {
      readonly kind: 'entry';
      readonly setid: string;
      readonly uri: string;
      readonly flags: number;
      /** `name=value;…`, as written. */
      readonly attrs: string;
      /** What stands behind them and is no comment; nobody reads it. */
      readonly rest: string;
    };

/**
 * Every part but the URI may be empty, so anything that is no digit where flags are expected is
 * attributes. Blanks are these three alone.
 */
const BLANKS = String.raw`[ \t\r]*`;
const ENTRY = new RegExp(
  `^${BLANKS}(\\d*)(?!\\d)${BLANKS}([^ \\t\\r#]+)${BLANKS}(0x[0-9a-fA-F]*|\\d*)${BLANKS}(\\d*)${BLANKS}(#|[^ \\t\\r]*)(.*)$`,
  's',
);
const NOTHING = new RegExp(`^${BLANKS}(?:#|$)`);

/** @param isLatin1 each of its characters is one byte of the file. */
export function readLine(text: string, isLatin1 = false): Line {
  // No shorter text has so many bytes: a character is three at the most for each of its units.
  const mayBeLong = text.length * 3 > MAX_LINE_BYTES;
  if (mayBeLong && (isLatin1 ? text.length : Buffer.byteLength(text)) > MAX_LINE_BYTES) {
    const rest = 'Kamailio would read the rest as another line';
    return { kind: 'bad', why: `the line is longer than ${MAX_LINE_BYTES} bytes: ${rest}` };
  }
  // A C string ends at its NUL.
  const [line = ''] = text.split('\0', 1);
  if (NOTHING.test(line)) return { kind: 'nothing' };
  const [, setid = '', uri, flags = '', , attrs = '', behind = ''] = ENTRY.exec(line) ?? [];
  if (uri === undefined) {
    const load = 'with such a line Kamailio loads nothing of the file';
    return { kind: 'bad', why: `expected a set id and a SIP URI, got no URI: ${load}` };
  }
  // Only where a word may begin is # a comment; within attributes it is one of their characters.
  const isComment = attrs.startsWith('#');
  const rest = behind.replace(/^[ \t\r]+|[ \t\r]+$/g, '');
  return {
    kind: 'entry',
    setid: String(int32(setid)),
    uri,
    flags: int32(flags),
    attrs: isComment ? '' : attrs,
    rest: isComment || rest.startsWith('#') ? '' : rest,
  };
}

/** An `int` of C as it overflows: nobody checks the range. */
function int32(digits: string): number {
  const isHex = digits.startsWith('0x');
  const base = isHex ? 16 : 10;
  let value = 0;
  for (const digit of isHex ? digits.slice(2) : digits) {
    value = (Math.imul(value, base) + Number.parseInt(digit, base)) | 0;
  }
  return value;
}
