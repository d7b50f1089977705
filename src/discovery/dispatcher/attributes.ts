/** The attributes of a dispatcher destination: `weight=50;ping_from="sip:a@b.example;lr"`. */

export interface Attributes {
  /** By name in lower case; the last one when a name is repeated. */
  readonly values: ReadonlyMap<string, string>;
  /** The part that cannot be read; empty when all of it was. */
  readonly rest: string;
}

/** A quoted value has no escapes; within an unquoted one a quote is a character. */
const ATTRIBUTE = /([^;=,"']*)(?:=(?:"([^"]*)"|'([^']*)'|((?:[^;,"'][^;,]*)?)))?(?:;|$|(?=,))/y;

/** A comma ends the list, as it does in a header. */
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
