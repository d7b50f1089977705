/** Exemplars as protobuf. */

import type { Exemplar } from '../../shared/ledger/exemplars.js';
import { labelBytes } from '../sample-labels.js';
import { EXEMPLAR, VALUE } from './fields.js';
import { ReverseWriter } from './reverse-writer.js';
import { writeTimestamp } from './timestamp.js';

/** A label but for its value, a Call-ID. A label of an exemplar is the same field as one of a metric. */
const BEFORE_CALL_ID = labelBytes({ call_id: '0'.repeat(32) }).slice(0, -32);
const codes = new Map<number, string>();

/** The label with a status code; there are few of them. */
function codeBytes(code: number): string {
  const known = codes.get(code);
  if (known !== undefined) return known;
  const bytes = labelBytes({ sip_code: String(code) });
  codes.set(code, bytes);
  return bytes;
}

/** A field of the type Exemplar. */
export function writeExemplar(writer: ReverseWriter, field: number, exemplar: Exemplar): void {
  const end = writer.length;
  writeTimestamp(writer, EXEMPLAR.timestamp, exemplar.atMs);
  writer.double(EXEMPLAR.value, exemplar.value);
  if (exemplar.code !== 0) writer.raw(codeBytes(exemplar.code));
  writer.raw(exemplar.callId);
  writer.raw(BEFORE_CALL_ID);
  writer.message(field, end);
}

const scratch = new ReverseWriter();

/** The exemplar of a counter, one character for each byte. */
export function exemplarField(exemplar: Exemplar): string {
  scratch.clear();
  writeExemplar(scratch, VALUE.exemplar, exemplar);
  return scratch.text();
}
