import type { DestinationSlot, TargetSlot } from '../destination.js';
import {
  type DownReason,
  FAILURE_REASONS,
  type FailureReason,
  isLocalFailure,
} from '../outcome.js';
import { RESOLUTION_FAILURES, type ResolutionFailure } from '../resolution.js';
import type { State } from '../state.js';
import {
  bucketsOf,
  CONNECTION,
  type ConnectPhase,
  connectionAt,
  DESTINATION,
  destinationAt,
  GENERATION,
  LATENESS_BUCKETS_MICROS,
  PINGER,
  REASONS,
  RECENT,
  RECENT_PINGS,
  RTT_BUCKETS_MICROS,
  recentAt,
  stateOf,
  TARGET,
  targetAt,
  UDP_IO,
  type UdpIo,
  wide,
} from './layout.js';

/** Reads rows of the ledger, each as it was at one moment. */
export class LedgerReader {
  readonly #cells: Int32Array;
  /** Copies of rows are appended to pages; a page lives as long as its rows. */
  #page = new Int32Array(0);
  #used = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.#cells = new Int32Array(buffer);
  }

  /** Undefined if the row does not belong to this target. */
  target(slot: TargetSlot): TargetRow | undefined {
    const at = this.#copy(targetAt(slot.index), TARGET.words);
    return this.#isOf(slot, at) ? new TargetRow(this.#page, at) : undefined;
  }

  /** The counters that histories need, without a copy of the row. */
  totals(slot: TargetSlot): Totals | undefined {
    const row = targetAt(slot.index);
    const get = (cell: number) => Atomics.load(this.#cells, row + cell) >>> 0;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const version = get(TARGET.version);
      if (version % 2 !== 0) continue;
      const isSameOwner = get(TARGET.generation) === slot.generation;
      const alive = get(TARGET.alive);
      let pings = alive;
      for (let i = 0; i < FAILURE_REASONS.length; i++) {
        if (!isLocalFailure(FAILURE_REASONS[i])) pings += get(TARGET.failures + i);
      }
      let answers = 0;
      for (let i = 0; i <= RTT_BUCKETS_MICROS.length; i++) answers += get(TARGET.buckets + i);
      const sumMicros = wide(get(TARGET.rttSum), get(TARGET.rttSum + 1));
      if (get(TARGET.version) === version) {
        return isSameOwner ? { pings, alive, answers, sumMicros } : undefined;
      }
    }
    return undefined;
  }

  /** Undefined until a connection to this target was made. */
  connection(slot: TargetSlot): ConnectionRow | undefined {
    const at = this.#copy(connectionAt(slot.index), CONNECTION.words);
    return this.#isOf(slot, at) ? new ConnectionRow(this.#page, at) : undefined;
  }

  /** The target's last pings, newest first. */
  recents(slot: TargetSlot): readonly RecentPing[] {
    const at = this.#copy(recentAt(slot.index), RECENT.words);
    return this.#isOf(slot, at) ? recentPings(this.#page, at) : [];
  }

  /** Undefined if the row does not belong to this destination. */
  destination(slot: DestinationSlot): DestinationRow | undefined {
    const at = this.#copy(destinationAt(slot), DESTINATION.words);
    return this.#isOf(slot, at) ? new DestinationRow(this.#page, at) : undefined;
  }

  pinger(): PingerRow {
    const at = this.#copy(0, PINGER.words);
    return at < 0 ? new PingerRow(new Int32Array(PINGER.words), 0) : new PingerRow(this.#page, at);
  }

  #isOf(slot: DestinationSlot | TargetSlot, at: number): boolean {
    return at >= 0 && this.#page[at + GENERATION] === slot.generation;
  }

  /**
   * Copies a row to the page and returns where it begins; -1 if the writer crashed in the middle of the
   * row, until the next one unlocks it.
   */
  #copy(row: number, words: number): number {
    if (this.#used + words > this.#page.length) {
      this.#page = new Int32Array(PAGE_WORDS);
      this.#used = 0;
    }
    const at = this.#used;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const version = Atomics.load(this.#cells, row);
      if (version % 2 !== 0) continue;
      for (let i = 1; i < words; i++) this.#page[at + i] = Atomics.load(this.#cells, row + i);
      if (Atomics.load(this.#cells, row) !== version) continue;
      this.#used += words;
      return at;
    }
    return -1;
  }
}

const PAGE_WORDS = 16 * 1024;
/** The writer locks a row for well under a microsecond; this many tries take a few milliseconds. */
const MAX_TRIES = 100_000;

