/** Exemplars as protobuf. */

import type { Exemplar } from '../../shared/ledger/exemplars.js';
import { exemplarLabels } from '../exemplars.js';
import { labelBytes } from '../sample-labels.js';
import { EXEMPLAR, VALUE } from './fields.js';
import { ReverseWriter } from './reverse-writer.js';
import { writeTimestamp } from './timestamp.js';

/** A field of the type Exemplar. */
export function writeExemplar(writer: ReverseWriter, field: number, exemplar: Exemplar): void {
  const end = writer.length;
  writeTimestamp(writer, EXEMPLAR.timestamp, exemplar.atMs);
  writer.double(EXEMPLAR.value, exemplar.value);
  // The labels of an exemplar are the same field as those of a metric.
  writer.raw(labelBytes(exemplarLabels(exemplar)));
  writer.message(field, end);
}

const scratch = new ReverseWriter();

/** The exemplar of a counter, one character for each byte. */
export function exemplarField(exemplar: Exemplar): string {
  scratch.clear();
  writeExemplar(scratch, VALUE.exemplar, exemplar);
  return Buffer.from(scratch.bytes).toString('latin1');
}
