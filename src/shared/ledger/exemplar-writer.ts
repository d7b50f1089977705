/** Keeps a few pings of each target as examples of the series that they count in. */

import { FAILURE_REASONS, type FailureReason } from '../outcome.js';
import type { Cells } from './cells.js';
import { bucketOf } from './histogram-writer.js';
import {
  EXEMPLAR,
  EXEMPLARS,
  exemplarsAt,
  FAILURE_EXEMPLARS,
  RTT_EXEMPLARS,
  WORD,
} from './layout.js';

/** Where the Call-ID of a ping is. */
export interface CallId {
  readonly bytes: Uint8Array;
  /** Where its 32 hex digits begin. */
  readonly callIdAt: number;
}

/** A series has a new exemplar no more often. */
const MIN_AGE_MS = 60_000;
/** Hex digits per cell. */
const DIGITS = 8;

export class ExemplarWriter {
  readonly #cells: Cells;

  constructor(cells: Cells) {
    this.#cells = cells;
  }

  /** An answered ping, for the classic bucket that its round-trip time falls into. */
  recordRtt(
    row: Row,
    micros: number,
    call: CallId,
    atMs: number,
    boundsMicros: readonly number[],
  ): void {
    const bucket = bucketOf(boundsMicros, micros);
    const isSame = (at: number) =>
      bucketOf(boundsMicros, this.#cells.get(at + EXEMPLAR.value) >>> 0) === bucket;
    this.#record(row, [0, RTT_EXEMPLARS], isSame, { key: 1, value: micros, call, atMs });
  }

  /** A failed ping, for its reason. */
  recordFailure(
    row: Row,
    reason: FailureReason,
    code: number | undefined,
    call: CallId,
    atMs: number,
  ): void {
    const key = 1 + FAILURE_REASONS.indexOf(reason);
    const isSame = (at: number) => (this.#cells.get(at + EXEMPLAR.meta) & 0xff) === key;
    const places = [RTT_EXEMPLARS, RTT_EXEMPLARS + FAILURE_EXEMPLARS] as const;
    this.#record(row, places, isSame, { key, value: code ?? 0, call, atMs });
  }

  /**
   * Takes the place of the exemplar of the same series, else a free place, else that of the oldest; and
   * none that has been taken within the last minute.
   */
  #record(
    { index, generation }: Row,
    [first, end]: readonly [number, number],
    isSame: (at: number) => boolean,
    exemplar: Entry,
  ): void {
    const row = exemplarsAt(index);
    const isOpen = this.#cells.get(row + EXEMPLARS.generation) === generation;
    let chosen = row + EXEMPLARS.exemplars + first * EXEMPLAR.words;
    for (let i = first; i < end && isOpen; i++) {
      const at = row + EXEMPLARS.exemplars + i * EXEMPLAR.words;
      const isUsed = this.#timeMs(at) > 0;
      if (isUsed && isSame(at)) {
        chosen = at;
        break;
      }
      if (this.#timeMs(at) < this.#timeMs(chosen)) chosen = at;
    }
    const ageMs = exemplar.atMs - this.#timeMs(chosen);
    if (isOpen && ageMs >= 0 && ageMs < MIN_AGE_MS) return;
    this.#cells.lock(row);
    if (!isOpen) this.#cells.clear(row, EXEMPLARS.words, generation);
    this.#write(chosen, exemplar);
    this.#cells.unlock(row);
  }

  #write(at: number, { key, value, call, atMs }: Entry): void {
    const ms = Math.round(atMs);
    this.#cells.set(at + EXEMPLAR.meta, key + 256 * Math.floor(ms / WORD));
    this.#cells.set(at + EXEMPLAR.time, ms % WORD);
    this.#cells.set(at + EXEMPLAR.value, value);
    const { bytes, callIdAt } = call;
    for (let word = 0; word < 4; word++) {
      this.#cells.set(at + EXEMPLAR.callId + word, hexWord(bytes, callIdAt + DIGITS * word));
    }
  }

  /** 0 for a place that is free. */
  #timeMs(at: number): number {
    const high = this.#cells.get(at + EXEMPLAR.meta) >>> 8;
    return high * WORD + (this.#cells.get(at + EXEMPLAR.time) >>> 0);
  }
}

interface Row {
  readonly index: number;
  readonly generation: number;
}

interface Entry {
  readonly key: number;
  readonly value: number;
  readonly call: CallId;
  /** Wall clock. */
  readonly atMs: number;
}

/** The number that eight lower-case hex digits write. */
function hexWord(bytes: Uint8Array, start: number): number {
  let word = 0;
  for (let i = start; i < start + DIGITS; i++) {
    const byte = bytes[i] ?? 48;
    word = (word << 4) | (byte >= 97 ? byte - 87 : byte - 48);
  }
  return word;
}
