/** Histograms as protobuf, from their last field to their first. */

import type { Exemplars } from '../../shared/ledger/exemplars.js';
import type { Histogram } from '../../shared/ledger/histogram.js';
import { ZERO_THRESHOLD_SECONDS } from '../../shared/ledger/native-buckets.js';
import { bucketExemplar } from '../exemplars.js';
import type { HistogramBuckets } from '../renderer.js';
import { writeExemplar } from './exemplar.js';
import { BUCKET, HISTOGRAM, SPAN, VALUE } from './fields.js';
import { ReverseWriter } from './reverse-writer.js';
import { writeTimestamp } from './timestamp.js';

/** Empty buckets between two others take less room than a new span, up to so many. */
const MAX_GAP = 2;

/** Writes the fields of a message Histogram. */
export function writeHistogram(
  writer: ReverseWriter,
  histogram: Histogram,
  buckets: HistogramBuckets,
  exemplars?: Exemplars,
): void {
  const { count } = histogram;
  // Those of the classic buckets are taken for native ones where there are no others.
  if (buckets === 'native') {
    for (const exemplar of exemplars?.ofRtts.toReversed() ?? []) {
      writeExemplar(writer, HISTOGRAM.exemplars, exemplar);
    }
  }
  writeTimestamp(writer, HISTOGRAM.createdTimestamp, histogram.createdMs);
  if (buckets !== 'classic') writeNative(writer, histogram);
  if (buckets !== 'native') writeClassic(writer, histogram, count, exemplars);
  writer.double(HISTOGRAM.sampleSum, histogram.sumMicros / 1e6);
  writer.uint(HISTOGRAM.sampleCount, count);
}

/** The bucket `+Inf` is the count, and is there only with an exemplar. */
function writeClassic(
  writer: ReverseWriter,
  histogram: Histogram,
  count: number,
  exemplars: Exemplars | undefined,
): void {
  const { boundsMicros } = histogram;
  let cumulative = count;
  for (let i = boundsMicros.length; i >= 0; i--) {
    const exemplar = bucketExemplar(exemplars, histogram, i);
    if (i < boundsMicros.length || exemplar !== undefined) {
      const end = writer.length;
      if (exemplar !== undefined) writeExemplar(writer, BUCKET.exemplar, exemplar);
      const bound = boundsMicros[i];
      writer.double(
        BUCKET.upperBound,
        bound === undefined ? Number.POSITIVE_INFINITY : bound / 1e6,
      );
      writer.uint(BUCKET.cumulativeCount, cumulative);
      writer.message(HISTOGRAM.bucket, end);
    }
    cumulative -= histogram.bucket(i);
  }
}

function writeNative(writer: ReverseWriter, histogram: Histogram): void {
  writeDeltas(writer, histogram);
  writeSpans(writer, histogram);
  writer.uint(HISTOGRAM.zeroCount, histogram.zeroCount);
  writer.double(HISTOGRAM.zeroThreshold, ZERO_THRESHOLD_SECONDS);
  writer.sint(HISTOGRAM.schema, histogram.schema);
}

/** Each bucket less the one before it; a short gap is buckets of 0. */
function writeDeltas(writer: ReverseWriter, histogram: Histogram): void {
  const last = histogram.nativeBuckets - 1;
  if (last < 0) return;
  const end = writer.length;
  for (let i = last; i > 0; i--) {
    const gap = gapBefore(histogram, i);
    const [before, count] = [histogram.nativeCount(i - 1), histogram.nativeCount(i)];
    if (gap === 0 || gap > MAX_GAP) {
      writer.packedSint(count - before);
      continue;
    }
    writer.packedSint(count);
    for (let empty = 1; empty < gap; empty++) writer.packedSint(0);
    writer.packedSint(-before);
  }
  writer.packedSint(histogram.nativeCount(0));
  writer.message(HISTOGRAM.positiveDelta, end);
}

/** A histogram without values has one empty span, by which scrapers know it as a native one. */
function writeSpans(writer: ReverseWriter, histogram: Histogram): void {
  const last = histogram.nativeBuckets - 1;
  let length = 0;
  for (let i = last; i > 0; i--) {
    const gap = gapBefore(histogram, i);
    length++;
    if (gap <= MAX_GAP) {
      length += gap;
    } else {
      writeSpan(writer, gap, length);
      length = 0;
    }
  }
  // The offset of the first span is the index of its first bucket.
  if (last < 0) writeSpan(writer, 0, 0);
  else writeSpan(writer, histogram.nativeIndex(0), length + 1);
}

function gapBefore(histogram: Histogram, bucket: number): number {
  return histogram.nativeIndex(bucket) - histogram.nativeIndex(bucket - 1) - 1;
}

function writeSpan(writer: ReverseWriter, offset: number, length: number): void {
  const end = writer.length;
  writer.uint(SPAN.length, length);
  writer.sint(SPAN.offset, offset);
  writer.message(HISTOGRAM.positiveSpan, end);
}

const created = new ReverseWriter();
const NEVER = { ms: -1, field: '' };
/** Rows that are opened one after the other mostly have the same time. */
let lastCreated = NEVER;

/** The field of a counter that says when it began to count, one character for each byte. */
export function createdField(ms: number): string {
  if (lastCreated.ms === ms) return lastCreated.field;
  created.clear();
  writeTimestamp(created, VALUE.createdTimestamp, ms);
  lastCreated = { ms, field: created.text() };
  return lastCreated.field;
}
