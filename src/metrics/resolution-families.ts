/** The metric families of destinations that have a name to be resolved. */

import { RESOLUTION_FAILURES } from '../shared/resolution.js';
import type { DestinationSample, Family } from './families.js';

export const RESOLUTION_FAMILIES: readonly Family<DestinationSample>[] = [
  {
    name: 'sip_keepalive_resolution_failures_total',
    type: 'counter',
    help: "Look-ups of the destination's name that failed, by reason.",
    samples: ({ row }, emit) => {
      for (const reason of RESOLUTION_FAILURES) {
        emit(row.resolutionFailures(reason), `,reason="${reason}"`);
      }
    },
  },
  {
    name: 'sip_keepalive_resolution_changes_total',
    type: 'counter',
    help: "Times that the destination's name came to other addresses than before.",
    samples: ({ row }, emit) => emit(row.resolutionChanges),
  },
  {
    name: 'sip_keepalive_last_resolution_timestamp_seconds',
    type: 'gauge',
    help: "When the destination's name last came to addresses.",
    samples: ({ row }, emit) => {
      if (row.lastResolutionMs > 0) emit(row.lastResolutionMs / 1000);
    },
  },
  {
    name: 'sip_keepalive_resolution_stale',
    type: 'gauge',
    help: 'Whether the last look-up failed and an earlier answer is in use (1) or not (0).',
    samples: ({ row }, emit) => emit(row.isStale ? 1 : 0),
  },
  {
    name: 'sip_keepalive_targets_truncated',
    type: 'gauge',
    help: 'Addresses of the destination that are not pinged, because there are more than max_targets.',
    samples: ({ row }, emit) => emit(row.targetsTruncated),
  },
];
