/**
 * The ledger: every number that the pinger finds out, in shared memory.
 *
 * One thread writes ({@link LedgerWriter}), any thread reads ({@link LedgerReader}). All cells are
 * 32-bit integers and every access is atomic, so nothing is ever torn; each row is guarded by a
 * sequence lock (odd while it is being written), so a reader gets a row as it was at one moment or
 * not at all. What can be derived is not stored: a histogram's count is the sum of its buckets, the
 * pings of a target are the sum of its outcomes.
 */

import type { DestinationSlot, TargetSlot } from './destination.js';
import { type DownReason, FAILURE_REASONS, type FailureReason } from './outcome.js';
import { STATES, type State, type Verdict } from './state.js';

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

const REASONS: readonly DownReason[] = [...FAILURE_REASONS, 'resolution'];

/** Hands out consecutive cells of a row. */
function layout() {
  let next = 0;
  return (cells = 1): number => {
    next += cells;
    return next - cells;
  };
}

const t = layout();
const TARGET = {
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
  lastCode: t(),
  lastRtt: t(),
  retransmissions: t(),
  late: t(),
  alive: t(),
  failures: t(FAILURE_REASONS.length),
  buckets: t(RTT_BUCKETS_MICROS.length + 1),
  rttSum: t(2),
  codes: t(2 * CODES_PER_TARGET),
  otherCodes: t(),
  words: t(0),
} as const;

const d = layout();
const DESTINATION = {
  version: d(),
  generation: d(),
  state: d(),
  since: d(2),
  changes: d(),
  resolutionFailures: d(),
  lastReason: d(),
  words: d(0),
} as const;

const p = layout();
const PINGER = {
  version: p(),
  heartbeat: p(),
  inFlight: p(),
  unmatched: p(),
  lateness: p(LATENESS_BUCKETS_MICROS.length + 1),
  latenessSum: p(2),
  /** Rows of targets that were ever used. */
  targetsUsed: p(),
  words: p(0),
} as const;

/** In rows of destinations and targets alike. */
const GENERATION = TARGET.generation;
const DESTINATIONS_AT = PINGER.words;
const TARGETS_AT = DESTINATIONS_AT + LEDGER_CAPACITY * DESTINATION.words;
const LEDGER_BYTES = 4 * (TARGETS_AT + LEDGER_CAPACITY * TARGET.words);

const destinationAt = (slot: DestinationSlot) => DESTINATIONS_AT + slot.index * DESTINATION.words;
const targetAt = (index: number) => TARGETS_AT + index * TARGET.words;

/** A ledger with nothing in it. */
export function createLedger(): SharedArrayBuffer {
  return new SharedArrayBuffer(LEDGER_BYTES);
}

/** One finished ping, as the ledger takes it. */
export interface PingRecord {
  /** Undefined when the ping was alive. */
  readonly reason: FailureReason | undefined;
  /** Status code of the answer; undefined when there was none. */
  readonly code: number | undefined;
  /** Undefined when there was no answer. */
  readonly rttMicros: number | undefined;
  readonly retransmissions: number;
  readonly verdict: Verdict;
  /** Wall clock, milliseconds. */
  readonly endedAtMs: number;
}

/** The pinger's side. There is one writer at a time. */
export class LedgerWriter {
  readonly #cells: Int32Array;

