/** Reads quoted strings of kamailio.cfg. */

export interface Piece {
  readonly text: string;
  /** The position after the closing quote. */
  readonly end: number;
}

const ESCAPE = /\\(?:x([0-9a-fA-F]{1,2})|([0-7]{2,3})|([\s\S]))/y;
const PLAIN: Readonly<Record<string, string>> = {
  ...{ n: '\n', r: '\r', a: '\x07', t: '\t', '"': '"', '\\': '\\', '\n': '' },
};

/** Reads a string in double quotes that begins at `start`; undefined when it has no end. */
export function readDouble(text: string, start: number): Piece | undefined {
  const special = /["\\]/g;
  special.lastIndex = start + 1;
  const parts: string[] = [];
  let from = start + 1;
  for (let match = special.exec(text); match !== null; match = special.exec(text)) {
    parts.push(text.slice(from, match.index));
    if (match[0] === '"') return { text: parts.join(''), end: match.index + 1 };
    ESCAPE.lastIndex = match.index;
    const [all = '\\', hex, octal, other = ''] = ESCAPE.exec(text) ?? [];
    const code = hex === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hex, 16);
    // An unknown escape keeps its backslash.
    parts.push(Number.isNaN(code) ? (PLAIN[other] ?? all) : String.fromCharCode(code & 0xff));
    from = match.index + all.length;
    special.lastIndex = from;
  }
  return undefined;
}

/** Reads a string in single quotes, which has no escapes, that begins at `start`; undefined when it has no end. */
export function readSingle(text: string, start: number): Piece | undefined {
  const end = text.indexOf("'", start + 1);
  return end < 0 ? undefined : { text: text.slice(start + 1, end), end: end + 1 };
}
