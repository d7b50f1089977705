/** The metric families of destinations, targets and the pinger, each read from rows of the ledger. */

import type { RegisteredDestination, TargetAddress } from '../shared/destination.js';
import type { OurLabel } from '../shared/labels.js';
import { LATENESS_BUCKETS_MICROS, RTT_BUCKETS_MICROS } from '../shared/ledger/layout.js';
import type { DestinationRow, Histogram, PingerRow, TargetRow } from '../shared/ledger/reader.js';
import { REASONS_OF, type TransportName } from '../shared/outcome.js';
import { isAliveCode, type State } from '../shared/state.js';

/** Takes one sample: its labels beyond those of the row (`,code="200"`), its value. */
export type Emit = (value: number, labels?: string, suffix?: string) => void;

export interface Family<Row> {
  /** As in the text format: counters end in `_total`. */
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly samples: (row: Row, emit: Emit) => void;
}

export interface DestinationSample {
  readonly registered: RegisteredDestination;
  /** As it may be told. */
  readonly state: State;
  /** Targets that are up, as it may be told. */
  readonly targetsUp: number;
  readonly row: DestinationRow;
}

export interface TargetSample {
  readonly transport: TransportName;
  /** Whether its challenges can be met. */
  readonly hasCredentials: boolean;
  /** Whether it stands for all addresses of its destination. */
  readonly isFirstOnly: boolean;
  readonly target: TargetAddress;
  /** As it may be told. */
  readonly state: State;
  readonly row: TargetRow;
}

/** Milliseconds since the epoch as the seconds that Prometheus wants; nothing for never. */
const timestamp = (ms: number, emit: Emit) => {
  if (ms > 0) emit(ms / 1000);
};

export const DESTINATION_FAMILIES: readonly Family<DestinationSample>[] = [
  {
    name: 'sip_keepalive_is_alive',
    type: 'gauge',
    help: "What Kamailio's is_alive answers: 1 the destination is up, 2 it is down, -1 not known yet.",
    samples: ({ state }, emit) => emit(isAliveCode(state)),
  },
  {
    name: 'sip_keepalive_up',
    type: 'gauge',
    help: 'Whether the destination is up (1) or down (0); absent until the first verdict.',
    samples: ({ state }, emit) => {
      if (state !== 'unknown') emit(state === 'up' ? 1 : 0);
    },
  },
  {
    name: 'sip_keepalive_state_changes_total',
    type: 'counter',
    help: 'Changes of the verdict from up to down and back.',
    samples: ({ row }, emit) => emit(row.changes),
  },
  {
    name: 'sip_keepalive_last_state_change_timestamp_seconds',
    type: 'gauge',
    help: 'When the present verdict was reached.',
    samples: ({ row }, emit) => timestamp(row.sinceMs, emit),
  },
  {
    name: 'sip_keepalive_ping_interval_seconds',
    type: 'gauge',
    help: 'Time between two pings of a target.',
    samples: ({ registered }, emit) => emit(registered.destination.settings.intervalMs / 1000),
  },
  {
    name: 'sip_keepalive_targets',
    type: 'gauge',
    help: 'Addresses that the destination resolves to now.',
    samples: ({ registered }, emit) => emit(registered.targets.length),
  },
  {
    name: 'sip_keepalive_targets_up',
    type: 'gauge',
    help: 'Addresses of the destination that are up now.',
    samples: ({ targetsUp }, emit) => emit(targetsUp),
  },
  {
    name: 'sip_keepalive_destination_info',
    type: 'gauge',
    help: 'What the destination is; server is what the peer calls itself.',
    samples: ({ registered }, emit) => {
      const { destination, owners, server } = registered;
      const { uri, module } = destination;
      emit(1, ourLabels({ uri, module, owners: owners.join(','), server }));
    },
  },
];