export interface Totals {
  /** Pings without local failures; those of them that were alive; those with a round-trip time. */
  readonly pings: number;
  readonly alive: number;
  readonly answers: number;
  /** Sum of the round-trip times. */
  readonly sumMicros: number;
}

export interface Histogram {
  /** Not cumulative. The last bucket has no upper bound. */
  readonly buckets: readonly number[];
  readonly sumMicros: number;
}

/** A copy of a row; getters read its cells. */
class Row {
  readonly #cells: Int32Array;
  readonly #at: number;

  /** @param at where in `cells` the row begins. */
  constructor(cells: Int32Array, at: number) {
    this.#cells = cells;
    this.#at = at;
  }

  protected count(cell: number): number {
    return (this.#cells[this.#at + cell] ?? 0) >>> 0;
  }
  protected counts(cell: number, length: number): number[] {
    return Array.from({ length }, (_, i) => this.count(cell + i));
  }
  protected wide(cell: number): number {
    return wide(this.count(cell), this.count(cell + 1));
  }
}

/** A target. Counters start at 0; times are wall-clock milliseconds, 0 for never. */
export class TargetRow extends Row {
  get state(): State {
    return stateOf(this.count(TARGET.state));
  }
  get sinceMs(): number {
    return this.wide(TARGET.since);
  }
  get lastPingMs(): number {
    return this.wide(TARGET.lastPing);
  }
  get lastUpMs(): number {
    return this.wide(TARGET.lastUp);
  }
  get lastDownMs(): number {
    return this.wide(TARGET.lastDown);
  }
  /** When a ping without a local failure last ended. */
  get lastSeenMs(): number {
    return Math.max(this.lastUpMs, this.lastDownMs);
  }
  /** Why the last ping failed; undefined if it did not. */
  get lastReason(): DownReason | undefined {
    return REASONS[this.count(TARGET.lastReason) - 1];
  }
  /** Status code of the last ping's answer; 0 if it had none. */
  get lastCode(): number {
    return this.count(TARGET.lastCode);
  }
  /** Of the last answered ping; 0 if there was none. */
  get lastRttMicros(): number {
    return this.count(TARGET.lastRtt);
  }
  get retransmissions(): number {
    return this.count(TARGET.retransmissions);
  }
  get lateResponses(): number {
    return this.count(TARGET.late);
  }
  /** 401 and 407 responses that were answered with credentials. */
  get challenges(): number {
    return this.count(TARGET.challenges);
  }
  /** Failovers to the next hop within a ping. */
  get failovers(): number {
    return this.count(TARGET.failovers);
  }
  /** Pings that ended: alive ones and failures. */
  get pings(): number {
    let pings = this.count(TARGET.alive);
    for (let i = 0; i < FAILURE_REASONS.length; i++) pings += this.count(TARGET.failures + i);
    return pings;
  }
  failures(reason: FailureReason): number {
    return this.count(TARGET.failures + FAILURE_REASONS.indexOf(reason));
  }
  get rtt(): Histogram {
    return {
      buckets: this.counts(TARGET.buckets, RTT_BUCKETS_MICROS.length + 1),
      sumMicros: this.wide(TARGET.rttSum),
    };
  }
  /** Final responses by status code; `other` for codes beyond `CODES_PER_TARGET`. */
  get responses(): readonly (readonly [code: string, count: number])[] {
    const responses: [string, number][] = [];
    for (let cell = TARGET.codes; cell < TARGET.otherCodes; cell += 2) {
      const code = this.count(cell);
      if (code !== 0) responses.push([String(code), this.count(cell + 1)]);
    }
    const other = this.count(TARGET.otherCodes);
    if (other !== 0) responses.push(['other', other]);
    return responses;
  }
}

/** One of a target's last pings. */
export interface RecentPing {
  /** When it ended: wall clock, milliseconds, rounded down to seconds. */
  readonly atMs: number;
  /** Undefined when it was alive. */
  readonly reason: DownReason | undefined;
  /** 0 if there was no answer. */
  readonly code: number;
  readonly rttMicros: number;
}

function recentPings(cells: Int32Array, at: number): readonly RecentPing[] {
  const get = (cell: number) => (cells[at + cell] ?? 0) >>> 0;
  const count = get(RECENT.count);
  return Array.from({ length: Math.min(count, RECENT_PINGS) }, (_, i) => {
    const ping = RECENT.pings + 3 * ((count - 1 - i) % RECENT_PINGS);
    const outcome = get(ping + 1);
    return {
      atMs: 1000 * get(ping),
      reason: REASONS[Math.floor(outcome / 1024) - 1],
      code: outcome % 1024,
      rttMicros: get(ping + 2),
    };
  });
}

/** Connections to a target. */
export class ConnectionRow extends Row {
  /** Durations of one phase. */
  phase(phase: ConnectPhase): Histogram {
    const first = bucketsOf(phase);
    const length = RTT_BUCKETS_MICROS.length + 1;
    return { buckets: this.counts(first, length), sumMicros: this.wide(first + length) };
  }
}

/** A destination. Times are wall-clock milliseconds, 0 for never. */
export class DestinationRow extends Row {
  get state(): State {
    return stateOf(this.count(DESTINATION.state));
  }
  get sinceMs(): number {
    return this.wide(DESTINATION.since);
  }
  get changes(): number {
    return this.count(DESTINATION.changes);
  }
  /** Why it is down. */
  get reason(): DownReason | undefined {
    return REASONS[this.count(DESTINATION.lastReason) - 1];
  }
  resolutionFailures(reason: ResolutionFailure): number {
    return this.count(DESTINATION.resolutionFailures + RESOLUTION_FAILURES.indexOf(reason));
  }
  get resolutionChanges(): number {
    return this.count(DESTINATION.resolutionChanges);
  }
  get lastResolutionMs(): number {
    return this.wide(DESTINATION.lastResolution);
  }
  /** When DNS last answered for the name, even if without an address. */
  get lastLookupMs(): number {
    return this.wide(DESTINATION.lastLookup);
  }
  get isStale(): boolean {
    return this.count(DESTINATION.isStale) === 1;
  }
  get targetsTruncated(): number {
    return this.count(DESTINATION.targetsTruncated);
  }
}

/** The pinger itself. */
export class PingerRow {
  readonly heartbeat: number;
  readonly inFlight: number;
  readonly unmatched: number;
  readonly natKeepalives: number;
  readonly udpRebinds: number;
  /** Undefined until the thread has decided. */
  readonly udpIo: UdpIo | undefined;
  readonly udpDropped: number;
  readonly udpUnstamped: number;
  readonly stalls: number;
  /** Internal errors. */
  readonly faults: number;
  /** Consecutive pings, of any targets, with the reason `local`. */
  readonly localRun: number;
  /** Index of the row that the thread works for; undefined for none. */
  readonly currentTarget: number | undefined;
  readonly currentDestination: number | undefined;
  readonly lateness: Histogram;
  readonly resolutions: Histogram;
  readonly lookupsInFlight: number;
  readonly lookupsWaiting: number;
  readonly lookupsShed: number;
  readonly recordsCut: number;

