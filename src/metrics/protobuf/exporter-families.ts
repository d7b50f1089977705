/** The metrics of the exporter itself, which `prom-client` has, as protobuf. */

import type { OwnFamily, OwnMetric } from '../renderer.js';
import { labelBytes } from '../sample-labels.js';
import { BUCKET, FAMILY, HISTOGRAM, METRIC, VALUE } from './fields.js';
import type { ReverseWriter } from './reverse-writer.js';
import { writeTimestamp } from './timestamp.js';

/** Writes one metric as a field of its family. */
export function writeOwnMetric(
  writer: ReverseWriter,
  type: OwnFamily['type'],
  metric: OwnMetric,
  startedMs: number,
): void {
  writer.clear();
  if (type === 'histogram') {
    writeTimestamp(writer, HISTOGRAM.createdTimestamp, startedMs);
    for (const [bound, count] of metric.buckets.toReversed()) {
      const end = writer.length;
      writer.double(BUCKET.upperBound, bound);
      writer.uint(BUCKET.cumulativeCount, count);
      writer.message(HISTOGRAM.bucket, end);
    }
    writer.double(HISTOGRAM.sampleSum, metric.sum);
    writer.uint(HISTOGRAM.sampleCount, metric.value);
  } else {
    if (type === 'counter') writeTimestamp(writer, VALUE.createdTimestamp, startedMs);
    writer.double(VALUE.value, metric.value);
  }
  writer.message(METRIC[type], 0);
  writer.raw(labelBytes(metric.labels));
  writer.message(FAMILY.metric, 0);
}