  /** Takes over a ledger, mending the rows that a writer which crashed left half-written. */
  constructor(buffer: SharedArrayBuffer) {
    this.#cells = new Int32Array(buffer);
    const rows = [0];
    for (let i = 0; i < LEDGER_CAPACITY; i++) rows.push(DESTINATIONS_AT + i * DESTINATION.words);
    for (let i = 0; i < this.targetsUsed; i++) rows.push(targetAt(i));
    for (const row of rows) if (this.#get(row) % 2 !== 0) this.#add(row, 1);
    this.#set(PINGER.inFlight, 0);
  }

  get targetsUsed(): number {
    return this.#get(PINGER.targetsUsed);
  }

  /** Gives the row `index` to a new target. */
  openTarget(index: number): TargetSlot {
    const row = targetAt(index);
    const generation = this.#get(row + TARGET.generation) + 1;
    this.#clear(row, TARGET.words, generation);
    if (index >= this.targetsUsed) this.#set(PINGER.targetsUsed, index + 1);
    return { index, generation };
  }

  /** Makes the destination's row ready, keeping what it holds when the tenant is the same. */
  openDestination(slot: DestinationSlot): void {
    const row = destinationAt(slot);
    if (this.#get(row + DESTINATION.generation) === slot.generation) return;
    this.#clear(row, DESTINATION.words, slot.generation);
  }

  verdictOf(slot: TargetSlot): Verdict {
    const row = targetAt(slot.index);
    return { state: stateOf(this.#get(row + TARGET.state)), run: this.#get(row + TARGET.run) };
  }

  stateOf(slot: DestinationSlot): State {
    return stateOf(this.#get(destinationAt(slot) + DESTINATION.state));
  }

  recordPing(slot: TargetSlot, ping: PingRecord): void {
    const row = targetAt(slot.index);
    const isChange = stateOf(this.#get(row + TARGET.state)) !== ping.verdict.state;
    this.#add(row, 1);
    if (isChange) this.#setTime(row + TARGET.since, ping.endedAtMs);
    this.#set(row + TARGET.state, STATES.indexOf(ping.verdict.state));
    this.#set(row + TARGET.run, ping.verdict.run);
    this.#setTime(row + TARGET.lastPing, ping.endedAtMs);
    this.#setTime(
      row + (ping.reason === undefined ? TARGET.lastUp : TARGET.lastDown),
      ping.endedAtMs,
    );
    this.#set(row + TARGET.lastReason, reasonNumber(ping.reason));
    this.#set(row + TARGET.lastCode, ping.code ?? 0);
    this.#add(row + TARGET.retransmissions, ping.retransmissions);
    if (ping.reason === undefined) this.#add(row + TARGET.alive, 1);
    else this.#add(row + TARGET.failures + FAILURE_REASONS.indexOf(ping.reason), 1);
    if (ping.rttMicros !== undefined) this.#recordRtt(row, ping.rttMicros);
    if (ping.code !== undefined) this.#add(this.#codeCell(row, ping.code), 1);
    this.#add(row, 1);
  }

  recordLateResponse(slot: TargetSlot): void {
    this.#add(targetAt(slot.index) + TARGET.late, 1);
  }

  /** A destination's verdict; an equal one changes nothing. */
  recordVerdict(
    slot: DestinationSlot,
    state: State,
    reason: DownReason | undefined,
    atMs: number,
  ): void {
    const row = destinationAt(slot);
    const before = stateOf(this.#get(row + DESTINATION.state));
    const number = reasonNumber(reason);
    if (before === state && this.#get(row + DESTINATION.lastReason) === number) return;
    this.#add(row, 1);
    this.#set(row + DESTINATION.lastReason, number);
    if (before !== state) {
      this.#set(row + DESTINATION.state, STATES.indexOf(state));
      this.#setTime(row + DESTINATION.since, atMs);
      if (before !== 'unknown' && state !== 'unknown') this.#add(row + DESTINATION.changes, 1);
    }
    this.#add(row, 1);
  }

  recordResolutionFailure(slot: DestinationSlot): void {
    this.#add(destinationAt(slot) + DESTINATION.resolutionFailures, 1);
  }

  recordLateness(micros: number): void {
    this.#add(PINGER.version, 1);
    this.#add(PINGER.lateness + bucketOf(LATENESS_BUCKETS_MICROS, micros), 1);
    this.#addWide(PINGER.latenessSum, micros);
    this.#add(PINGER.version, 1);
  }

  recordUnmatched(): void {
    this.#add(PINGER.unmatched, 1);
  }

  addInFlight(change: 1 | -1): void {
    this.#add(PINGER.inFlight, change);
  }

  beat(): void {
    this.#add(PINGER.heartbeat, 1);
  }

  #recordRtt(row: number, micros: number): void {
    this.#set(row + TARGET.lastRtt, micros);
    this.#add(row + TARGET.buckets + bucketOf(RTT_BUCKETS_MICROS, micros), 1);
    this.#addWide(row + TARGET.rttSum, micros);
  }

  #codeCell(row: number, code: number): number {
    const first = row + TARGET.codes;
    for (let cell = first; cell < first + 2 * CODES_PER_TARGET; cell += 2) {
      if (this.#get(cell) === 0) this.#set(cell, code);
      if (this.#get(cell) === code) return cell + 1;
    }
    return row + TARGET.otherCodes;
  }

  #clear(row: number, words: number, generation: number): void {
    this.#add(row, 1);
    for (let cell = row + 1; cell < row + words; cell++) this.#set(cell, 0);
    this.#set(row + GENERATION, generation);
    this.#add(row, 1);
  }

  #get(cell: number): number {
    return Atomics.load(this.#cells, cell);
  }

  #set(cell: number, value: number): void {
    Atomics.store(this.#cells, cell, value);
  }

  #add(cell: number, value: number): void {
    Atomics.add(this.#cells, cell, value);
  }

  /** Adds to a 64-bit number kept as a low and a high cell. */
  #addWide(cell: number, value: number): void {
    const sum = wide(this.#get(cell), this.#get(cell + 1)) + value;
    this.#set(cell, sum % WORD);
    this.#set(cell + 1, Math.floor(sum / WORD));
  }

  /** Wall-clock milliseconds as a low and a high cell. */
  #setTime(cell: number, ms: number): void {
    this.#set(cell, Math.round(ms) % WORD);
    this.#set(cell + 1, Math.floor(Math.round(ms) / WORD));
  }
}

/** Rows as they were at one moment, each by itself. */
export class LedgerReader {
  readonly #cells: Int32Array;
  /** Copies of rows are laid out one after the other in pages, which live as long as their rows. */
  #page = new Int32Array(0);
  #used = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.#cells = new Int32Array(buffer);
  }

  /** Undefined while the row is not (or no longer) this target's. */
  target(slot: TargetSlot): TargetRow | undefined {
    const at = this.#copy(targetAt(slot.index), TARGET.words);
    return this.#isOf(slot, at) ? new TargetRow(this.#page, at) : undefined;
  }

  /** Undefined while the row is not (or no longer) this destination's. */
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
   * Where in the page the copy of the row begins; -1 when the writer stopped in the middle of the
   * row, until another mends it.
   */
  #copy(row: number, words: number): number {
    if (this.#used + words > this.#page.length) {
      this.#page = new Int32Array(PAGE_WORDS);
      this.#used = 0;
    }
    const at = this.#used;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
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
/** A writer holds a row for well under a microsecond; this is a few milliseconds of trying. */
const MOST_TRIES = 100_000;

export interface Histogram {
  /** Not cumulative; the last bucket has no upper bound. */
  readonly buckets: readonly number[];
  readonly sumMicros: number;
}

/** What is known of a target. Counters start at 0; times are wall-clock ms, 0 for never. */
export class TargetRow {
  readonly #cells: Int32Array;
  readonly #at: number;

  /** @param at where in `cells` the row begins. */
  constructor(cells: Int32Array, at: number) {
    this.#cells = cells;
    this.#at = at;
  }

  get state(): State {
    return stateOf(this.#count(TARGET.state));
  }
  get sinceMs(): number {
    return this.#time(TARGET.since);
  }
  get lastPingMs(): number {
    return this.#time(TARGET.lastPing);
  }
  get lastUpMs(): number {
    return this.#time(TARGET.lastUp);
  }
  get lastDownMs(): number {
    return this.#time(TARGET.lastDown);
  }
  /** Why the last ping failed; undefined when it did not. */
  get lastReason(): DownReason | undefined {
    return REASONS[this.#count(TARGET.lastReason) - 1];
  }
  /** Status code of the last ping's answer, 0 when it had none. */
  get lastCode(): number {
    return this.#count(TARGET.lastCode);
  }
  /** Of the last answered ping; 0 when none was. */
  get lastRttMicros(): number {
    return this.#count(TARGET.lastRtt);
  }
  get retransmissions(): number {
    return this.#count(TARGET.retransmissions);
  }
  get lateResponses(): number {
    return this.#count(TARGET.late);
  }
  /** Pings that ended: the alive ones and every failure. */
  get pings(): number {
    let pings = this.#count(TARGET.alive);
    for (let i = 0; i < FAILURE_REASONS.length; i++) pings += this.#count(TARGET.failures + i);
    return pings;
  }
  failures(reason: FailureReason): number {
    return this.#count(TARGET.failures + FAILURE_REASONS.indexOf(reason));
  }
  get rtt(): Histogram {
    return {
      buckets: this.#counts(TARGET.buckets, RTT_BUCKETS_MICROS.length + 1),
      sumMicros: wide(this.#count(TARGET.rttSum), this.#count(TARGET.rttSum + 1)),
    };
  }
  /** Final answers by status code, `other` for codes past the first few different ones. */
  get responses(): readonly (readonly [code: string, count: number])[] {
    const responses: [string, number][] = [];
    for (let cell = TARGET.codes; cell < TARGET.otherCodes; cell += 2) {
      const code = this.#count(cell);
      if (code !== 0) responses.push([String(code), this.#count(cell + 1)]);
    }
    const other = this.#count(TARGET.otherCodes);
    if (other !== 0) responses.push(['other', other]);
    return responses;
  }

  #count(cell: number): number {
    return (this.#cells[this.#at + cell] ?? 0) >>> 0;
  }
  #counts(cell: number, length: number): number[] {
    return Array.from({ length }, (_, i) => this.#count(cell + i));
  }
  #time(cell: number): number {
    return wide(this.#count(cell), this.#count(cell + 1));
  }
}

/** What is known of a destination. Times are wall-clock ms, 0 for never. */
export class DestinationRow {
  readonly state: State;
  readonly sinceMs: number;
  readonly changes: number;
  readonly resolutionFailures: number;
  readonly reason: DownReason | undefined;

  /** @param at where in `cells` the row begins. */
  constructor(cells: Int32Array, at: number) {
    const count = (cell: number) => (cells[at + cell] ?? 0) >>> 0;
    this.state = stateOf(count(DESTINATION.state));
    this.sinceMs = wide(count(DESTINATION.since), count(DESTINATION.since + 1));
    this.changes = count(DESTINATION.changes);
    this.resolutionFailures = count(DESTINATION.resolutionFailures);
    this.reason = REASONS[count(DESTINATION.lastReason) - 1];
  }
}

/** What is known of the pinger itself. */
export class PingerRow {
  readonly heartbeat: number;
  readonly inFlight: number;
  readonly unmatched: number;
  readonly lateness: Histogram;

  /** @param at where in `cells` the row begins. */
  constructor(cells: Int32Array, at: number) {
    const count = (cell: number) => (cells[at + cell] ?? 0) >>> 0;
    this.heartbeat = count(PINGER.heartbeat);
    this.inFlight = count(PINGER.inFlight);
    this.unmatched = count(PINGER.unmatched);
    this.lateness = {
      buckets: LATENESS_BUCKETS_MICROS.concat(0).map((_, i) => count(PINGER.lateness + i)),
      sumMicros: wide(count(PINGER.latenessSum), count(PINGER.latenessSum + 1)),
    };
  }
}

const WORD = 2 ** 32;

function wide(low: number, high: number): number {
  return (high >>> 0) * WORD + (low >>> 0);
}

/** The first bucket whose upper bound is not below the value (`le`, as Prometheus counts). */
function bucketOf(bounds: readonly number[], micros: number): number {
  let bucket = 0;
  while (bucket < bounds.length && micros > (bounds[bucket] ?? 0)) bucket++;
  return bucket;
}

function stateOf(cell: number): State {
  return STATES[cell] ?? 'unknown';
}

function reasonNumber(reason: DownReason | undefined): number {
  return reason === undefined ? 0 : REASONS.indexOf(reason) + 1;
}
