/** Copies of rows of the ledger. */

import { type DownReason, FAILURE_REASONS, type FailureReason } from '../outcome.js';
import { RESOLUTION_FAILURES, type ResolutionFailure } from '../resolution.js';
import type { State } from '../state.js';
import { type Bounds, Histogram } from './histogram.js';
import { HISTOGRAM, histogramWords } from './histogram-layout.js';
import {
  CONNECT_PHASES,
  CONNECTION,
  type ConnectPhase,
  DESTINATION,
  reasonOf,
  stateOf,
  TARGET,
  wide,
} from './layout.js';
import { type Troubles, troublesOf } from './troubles.js';

/** A copy of a row; getters read its cells. */
class Row {
  readonly #cells: Int32Array;
  readonly #at: number;

  /** @param at offset of the row in `cells`. */
  constructor(cells: Int32Array, at: number) {
    this.#cells = cells;
    this.#at = at;
  }

  protected count(cell: number): number {
    return (this.#cells[this.#at + cell] ?? 0) >>> 0;
  }
  protected wide(cell: number): number {
    return wide(this.count(cell), this.count(cell + 1));
  }
  protected histogram(cell: number, bounds: Bounds): Histogram {
    return new Histogram(this.#cells, this.#at + cell, bounds);
  }
}

/** What a target's last pings showed. Times are wall-clock milliseconds, 0 for never. */
export class TargetResults extends Row {
  get state(): State {
    return stateOf(this.count(TARGET.state));
  }
  get lastUpMs(): number {
    return this.wide(TARGET.lastUp);
  }
  get lastDownMs(): number {
    return this.wide(TARGET.lastDown);
  }
  /** Time of the last ping without a local failure. */
  get lastSeenMs(): number {
    return Math.max(this.lastUpMs, this.lastDownMs);
  }
  /** Why the last ping failed; undefined if it did not. */
  get lastReason(): DownReason | undefined {
    return reasonOf(this.count(TARGET.lastReason));
  }
  /** Status code of the last ping's response; 0 without one. */
  get lastCode(): number {
    return this.count(TARGET.lastCode);
  }
  /** Round-trip time of the last answered ping; 0 without one. */
  get lastRttMicros(): number {
    return this.count(TARGET.lastRtt);
  }
  /** What was wrong with the last ten pings; undefined unless it makes the target degraded. */
  get troubles(): Troubles | undefined {
    return troublesOf(this.count(TARGET.troubles), this.count(TARGET.troubles + 1));
  }
}

/** A target. Counters start at 0; times are wall-clock milliseconds, 0 for never. */
export class TargetRow extends TargetResults {
  readonly #bounds: Bounds;

  constructor(cells: Int32Array, at: number, bounds: Bounds) {
    super(cells, at);
    this.#bounds = bounds;
  }

  /** Time at which the counters began to count. */
  get createdMs(): number {
    return this.wide(TARGET.created);
  }
  get sinceMs(): number {
    return this.wide(TARGET.since);
  }
  get lastPingMs(): number {
    return this.wide(TARGET.lastPing);
  }
  get retransmissions(): number {
    return this.count(TARGET.retransmissions);
  }
  get lateResponses(): number {
    return this.count(TARGET.late);
  }
  /** Number of 401 and 407 responses that were answered with credentials. */
  get challenges(): number {
    return this.count(TARGET.challenges);
  }
  /** Number of failovers to the next hop within a ping. */
  get failovers(): number {
    return this.count(TARGET.failovers);
  }
  /** Number of ended pings, alive and failed. */
  get pings(): number {
    let pings = this.count(TARGET.alive);
    for (let i = 0; i < FAILURE_REASONS.length; i++) pings += this.count(TARGET.failures + i);
    return pings;
  }
  failures(reason: FailureReason): number {
    return this.count(TARGET.failures + FAILURE_REASONS.indexOf(reason));
  }
  get rtt(): Histogram {
    return this.histogram(TARGET.rtt, this.#bounds);
  }
  /** Number of final responses by status code; `other` for codes beyond `CODES_PER_TARGET`. */
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

/** Connections to a target. */
export class ConnectionRow extends Row {
  readonly #bounds: Bounds;

  constructor(cells: Int32Array, at: number, bounds: Bounds) {
    super(cells, at);
    this.#bounds = bounds;
  }

  /** Durations of one phase. */
  phase(phase: ConnectPhase): Histogram {
    let at: number = CONNECTION.phases;
    for (let i = CONNECT_PHASES.indexOf(phase); i > 0; i--) {
      at += histogramWords(this.count(at + HISTOGRAM.used));
    }
    return this.histogram(at, this.#bounds);
  }
}

/** What a destination's targets showed. Times are wall-clock milliseconds, 0 for never. */
export class DestinationVerdict extends Row {
  get state(): State {
    return stateOf(this.count(DESTINATION.state));
  }
  get sinceMs(): number {
    return this.wide(DESTINATION.since);
  }
  /** Why the destination is down. */
  get reason(): DownReason | undefined {
    return reasonOf(this.count(DESTINATION.lastReason));
  }
  /** Time of the last DNS answer for the name, including answers without an address. */
  get lastLookupMs(): number {
    return this.wide(DESTINATION.lastLookup);
  }
}

/** A destination. Times are wall-clock milliseconds, 0 for never. */
export class DestinationRow extends DestinationVerdict {
  /** Time at which the counters began to count. */
  get createdMs(): number {
    return this.wide(DESTINATION.created);
  }
  get changes(): number {
    return this.count(DESTINATION.changes);
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
  get isStale(): boolean {
    return this.count(DESTINATION.isStale) === 1;
  }
  get targetsTruncated(): number {
    return this.count(DESTINATION.targetsTruncated);
  }
}
