/** The exemplars of a target, as a reader sees them. */

import { FAILURE_REASONS, type FailureReason } from '../outcome.js';
import { EXEMPLAR, EXEMPLARS, FAILURE_EXEMPLARS, RTT_EXEMPLARS, wide } from './layout.js';

/** One ping as an example of those in a series. */
export interface Exemplar {
  /** Of its last request. */
  readonly callId: string;
  /** Status code of a failed ping's response; 0 without one. */
  readonly code: number;
  /** Seconds of a round trip, or 1 for a failure. */
  readonly value: number;
  /** When the ping ended: wall clock, milliseconds. */
  readonly atMs: number;
}

/** A copy of a row. */
export class Exemplars {
  readonly #cells: Int32Array;
  readonly #at: number;

  /** @param at where in `cells` the row begins. */
  constructor(cells: Int32Array, at: number) {
    this.#cells = cells;
    this.#at = at + EXEMPLARS.exemplars;
  }

  /** The newest one with a round-trip time over `fromMicros` and up to `toMicros`. */
  ofRtt(fromMicros: number, toMicros: number): Exemplar | undefined {
    let newest = -1;
    for (let i = 0; i < RTT_EXEMPLARS; i++) {
      if (this.#atMs(i) === 0) continue;
      const micros = this.#cell(i, EXEMPLAR.value);
      const isOutside = (micros <= fromMicros && fromMicros > 0) || micros > toMicros;
      if (!isOutside && (newest < 0 || this.#atMs(i) > this.#atMs(newest))) newest = i;
    }
    if (newest < 0) return undefined;
    return { ...this.#read(newest), value: this.#cell(newest, EXEMPLAR.value) / 1e6 };
  }

  /** Of all round-trip times, the oldest first. */
  get ofRtts(): readonly Exemplar[] {
    return Array.from({ length: RTT_EXEMPLARS }, (_, i) => i)
      .filter((i) => this.#atMs(i) > 0)
      .sort((a, b) => this.#atMs(a) - this.#atMs(b))
      .map((i) => ({ ...this.#read(i), value: this.#cell(i, EXEMPLAR.value) / 1e6 }));
  }

  ofFailure(reason: FailureReason): Exemplar | undefined {
    const key = 1 + FAILURE_REASONS.indexOf(reason);
    for (let i = RTT_EXEMPLARS; i < RTT_EXEMPLARS + FAILURE_EXEMPLARS; i++) {
      if ((this.#cell(i, EXEMPLAR.meta) & 0xff) !== key) continue;
      return { ...this.#read(i), code: this.#cell(i, EXEMPLAR.value), value: 1 };
    }
    return undefined;
  }

  #read(exemplar: number) {
    let callId = '';
    for (let i = 0; i < 4; i++) callId += hexOf(this.#cell(exemplar, EXEMPLAR.callId + i));
    return { callId, code: 0, atMs: this.#atMs(exemplar) };
  }

  #atMs(exemplar: number): number {
    return wide(this.#cell(exemplar, EXEMPLAR.time), this.#cell(exemplar, EXEMPLAR.meta) >>> 8);
  }

  #cell(exemplar: number, cell: number): number {
    return (this.#cells[this.#at + exemplar * EXEMPLAR.words + cell] ?? 0) >>> 0;
  }
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Eight hex digits. */
function hexOf(word: number): string {
  return `${HEX[word >>> 24]}${HEX[(word >>> 16) & 255]}${HEX[(word >>> 8) & 255]}${HEX[word & 255]}`;
}
