/** The metric families of destinations, targets and the pinger, which are read from the ledger. */

import type { RegisteredDestination, TargetAddress, TargetSlot } from '../shared/destination.js';
import type { FamilyName } from '../shared/family-names.js';
import type { Exemplar, Exemplars } from '../shared/ledger/exemplars.js';
import type { Histogram } from '../shared/ledger/histogram.js';
import type { PingerRow } from '../shared/ledger/pinger-row.js';
import type { DestinationRow, TargetRow } from '../shared/ledger/rows.js';
import { REASONS_OF, type TransportName } from '../shared/outcome.js';
import { isAliveCode, type State } from '../shared/state.js';
import { labelOf, NO_LABELS, reservedLabels, SampleLabels } from './sample-labels.js';

/** Takes one sample: its value, and its labels beyond those of the row. */
export type Emit = (value: number, labels?: SampleLabels, exemplar?: Exemplar) => void;
/** Takes one histogram. */
export type EmitHistogram = (
  histogram: Histogram,
  labels?: SampleLabels,
  exemplars?: Exemplars,
) => void;

export type Family<Row> = SampleFamily<Row> | HistogramFamily<Row>;

interface SampleFamily<Row> {
  /** Name as in the text format: counters end in `_total`. */
  readonly name: FamilyName;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly samples: (row: Row, emit: Emit) => void;
}

interface HistogramFamily<Row> {
  readonly name: FamilyName;
  readonly type: 'histogram';
  readonly help: string;
  readonly histograms: (row: Row, emit: EmitHistogram) => void;
}

export interface DestinationSample {
  readonly registered: RegisteredDestination;
  /** The effective state. */
  readonly state: State;
  /** Number of targets whose effective state is up. */
  readonly targetsUp: number;
  readonly row: DestinationRow;
}

export interface TargetSample {
  readonly transport: TransportName;
  /** Whether the destination has credentials for challenges. */
  readonly hasCredentials: boolean;
  /** Whether the destination has one target for all its addresses (`resolve: first`). */
  readonly isFirstOnly: boolean;
  readonly target: TargetAddress;
  /** The effective state. */
  readonly state: State;
  readonly row: TargetRow;
  /** Reads those of a target, the same for all; undefined where none are shown. */
  readonly exemplars: ((target: TargetSlot) => Exemplars | undefined) | undefined;
}

const reasonLabel = labelOf('reason');
const codeLabel = labelOf('code');

/** Emits milliseconds since the epoch in seconds; nothing for 0, which means never. */
const timestamp = (ms: number, emit: Emit) => {
  if (ms > 0) emit(ms / 1000);
};

export const DESTINATION_FAMILIES: readonly Family<DestinationSample>[] = [
  {
    name: 'sip_keepalive_is_alive',
    type: 'gauge',
    help: "The result of Kamailio's is_alive: 1 up, 2 down, -1 unknown.",
    samples: ({ state }, emit) => emit(isAliveCode(state)),
  },
  {
    name: 'sip_keepalive_up',
    type: 'gauge',
    help: '1 if the destination is up, 0 if it is down; absent while its state is unknown.',
    samples: ({ state }, emit) => {
      if (state !== 'unknown') emit(state === 'up' ? 1 : 0);
    },
  },
  {
    name: 'sip_keepalive_draining',
    type: 'gauge',
    help: '1 if the destination is down with the reason draining, else 0; absent while its state is unknown.',
    samples: ({ state, row }, emit) => {
      if (state !== 'unknown') emit(state === 'down' && row.reason === 'draining' ? 1 : 0);
    },
  },
  {
    name: 'sip_keepalive_state_changes_total',
    type: 'counter',
    help: 'Changes between up and down.',
    samples: ({ row }, emit) => emit(row.changes),
  },
  {
    name: 'sip_keepalive_last_state_change_timestamp_seconds',
    type: 'gauge',
    help: 'When the current state was reached.',
    samples: ({ row }, emit) => timestamp(row.sinceMs, emit),
  },
  {
    name: 'sip_keepalive_ping_interval_seconds',
    type: 'gauge',
    help: 'Interval between two pings of a target.',
    samples: ({ registered }, emit) => emit(registered.destination.settings.intervalMs / 1000),
  },
  {
    name: 'sip_keepalive_retry_interval_seconds',
    type: 'gauge',
    help: 'Interval while a failure or a recovery is not confirmed; absent where it is the ping interval.',
    samples: ({ registered }, emit) => {
      const { intervalMs, retryIntervalMs } = registered.destination.settings;
      if (retryIntervalMs !== intervalMs) emit(retryIntervalMs / 1000);
    },
  },
  {
    name: 'sip_keepalive_down_interval_seconds',
    type: 'gauge',
    help: 'Interval while a target is down; absent where it is the ping interval.',
    samples: ({ registered }, emit) => {
      const { intervalMs, downIntervalMs } = registered.destination.settings;
      if (downIntervalMs !== intervalMs) emit(downIntervalMs / 1000);
    },
  },
  {
    name: 'sip_keepalive_targets',
    type: 'gauge',
    help: 'Addresses that the destination currently resolves to.',
    samples: ({ registered }, emit) => emit(registered.targets.length),
  },
  {
    name: 'sip_keepalive_targets_up',
    type: 'gauge',
    help: 'Addresses of the destination that are up.',
    samples: ({ targetsUp }, emit) => emit(targetsUp),
  },
  {
    name: 'sip_keepalive_destination_info',
    type: 'gauge',
    help: 'Always 1; the labels describe the destination. server is the Server header of the peer, or User-Agent without it.',
    samples: ({ registered }, emit) => {
      const { destination, owners, server } = registered;
      const { uri, module } = destination;
      emit(1, reservedLabels({ uri, module, owners: owners.join(','), server }));
    },
  },
];

