/**
 * The ledger: every number that the pinger measures, in shared memory.
 *
 * One thread writes ({@link LedgerWriter}), any thread reads ({@link LedgerReader}). All cells are
 * 32-bit integers and every access is atomic, so no value is torn. Each row has a sequence lock (odd
 * while it is being written), so a reader gets a consistent copy of a row or none. Values that can be
 * derived are not stored: a histogram's count is the sum of its buckets, a target's pings are the sum of
 * its outcomes. The histograms of a row are its last cells, so that a reader can omit their unused slots.
 */

import type { DestinationSlot } from '../destination.js';
import { type DownReason, FAILURE_REASONS } from '../outcome.js';
import { RESOLUTION_FAILURES } from '../resolution.js';
import { STATES, type State } from '../state.js';
import {
  BOUNDS,
  DEFAULT_BOUNDS,
  HISTOGRAM,
  HISTOGRAM_KINDS,
  type HistogramKind,
  layout,
} from './histogram-layout.js';

/** Status codes that are counted separately per target; further ones are counted as `other`. */
export const CODES_PER_TARGET = 8;

/** Maximum number of destinations, and of targets. Unused pages of the ledger take no memory. */
export const LEDGER_CAPACITY = 1 << 17;

export const REASONS: readonly DownReason[] = [...FAILURE_REASONS, 'resolution'];

const t = layout();
export const TARGET = {
  version: t(),
  generation: t(),
  state: t(),
  lastUp: t(2),
  lastDown: t(2),
  /** Reason of the last ping: 0 for none, otherwise 1 + index into REASONS. */
  lastReason: t(),
  lastCode: t(),
  lastRtt: t(),
  /** The troubles of the last ten pings without local failures, and the number of these pings. */
  troubles: t(2),
  /** End of the last results, which a list needs of all targets. */
  results: t(0),
  /** Time at which the row was opened. */
  created: t(2),
  run: t(),
  since: t(2),
  lastPing: t(2),
  /** As lastReason, for the last ping without a local failure. */
  peerReason: t(),
  retransmissions: t(),
  late: t(),
  challenges: t(),
  failovers: t(),
  alive: t(),
  failures: t(FAILURE_REASONS.length),
  codes: t(2 * CODES_PER_TARGET),
  otherCodes: t(),
  rtt: t(HISTOGRAM.words),
  words: t(0),
} as const;

/** The phases of setting up a connection, in the order of the ledger's cells. */
export const CONNECT_PHASES = ['connect', 'tls'] as const;
export type ConnectPhase = (typeof CONNECT_PHASES)[number];

const c = layout();
/** The second row of a target; used only for connections. */
export const CONNECTION = {
  version: c(),
  generation: c(),
  /** A histogram for each phase. */
  phases: c(CONNECT_PHASES.length * HISTOGRAM.words),
  words: c(0),
} as const;

/** Number of last pings kept per target. */
export const RECENT_PINGS = 40;
const r = layout();
/** The third row of a target: a ring buffer of its last pings. */
export const RECENT = {
  version: r(),
  generation: r(),
  /** Number of pings written so far. */
  count: r(),
  /** Two cells per ping: seconds since 1970, and its result. */
  pings: r(2 * RECENT_PINGS),
  words: r(0),
} as const;

/** Number of exemplars per target: of round trips in different buckets, and of failures with different reasons. */
export const RTT_EXEMPLARS = 4;
export const FAILURE_EXEMPLARS = 2;
const e = layout();
/** One ping as an exemplar of a series. */
export const EXEMPLAR = {
  /** 0 for none; 256 * high cell of the time + 1 + index of the failure's reason, or 1. */
  meta: e(),
  /** Low cell of the time: wall clock, milliseconds. */
  time: e(),
  /** Microseconds, or status code of the failure; 0 for none. */
  value: e(),
  /** The 16 bytes of the Call-ID. */
  callId: e(4),
  words: e(0),
} as const;
const x = layout();
/** The fourth row of a target: exemplars of round trips, then of failures. */
export const EXEMPLARS = {
  version: x(),
  generation: x(),
  exemplars: x((RTT_EXEMPLARS + FAILURE_EXEMPLARS) * EXEMPLAR.words),
  words: x(0),
} as const;

const d = layout();
export const DESTINATION = {
  version: d(),
  generation: d(),
  state: d(),
  since: d(2),
  lastReason: d(),
  /** Time of the last DNS answer for the name, including answers without an address. */
  lastLookup: d(2),
  /** End of the verdict, which a list needs of all destinations. */
  verdict: d(0),
  /** Time at which the row was opened. */
  created: d(2),
  changes: d(),
  resolutionFailures: d(RESOLUTION_FAILURES.length),
  resolutionChanges: d(),
  lastResolution: d(2),
  /** 1 while the last lookup failed and an earlier answer is in use. */
  isStale: d(),
  /** Number of addresses that are not pinged because of `max_targets`. */
  targetsTruncated: d(),
  words: d(0),
} as const;