export const TARGET_FAMILIES: readonly Family<TargetSample>[] = [
  {
    name: 'sip_keepalive_target_up',
    type: 'gauge',
    help: 'Whether the target is up (1) or down (0); absent until known.',
    samples: ({ state }, emit) => {
      if (state !== 'unknown') emit(state === 'up' ? 1 : 0);
    },
  },
  {
    name: 'sip_keepalive_target_info',
    type: 'gauge',
    help: 'The priority and the weight of the SRV record that led to the target; absent without one.',
    samples: ({ target: { priority, weight } }, emit) => {
      if (priority === undefined) return;
      emit(1, ourLabels({ priority: String(priority), weight: String(weight ?? 0) }));
    },
  },
  {
    name: 'sip_keepalive_pings_total',
    type: 'counter',
    help: 'Pings that ended, alive or not.',
    samples: ({ row }, emit) => emit(row.pings),
  },
  {
    name: 'sip_keepalive_ping_failures_total',
    type: 'counter',
    help: 'Pings that ended not alive, by reason.',
    samples: ({ transport, row }, emit) => {
      for (const reason of REASONS_OF[transport]) emit(row.failures(reason), `,reason="${reason}"`);
    },
  },
  {
    name: 'sip_keepalive_responses_total',
    type: 'counter',
    help: 'Final answers by SIP status code.',
    samples: ({ row }, emit) => {
      for (const [code, count] of row.responses) emit(count, `,code="${code}"`);
    },
  },
  {
    name: 'sip_keepalive_rtt_seconds',
    type: 'histogram',
    help: 'Round-trip time of answered pings, from the first send to the final answer (the OPTIONS response delay).',
    samples: ({ row }, emit) => emitHistogram(row.rtt, RTT_BUCKETS_MICROS, emit),
  },
  {
    name: 'sip_keepalive_retransmissions_total',
    type: 'counter',
    help: 'Requests that were sent again for want of an answer.',
    samples: ({ row }, emit) => emit(row.retransmissions),
  },
  {
    name: 'sip_keepalive_late_responses_total',
    type: 'counter',
    help: 'Answers that came after the deadline, to the last ping or the one before.',
    samples: ({ row }, emit) => emit(row.lateResponses),
  },
  {
    name: 'sip_keepalive_challenges_total',
    type: 'counter',
    help: 'Challenges (401, 407) that were met within their ping, where there are credentials. The round-trip time is that of the request that met them.',
    samples: ({ hasCredentials, row }, emit) => {
      if (hasCredentials) emit(row.challenges);
    },
  },
  {
    name: 'sip_keepalive_failovers_total',
    type: 'counter',
    help: 'Ways that failed and led to the next address within the same ping, where resolve is first.',
    samples: ({ isFirstOnly, row }, emit) => {
      if (isFirstOnly) emit(row.failovers);
    },
  },
  {
    name: 'sip_keepalive_last_ping_timestamp_seconds',
    type: 'gauge',
    help: 'When the last ping ended.',
    samples: ({ row }, emit) => timestamp(row.lastPingMs, emit),
  },
  {
    name: 'sip_keepalive_last_up_timestamp_seconds',
    type: 'gauge',
    help: 'When a ping last ended alive.',
    samples: ({ row }, emit) => timestamp(row.lastUpMs, emit),
  },
  {
    name: 'sip_keepalive_last_down_timestamp_seconds',
    type: 'gauge',
    help: 'When a ping last ended not alive.',
    samples: ({ row }, emit) => timestamp(row.lastDownMs, emit),
  },
];