export const TARGET_FAMILIES: readonly Family<TargetSample>[] = [
  {
    name: 'sip_keepalive_target_up',
    type: 'gauge',
    help: '1 if the target is up, 0 if it is down; absent while its state is unknown.',
    samples: ({ state }, emit) => {
      if (state !== 'unknown') emit(state === 'up' ? 1 : 0);
    },
  },
  {
    name: 'sip_keepalive_target_info',
    type: 'gauge',
    help: "Always 1; the labels are the priority and weight of the target's SRV record. Absent without one.",
    samples: ({ target: { priority, weight } }, emit) => {
      if (priority === undefined) return;
      emit(1, reservedLabels({ priority: String(priority), weight: String(weight ?? 0) }));
    },
  },
  {
    name: 'sip_keepalive_pings_total',
    type: 'counter',
    help: 'Pings that have ended, alive or not.',
    samples: ({ row }, emit) => emit(row.pings),
  },
  {
    name: 'sip_keepalive_ping_failures_total',
    type: 'counter',
    help: 'Failed pings by reason.',
    samples: ({ transport, target, row, exemplars }, emit) => {
      let all: Exemplars | undefined;
      for (const reason of REASONS_OF[transport]) {
        const failures = row.failures(reason);
        if (failures > 0) all ??= exemplars?.(target.slot);
        emit(failures, reasonLabel(reason), failures > 0 ? all?.ofFailure(reason) : undefined);
      }
    },
  },
  {
    name: 'sip_keepalive_responses_total',
    type: 'counter',
    help: 'Final responses by SIP status code.',
    samples: ({ row }, emit) => {
      for (const [code, count] of row.responses) emit(count, codeLabel(code));
    },
  },
  {
    name: 'sip_keepalive_rtt_seconds',
    type: 'histogram',
    help: 'Round-trip time of answered pings, from the first transmission of the request to the final response.',
    histograms: ({ target, row, exemplars }, emit) => {
      const { rtt } = row;
      emit(rtt, NO_LABELS, rtt.count > 0 ? exemplars?.(target.slot) : undefined);
    },
  },
  {
    name: 'sip_keepalive_retransmissions_total',
    type: 'counter',
    help: 'Retransmitted requests.',
    samples: ({ row }, emit) => emit(row.retransmissions),
  },
  {
    name: 'sip_keepalive_late_responses_total',
    type: 'counter',
    help: 'Responses to the last two pings that arrived after the deadline.',
    samples: ({ row }, emit) => emit(row.lateResponses),
  },
  {
    name: 'sip_keepalive_challenges_total',
    type: 'counter',
    help: 'Challenges (401, 407) answered within their ping, for destinations with credentials. The round-trip time is that of the request with credentials.',
    samples: ({ hasCredentials, row }, emit) => {
      if (hasCredentials) emit(row.challenges);
    },
  },
  {
    name: 'sip_keepalive_failovers_total',
    type: 'counter',
    help: 'Failovers to the next address within one ping, for destinations with resolve: first.',
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
    help: 'When the last alive ping ended.',
    samples: ({ row }, emit) => timestamp(row.lastUpMs, emit),
  },
  {
    name: 'sip_keepalive_last_down_timestamp_seconds',
    type: 'gauge',
    help: 'When the last failed ping ended.',
    samples: ({ row }, emit) => timestamp(row.lastDownMs, emit),
  },
];