/** Maximum number of open kernel UDP sockets. */
export const MAX_DESCRIPTORS = 1024;
/** UDP sockets: `kernel`, batched and with kernel timestamps, or `node:dgram`. */
export const UDP_IO = ['kernel', 'dgram'] as const;
export type UdpIo = (typeof UDP_IO)[number];

const p = layout();
export const PINGER = {
  version: p(),
  /** Time at which the first writer started. */
  created: p(2),
  heartbeat: p(),
  inFlight: p(),
  unmatched: p(),
  natKeepalives: p(),
  udpRebinds: p(),
  /** 1 + index into UDP_IO; 0 before the thread has decided. */
  udpIo: p(),
  /** Datagrams that the kernel dropped because a receive buffer was full. */
  udpDropped: p(),
  /** Answered pings without a kernel timestamp of the request. */
  udpUnstamped: p(),
  stalls: p(),
  /** Internal errors. */
  faults: p(),
  /** Consecutive pings, of any targets, with the reason `local`. */
  localRun: p(),
  /** Row that the thread works for: 0 for none, otherwise 1 + index. Read if the thread dies. */
  currentTarget: p(),
  currentDestination: p(),
  /** DNS lookups: in progress, queued, and rejected because the queue was full. */
  lookupsInFlight: p(),
  lookupsWaiting: p(),
  lookupsShed: p(),
  /** Records of DNS answers that are not used because there are too many. */
  recordsCut: p(),
  /** Number of target rows used so far. */
  targetsUsed: p(),
  lateness: p(HISTOGRAM.words),
  /** Durations of lookups. */
  resolutions: p(HISTOGRAM.words),
  words: p(0),
} as const;

/** The same cell in rows of every kind. */
export const GENERATION = TARGET.generation;
const BOUNDS_AT = PINGER.words;
export const DESTINATIONS_AT = BOUNDS_AT + HISTOGRAM_KINDS.length * BOUNDS.words;
const TARGETS_AT = DESTINATIONS_AT + LEDGER_CAPACITY * DESTINATION.words;
const CONNECTIONS_AT = TARGETS_AT + LEDGER_CAPACITY * TARGET.words;
const RECENTS_AT = CONNECTIONS_AT + LEDGER_CAPACITY * CONNECTION.words;
const EXEMPLARS_AT = RECENTS_AT + LEDGER_CAPACITY * RECENT.words;
/** 1 + each descriptor that the pinger thread opened without Node.js; 0 for none. */
export const DESCRIPTORS_AT = EXEMPLARS_AT + LEDGER_CAPACITY * EXEMPLARS.words;
const LEDGER_BYTES = 4 * (DESCRIPTORS_AT + MAX_DESCRIPTORS);

export const destinationAt = (slot: DestinationSlot) =>
  DESTINATIONS_AT + slot.index * DESTINATION.words;
export const targetAt = (index: number) => TARGETS_AT + index * TARGET.words;
export const connectionAt = (index: number) => CONNECTIONS_AT + index * CONNECTION.words;
export const recentAt = (index: number) => RECENTS_AT + index * RECENT.words;
export const exemplarsAt = (index: number) => EXEMPLARS_AT + index * EXEMPLARS.words;
export const boundsAt = (kind: HistogramKind) =>
  BOUNDS_AT + HISTOGRAM_KINDS.indexOf(kind) * BOUNDS.words;

/** Offset of a phase's histogram in a connection row. */
export const phaseAt = (phase: ConnectPhase) =>
  CONNECTION.phases + CONNECT_PHASES.indexOf(phase) * HISTOGRAM.words;

/** An empty ledger with the default bounds of histograms. */
export function createLedger(): SharedArrayBuffer {
  const ledger = new SharedArrayBuffer(LEDGER_BYTES);
  const cells = new Int32Array(ledger);
  for (const kind of HISTOGRAM_KINDS) {
    const bounds = DEFAULT_BOUNDS[kind];
    cells[boundsAt(kind) + BOUNDS.count] = bounds.length;
    cells.set(bounds, boundsAt(kind) + BOUNDS.micros);
  }
  return ledger;
}

export const WORD = 2 ** 32;

/** The 64-bit number in a low and a high cell. */
export function wide(low: number, high: number): number {
  return (high >>> 0) * WORD + (low >>> 0);
}

const REASON_BY_NUMBER = [undefined, ...REASONS];

/** The reason with this number; undefined for 0. */
export function reasonOf(number: number): DownReason | undefined {
  return REASON_BY_NUMBER[number];
}

/** 0 for none, otherwise 1 + index into REASONS. */
export function reasonNumber(reason: DownReason | undefined): number {
  return reason === undefined ? 0 : REASONS.indexOf(reason) + 1;
}

export function stateOf(cell: number): State {
  return STATES[cell] ?? 'unknown';
}