export const PINGER_FAMILIES: readonly Family<PingerRow>[] = [
  {
    name: 'sip_keepalive_pinger_lateness_seconds',
    type: 'histogram',
    help: 'How late pings left.',
    samples: (row, emit) => emitHistogram(row.lateness, LATENESS_BUCKETS_MICROS, emit),
  },
  {
    name: 'sip_keepalive_resolution_seconds',
    type: 'histogram',
    help: 'How long the look-ups of names took, each with all that it led to. No part of the round-trip time.',
    samples: (row, emit) => emitHistogram(row.resolutions, RTT_BUCKETS_MICROS, emit),
  },
  {
    name: 'sip_keepalive_dns_lookups_in_flight',
    type: 'gauge',
    help: 'Look-ups in the DNS that are under way, at most 64, and 8 for one name.',
    samples: (row, emit) => emit(row.lookupsInFlight),
  },
  {
    name: 'sip_keepalive_dns_lookups_waiting',
    type: 'gauge',
    help: 'Look-ups in the DNS that wait for a turn; names take turns.',
    samples: (row, emit) => emit(row.lookupsWaiting),
  },
  {
    name: 'sip_keepalive_dns_lookups_shed_total',
    type: 'counter',
    help: 'Look-ups in the DNS that were not made because too many waited for a turn.',
    samples: (row, emit) => emit(row.lookupsShed),
  },
  {
    name: 'sip_keepalive_dns_records_cut_total',
    type: 'counter',
    help: 'Records of DNS answers that were not followed because one name had too many.',
    samples: (row, emit) => emit(row.recordsCut),
  },
  {
    name: 'sip_keepalive_pinger_in_flight',
    type: 'gauge',
    help: 'Pings that have begun and not ended.',
    samples: (row, emit) => emit(row.inFlight),
  },
  {
    name: 'sip_keepalive_unmatched_messages_total',
    type: 'counter',
    help: 'Messages that came in and belonged to no ping: strays, forgeries, malformed ones.',
    samples: (row, emit) => emit(row.unmatched),
  },
  {
    name: 'sip_keepalive_pinger_faults_total',
    type: 'counter',
    help: 'Faults of the exporter in the pinger thread, each of which ended one piece of work; the log has their stacks.',
    samples: (row, emit) => emit(row.faults),
  },
  {
    name: 'sip_keepalive_nat_keepalives_total',
    type: 'counter',
    help: 'Datagrams of peers that keep a NAT binding alive and are no SIP: empty ones, blank lines, NULs, STUN. They are not answered, and no strays.',
    samples: (row, emit) => emit(row.natKeepalives),
  },
  {
    name: 'sip_keepalive_udp_rebinds_total',
    type: 'counter',
    help: 'Targets that stopped answering pings from one UDP port, answered one from a fresh port, and are pinged from there since: a NAT or firewall on the way had forgotten the old one.',
    samples: (row, emit) => emit(row.udpRebinds),
  },
  {
    name: 'sip_keepalive_pinger_stalls_total',
    type: 'counter',
    help: 'Times that the pinger thread stood still for more than 20 ms. Answers that came meanwhile have no round-trip time; pings whose deadline passed meanwhile are not counted.',
    samples: (row, emit) => emit(row.stalls),
  },
];

/** `,a="1",b="2"`, values escaped; `{a="1",b="2"` where they are the first of a sample. */
export function labelText(labels: Readonly<Record<string, string>>, opening = ','): string {
  return Object.entries(labels)
    .map(([name, value], i) => `${i === 0 ? opening : ','}${name}="${escapeLabel(value)}"`)
    .join('');
}

/** As {@link labelText}, of labels that nobody else may have. */
export function ourLabels(labels: Readonly<Partial<Record<OurLabel, string>>>): string {
  return labelText(labels);
}

function escapeLabel(value: string): string {
  if (!/[\\"\n]/.test(value)) return value;
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

/** Buckets in the ledger are not cumulative; those of Prometheus are. */
export function emitHistogram(
  histogram: Histogram,
  boundsMicros: readonly number[],
  emit: Emit,
  labels = '',
): void {
  let count = 0;
  const { buckets, sumMicros } = histogram;
  for (let i = 0; i < buckets.length; i++) {
    count += buckets[i] ?? 0;
    emit(count, labels + boundLabel(boundsMicros[i]), '_bucket');
  }
  emit(sumMicros / 1e6, labels, '_sum');
  emit(count, labels, '_count');
}

const boundLabels = new Map<number | undefined, string>();

/** `,le="0.5"`; a whole number keeps a decimal, as OpenMetrics wants it. */
function boundLabel(micros: number | undefined): string {
  const known = boundLabels.get(micros);
  if (known !== undefined) return known;
  const seconds = micros === undefined ? '+Inf' : String(micros / 1e6);
  const label = `,le="${/^\d+$/.test(seconds) ? `${seconds}.0` : seconds}"`;
  boundLabels.set(micros, label);
  return label;
}
