/** Reads one line of the file of Kamailio's dispatcher module (`list_file`). */

/** The bits of a destination's flags. */
export const FLAG_DISABLED = 4;
export const FLAG_NO_PING = 32;

/** Size of Kamailio's line buffer. It reads the rest of a longer line as another line. */
const MAX_LINE_BYTES = 1023;

export type Line =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'invalid'; readonly reason: string }
  | {
      readonly kind: 'entry';
      readonly setid: string;
      readonly uri: string;
      readonly flags: number;
      /** `name=value;…`, as written. */
      readonly attrs: string;
      /** Text after the attributes that is not a comment; Kamailio ignores it. */
      readonly rest: string;
      /** Empty if there is none. */
      readonly comment: string;
    };

/**
 * Every part but the URI may be empty. Text other than digits in the position of the flags is the
 * attributes. Only these three characters are whitespace.
 */
const BLANKS = String.raw`[ \t\r]*`;
const ENTRY = new RegExp(
  `^${BLANKS}(\\d*)(?!\\d)${BLANKS}([^ \\t\\r#]+)${BLANKS}(0x[0-9a-fA-F]*|\\d*)${BLANKS}(\\d*)${BLANKS}(#|[^ \\t\\r]*)(.*)$`,
  's',
);
const NOTHING = new RegExp(`^${BLANKS}(?:#|$)`);

/** @param isLatin1 each of its characters is one byte of the file. */
export function readLine(text: string, isLatin1 = false): Line {
  // A UTF-16 unit is at most three bytes of UTF-8.
  const mayBeLong = text.length * 3 > MAX_LINE_BYTES;
  if (mayBeLong && (isLatin1 ? text.length : Buffer.byteLength(text)) > MAX_LINE_BYTES) {
    const rest = 'Kamailio reads the rest as another line';
    return {
      kind: 'invalid',
      reason: `expected a line of at most ${MAX_LINE_BYTES} bytes: ${rest}`,
    };
  }
  // A C string ends at its NUL.
  const [line = ''] = text.split('\0', 1);
  if (NOTHING.test(line)) return { kind: 'nothing' };
  const [, setid = '', uri, flags = '', , attrs = '', behind = ''] = ENTRY.exec(line) ?? [];
  if (uri === undefined) {
    const load = 'because of such a line Kamailio does not load the file';
    return { kind: 'invalid', reason: `expected a set id and a SIP URI, got no URI: ${load}` };
  }
  // # begins a comment only at the beginning of a word; within attributes it is an ordinary character.
  const isComment = attrs.startsWith('#');
  const rest = (isComment ? attrs + behind : behind).replace(/^[ \t\r]+|[ \t\r]+$/g, '');
  return {
    kind: 'entry',
    setid: String(int32(setid)),
    uri,
    flags: int32(flags),
    attrs: isComment ? '' : attrs,
    rest: rest.startsWith('#') ? '' : rest,
    comment: rest.startsWith('#') ? rest.replace(/^[# \t]+/, '') : '',
  };
}

/** Parses a C `int` with overflow, because Kamailio does not check the range. */
function int32(digits: string): number {
  const isHex = digits.startsWith('0x');
  const base = isHex ? 16 : 10;
  let value = 0;
  for (const digit of isHex ? digits.slice(2) : digits) {
    value = (Math.imul(value, base) + Number.parseInt(digit, base)) | 0;
  }
  return value;
}
