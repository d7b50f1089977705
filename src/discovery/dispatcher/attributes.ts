/** Reads the attributes of a dispatcher destination: `weight=50;ping_from="sip:a@b.example;lr"`. */

export interface Attributes {
  /** By name in lower case; if a name is repeated, the last value. */
  readonly values: ReadonlyMap<string, string>;
  /** The part that cannot be parsed; empty if there is none. */
  readonly rest: string;
}

/** A quoted value has no escapes; within an unquoted value a quote is an ordinary character. */
const ATTRIBUTE = /([^;=,"']*)(?:=(?:"([^"]*)"|'([^']*)'|((?:[^;,"'][^;,]*)?)))?(?:;|$|(?=,))/y;

/** Reads a list of attributes. A comma ends it, as in a header. */
export function readAttributes(text: string): Attributes {
  const values = new Map<string, string>();
  ATTRIBUTE.lastIndex = 0;
  while (ATTRIBUTE.lastIndex < text.length) {
    const start = ATTRIBUTE.lastIndex;
    const match = text[start] === ',' ? null : ATTRIBUTE.exec(text);
    if (match === null) return { values, rest: text.slice(start) };
    const [, name = '', double, single, plain = ''] = match;
    if (name !== '') values.set(name.toLowerCase(), double ?? single ?? plain);
  }
  return { values, rest: '' };
}