  /** @param at where in `cells` the row begins. */
  constructor(cells: Int32Array, at: number) {
    const count = (cell: number) => (cells[at + cell] ?? 0) >>> 0;
    this.heartbeat = count(PINGER.heartbeat);
    this.inFlight = count(PINGER.inFlight);
    this.unmatched = count(PINGER.unmatched);
    this.natKeepalives = count(PINGER.natKeepalives);
    this.udpRebinds = count(PINGER.udpRebinds);
    this.udpIo = UDP_IO[count(PINGER.udpIo) - 1];
    this.udpDropped = count(PINGER.udpDropped);
    this.udpUnstamped = count(PINGER.udpUnstamped);
    this.stalls = count(PINGER.stalls);
    this.faults = count(PINGER.faults);
    this.localRun = count(PINGER.localRun);
    const indexIn = (cell: number) => (count(cell) === 0 ? undefined : count(cell) - 1);
    this.currentTarget = indexIn(PINGER.currentTarget);
    this.currentDestination = indexIn(PINGER.currentDestination);
    this.lookupsInFlight = count(PINGER.lookupsInFlight);
    this.lookupsWaiting = count(PINGER.lookupsWaiting);
    this.lookupsShed = count(PINGER.lookupsShed);
    this.recordsCut = count(PINGER.recordsCut);
    this.lateness = {
      buckets: LATENESS_BUCKETS_MICROS.concat(0).map((_, i) => count(PINGER.lateness + i)),
      sumMicros: wide(count(PINGER.latenessSum), count(PINGER.latenessSum + 1)),
    };
    this.resolutions = {
      buckets: RTT_BUCKETS_MICROS.concat(0).map((_, i) => count(PINGER.resolutions + i)),
      sumMicros: wide(count(PINGER.resolutionsSum), count(PINGER.resolutionsSum + 1)),
    };
  }
}
