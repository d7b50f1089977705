/** Times as protobuf. */

import { TIMESTAMP } from './fields.js';
import type { ReverseWriter } from './reverse-writer.js';

/** A field of the type google.protobuf.Timestamp. */
export function writeTimestamp(writer: ReverseWriter, field: number, ms: number): void {
  const end = writer.length;
  writer.uint(TIMESTAMP.nanos, (ms % 1000) * 1e6);
  writer.uint(TIMESTAMP.seconds, Math.floor(ms / 1000));
  writer.message(field, end);
}