export const PINGER_FAMILIES: readonly Family<PingerRow>[] = [
  {
    name: 'sip_keepalive_pinger_lateness_seconds',
    type: 'histogram',
    help: 'Delay between the scheduled and the actual send time of pings.',
    histograms: (row, emit) => emit(row.lateness),
  },
  {
    name: 'sip_keepalive_resolution_seconds',
    type: 'histogram',
    help: 'Time to resolve a name to addresses, with all lookups. Not included in the round-trip time.',
    histograms: (row, emit) => emit(row.resolutions),
  },
  {
    name: 'sip_keepalive_dns_lookups_in_flight',
    type: 'gauge',
    help: 'DNS lookups in progress, at most 64 in total and 8 for one name.',
    samples: (row, emit) => emit(row.lookupsInFlight),
  },
  {
    name: 'sip_keepalive_dns_lookups_waiting',
    type: 'gauge',
    help: 'DNS lookups waiting for a free slot.',
    samples: (row, emit) => emit(row.lookupsWaiting),
  },
  {
    name: 'sip_keepalive_dns_lookups_shed_total',
    type: 'counter',
    help: 'DNS lookups that failed at once because too many were waiting.',
    samples: (row, emit) => emit(row.lookupsShed),
  },
  {
    name: 'sip_keepalive_dns_records_cut_total',
    type: 'counter',
    help: 'Records of DNS answers that were ignored because the name had too many.',
    samples: (row, emit) => emit(row.recordsCut),
  },
  {
    name: 'sip_keepalive_pinger_in_flight',
    type: 'gauge',
    help: 'Pings in progress.',
    samples: (row, emit) => emit(row.inFlight),
  },
  {
    name: 'sip_keepalive_unmatched_messages_total',
    type: 'counter',
    help: 'Received messages that match no ping, such as forged or malformed ones.',
    samples: (row, emit) => emit(row.unmatched),
  },
  {
    name: 'sip_keepalive_pinger_faults_total',
    type: 'counter',
    help: 'Internal errors in the pinger thread; the log has their stack traces.',
    samples: (row, emit) => emit(row.faults),
  },
  {
    name: 'sip_keepalive_nat_keepalives_total',
    type: 'counter',
    help: 'Received NAT keepalives: empty datagrams, blank lines, NULs, STUN. They are not answered and not counted as unmatched.',
    samples: (row, emit) => emit(row.natKeepalives),
  },
  {
    name: 'sip_keepalive_udp_rebinds_total',
    type: 'counter',
    help: 'Targets moved to another local UDP port, because they stopped answering on the old one and answered on a new one: a NAT or firewall had dropped the old binding.',
    samples: (row, emit) => emit(row.udpRebinds),
  },
  {
    name: 'sip_keepalive_exporter_udp_io_info',
    type: 'gauge',
    help: 'How UDP pings are sent and timed: kernel (batched, with timestamps of the kernel) or dgram (by Node.js).',
    samples: ({ udpIo }, emit) => {
      if (udpIo !== undefined) emit(1, new SampleLabels({ io: udpIo }));
    },
  },
  {
    name: 'sip_keepalive_exporter_udp_dropped_total',
    type: 'counter',
    help: 'Datagrams that the kernel dropped because a UDP socket of the exporter was full (io="kernel").',
    samples: (row, emit) => emit(row.udpDropped),
  },
  {
    name: 'sip_keepalive_exporter_udp_unstamped_total',
    type: 'counter',
    help: 'Answered UDP pings without a kernel timestamp of the send; the time before the send call was used (io="kernel").',
    samples: (row, emit) => emit(row.udpUnstamped),
  },
  {
    name: 'sip_keepalive_pinger_stalls_total',
    type: 'counter',
    help: 'Pauses of the pinger thread of more than 20 ms. Responses that arrive in a pause have no round-trip time, except for UDP with io="kernel"; pings whose deadline falls in a pause are not counted.',
    samples: (row, emit) => emit(row.stalls),
  },
];
