/**
 * The ledger: every number that the pinger finds out, in shared memory.
 *
 * One thread writes ({@link LedgerWriter}), any thread reads ({@link LedgerReader}). All cells are
 * 32-bit integers and every access is atomic, so nothing is ever torn; each row is guarded by a
 * sequence lock (odd while it is being written), so a reader gets a row as it was at one moment or
 * not at all. What can be derived is not stored: a histogram's count is the sum of its buckets, the
 * pings of a target are the sum of its outcomes.
 */

import type { DestinationSlot } from '../destination.js';
import { type DownReason, FAILURE_REASONS } from '../outcome.js';
import { RESOLUTION_FAILURES } from '../resolution.js';
import { STATES, type State } from '../state.js';

/** Upper bounds of the round-trip histogram, in microseconds; one more bucket holds the rest. */
export const RTT_BUCKETS_MICROS: readonly number[] = [
  500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
  5_000_000,
];
/** Upper bounds of the lateness histogram, in microseconds; one more bucket holds the rest. */
export const LATENESS_BUCKETS_MICROS: readonly number[] = [
  500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
];
/** How many different status codes a target's answers are told apart by; the rest is `other`. */
export const CODES_PER_TARGET = 8;

/** How many destinations, and how many targets, a ledger holds. A page costs memory once used. */
export const LEDGER_CAPACITY = 1 << 17;

export const REASONS: readonly DownReason[] = [...FAILURE_REASONS, 'resolution'];

/** Hands out consecutive cells of a row. */
function layout() {
  let next = 0;
  return (cells = 1): number => {
    next += cells;
    return next - cells;
  };
}

const t = layout();
export const TARGET = {
  version: t(),
  generation: t(),
  state: t(),
  run: t(),
  since: t(2),
  lastPing: t(2),
  lastUp: t(2),
  lastDown: t(2),
  /** 0 none, else 1 + index into REASONS, of the last ping. */
  lastReason: t(),
  /** The same, of the last ping that said something of the peer. */
  peerReason: t(),
  lastCode: t(),
  lastRtt: t(),
  retransmissions: t(),
  late: t(),
  challenges: t(),
  failovers: t(),
  alive: t(),
  failures: t(FAILURE_REASONS.length),
  buckets: t(RTT_BUCKETS_MICROS.length + 1),
  rttSum: t(2),
  codes: t(2 * CODES_PER_TARGET),
  otherCodes: t(),
  words: t(0),
} as const;

/** How a connection comes about, in the order of the ledger's cells. */
export const CONNECT_PHASES = ['connect', 'tls'] as const;
export type ConnectPhase = (typeof CONNECT_PHASES)[number];

const c = layout();
/** Beside the row of a target that is reached by connections; others never touch theirs. */
export const CONNECTION = {
  version: c(),
  generation: c(),
  /** For each phase the buckets of the round-trip histogram and, low and high, their sum. */
  phases: c(CONNECT_PHASES.length * (RTT_BUCKETS_MICROS.length + 3)),
  words: c(0),
} as const;

/** How many of a target's last pings are kept one by one. */
export const RECENT_PINGS = 10;
const r = layout();
/** Beside the row of a target: its last pings, for people. A ring of time, reason with code, and time it took. */
export const RECENT = {
  version: r(),
  generation: r(),
  /** Pings that were ever put here. */
  count: r(),
  /** Each: seconds since 1970; 1 + index into REASONS or 0, times 1024, plus the status code; RTT. */
  pings: r(3 * RECENT_PINGS),
  words: r(0),
} as const;

const d = layout();
export const DESTINATION = {
  version: d(),
  generation: d(),
  state: d(),
  since: d(2),
  changes: d(),
  lastReason: d(),
  resolutionFailures: d(RESOLUTION_FAILURES.length),
  resolutionChanges: d(),
  lastResolution: d(2),
  /** When a look-up of the name last said something, be it that there is no address. */
  lastLookup: d(2),
  /** 1 while the name's last look-up failed and an earlier answer is in use. */
  isStale: d(),
  /** Addresses that are not pinged because there are too many. */
  targetsTruncated: d(),
  words: d(0),
} as const;

const p = layout();
export const PINGER = {
  version: p(),
  heartbeat: p(),
  inFlight: p(),
  unmatched: p(),
  natKeepalives: p(),
  udpRebinds: p(),
  stalls: p(),
  /** Faults of our own that ended a piece of work. */
  faults: p(),
  /** Pings in a row, of whatever target, that failed by a fault of our own. */
  localRun: p(),
  /** What the thread is busy with, 0 for nothing, else 1 + index of its row: told should it die. */
  targetInHand: p(),
  destinationInHand: p(),
  lateness: p(LATENESS_BUCKETS_MICROS.length + 1),
  latenessSum: p(2),
  /** Buckets of the round-trip histogram: how long look-ups took. */
  resolutions: p(RTT_BUCKETS_MICROS.length + 1),
  resolutionsSum: p(2),
  /** Look-ups in the DNS: under way, waiting for a turn, and those that too many waited for. */
  lookupsInFlight: p(),
  lookupsWaiting: p(),
  lookupsShed: p(),
  /** Records of DNS answers that are not followed, because there are too many. */
  recordsCut: p(),
  /** Rows of targets that were ever used. */
  targetsUsed: p(),
  words: p(0),
} as const;

/** In rows of all kinds alike. */
export const GENERATION = TARGET.generation;
export const DESTINATIONS_AT = PINGER.words;
export const TARGETS_AT = DESTINATIONS_AT + LEDGER_CAPACITY * DESTINATION.words;
export const CONNECTIONS_AT = TARGETS_AT + LEDGER_CAPACITY * TARGET.words;
export const RECENTS_AT = CONNECTIONS_AT + LEDGER_CAPACITY * CONNECTION.words;
const LEDGER_BYTES = 4 * (RECENTS_AT + LEDGER_CAPACITY * RECENT.words);

export const destinationAt = (slot: DestinationSlot) =>
  DESTINATIONS_AT + slot.index * DESTINATION.words;
export const targetAt = (index: number) => TARGETS_AT + index * TARGET.words;
export const connectionAt = (index: number) => CONNECTIONS_AT + index * CONNECTION.words;

export const recentAt = (index: number) => RECENTS_AT + index * RECENT.words;

/** Where in a connection's row the buckets of a phase begin; the sum is behind them. */
export const bucketsOf = (phase: ConnectPhase) =>
  CONNECTION.phases + CONNECT_PHASES.indexOf(phase) * (RTT_BUCKETS_MICROS.length + 3);

/** A ledger with nothing in it. */
export function createLedger(): SharedArrayBuffer {
  return new SharedArrayBuffer(LEDGER_BYTES);
}

export const WORD = 2 ** 32;

/** A 64-bit number that is kept as a low and a high cell. */
export function wide(low: number, high: number): number {
  return (high >>> 0) * WORD + (low >>> 0);
}

export function stateOf(cell: number): State {
  return STATES[cell] ?? 'unknown';
}
