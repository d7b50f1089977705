/** The metric families of destinations with a name to resolve. */

import { RESOLUTION_FAILURES } from '../shared/resolution.js';
import type { DestinationSample, Family } from './families.js';
import { labelOf } from './sample-labels.js';

const reasonLabel = labelOf('reason');

export const RESOLUTION_FAMILIES: readonly Family<DestinationSample>[] = [
  {
    name: 'sip_keepalive_resolution_failures_total',
    type: 'counter',
    help: "Failed lookups of the destination's name by reason.",
    samples: ({ row }, emit) => {
      for (const reason of RESOLUTION_FAILURES) {
        emit(row.resolutionFailures(reason), reasonLabel(reason));
      }
    },
  },
  {
    name: 'sip_keepalive_resolution_changes_total',
    type: 'counter',
    help: "Changes of the addresses that the destination's name resolves to.",
    samples: ({ row }, emit) => emit(row.resolutionChanges),
  },
  {
    name: 'sip_keepalive_last_resolution_timestamp_seconds',
    type: 'gauge',
    help: "When the destination's name was last resolved.",
    samples: ({ row }, emit) => {
      if (row.lastResolutionMs > 0) emit(row.lastResolutionMs / 1000);
    },
  },
  {
    name: 'sip_keepalive_resolution_stale',
    type: 'gauge',
    help: '1 if the last lookup failed and an earlier answer is in use, else 0.',
    samples: ({ row }, emit) => emit(row.isStale ? 1 : 0),
  },
  {
    name: 'sip_keepalive_targets_truncated',
    type: 'gauge',
    help: 'Addresses of the destination that are not pinged because of max_targets.',
    samples: ({ row }, emit) => emit(row.targetsTruncated),
  },
];
