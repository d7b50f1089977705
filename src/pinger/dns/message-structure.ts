/**
 * Whether a DNS message is laid out as it says (RFC 1035 4.1). `dns-packet` takes the length of some
 * records for granted, and reads on behind the end of a record or of the message.
 */

export const HEADER_BYTES = 12;
/** Type and class of a question; type, class, TTL and length of a record. */
const QUESTION_BYTES = 4;
const RECORD_BYTES = 10;
/** RFC 1035 4.1.4: a pointer ends a name. */
const POINTER = 0xc0;

/** Where the data of a record that begin at `at` end by themselves. */
type EndOf = (bytes: Buffer, at: number) => number;

/** Of the records that we read, by the number of their type (RFC 1035 3.2.2, 3596, 2782, 3403). */
const ENDS: ReadonlyMap<number, EndOf> = new Map<number, EndOf>([
  [1, (_, at) => at + 4],
  [5, endOfName],
  [28, (_, at) => at + 16],
  [33, (bytes, at) => endOfName(bytes, at + 6)],
  [35, (bytes, at) => endOfName(bytes, endOfStrings(bytes, at + 4, 3))],
]);

/** Whether all its questions and records end where they should. */
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
    const begin = endOfName(bytes, at);
    const data = begin + RECORD_BYTES;
    if (data > bytes.length) return false;
    at = data + bytes.readUInt16BE(begin + 8);
    const ownEnd = ENDS.get(bytes.readUInt16BE(begin))?.(bytes, data) ?? at;
    if (at > bytes.length || ownEnd !== at) return false;
  }
  return true;
}

/** Behind the end of the message when the name does not end in it. */
function endOfName(bytes: Buffer, begin: number): number {
  let at = begin;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) return bytes.length + 1;
    if (length >= POINTER) return at + 2;
    at += 1 + length;
    if (length === 0) return at;
  }
}

function endOfStrings(bytes: Buffer, begin: number, count: number): number {
  let at = begin;
  for (let i = 0; i < count; i++) at += 1 + (bytes[at] ?? bytes.length);
  return at;
}
