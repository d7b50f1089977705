/**
 * Checks the structure of a DNS message (RFC 1035 4.1) before `dns-packet` decodes it, which assumes the
 * length of some records and may read beyond a record or the message.
 */

export const HEADER_BYTES = 12;
/** Type and class of a question; type, class, TTL and length of a record. */
const QUESTION_BYTES = 4;
const RECORD_BYTES = 10;
/** RFC 1035 4.1.4: a pointer ends a name. */
const POINTER = 0xc0;

/** The end of the record data that begins at `at`, according to its content. */
type DataEnd = (bytes: Buffer, at: number) => number;

/** By type number, for the types that are read (RFC 1035 3.2.2, RFC 3596, RFC 2782, RFC 3403). */
const DATA_ENDS: ReadonlyMap<number, DataEnd> = new Map<number, DataEnd>([
  [1, (_, at) => at + 4],
  [5, endOfName],
  [28, (_, at) => at + 16],
  [33, (bytes, at) => endOfName(bytes, at + 6)],
  [35, (bytes, at) => endOfName(bytes, endOfStrings(bytes, at + 4, 3))],
]);

/** Whether each question and each record has the length that it declares and ends within the message. */
export function hasValidStructure(bytes: Buffer): boolean {
  if (bytes.length < HEADER_BYTES) return false;
  const questions = bytes.readUInt16BE(4);
  const records = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10);
  let at = HEADER_BYTES;
  for (let i = 0; i < questions; i++) {
    at = endOfName(bytes, at) + QUESTION_BYTES;
    if (at > bytes.length) return false;
  }
  for (let i = 0; i < records; i++) {
    const typeAt = endOfName(bytes, at);
    const dataAt = typeAt + RECORD_BYTES;
    if (dataAt > bytes.length) return false;
    at = dataAt + bytes.readUInt16BE(typeAt + 8);
    const dataEnd = DATA_ENDS.get(bytes.readUInt16BE(typeAt))?.(bytes, dataAt) ?? at;
    if (at > bytes.length || dataEnd !== at) return false;
  }
  return true;
}

/** The offset after a name; beyond the message if the name does not end within it. */
function endOfName(bytes: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) return bytes.length + 1;
    if (length >= POINTER) return at + 2;
    at += 1 + length;
    if (length === 0) return at;
  }
}

function endOfStrings(bytes: Buffer, start: number, count: number): number {
  let at = start;
  for (let i = 0; i < count; i++) at += 1 + (bytes[at] ?? bytes.length);
  return at;
}
