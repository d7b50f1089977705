/** Exemplars as both formats have them. */

import type { Exemplar, Exemplars } from '../shared/ledger/exemplars.js';
import type { Histogram } from '../shared/ledger/histogram.js';
import type { Labels } from './sample-labels.js';

/** OpenMetrics allows 128 characters; these have at most 50. */
export function exemplarLabels({ callId, code }: Exemplar): Labels {
  return { call_id: callId, ...(code === 0 ? {} : { sip_code: String(code) }) };
}

/** The exemplar of a classic bucket. */
export function bucketExemplar(
  exemplars: Exemplars | undefined,
  histogram: Histogram,
  bucket: number,
): Exemplar | undefined {
  if (exemplars === undefined || histogram.bucket(bucket) === 0) return undefined;
  const { boundsMicros } = histogram;
  const to = boundsMicros[bucket] ?? Number.POSITIVE_INFINITY;
  return exemplars.ofRtt(boundsMicros[bucket - 1] ?? 0, to);
}
