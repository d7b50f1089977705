/** The encoded metrics of one family, in pieces. */

import { FAMILY, VALUE } from './fields.js';
import type { ReverseWriter } from './reverse-writer.js';

export const PIECE_BYTES = 64 * 1024;
const NOTHING: Uint8Array<ArrayBuffer> = new Uint8Array(0);
/** A tag, and the longest length. */
const MAX_HEAD = 6;
/** A tag and a number of the type `double`. */
const DOUBLE_BYTES = 9;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;

export class Pieces {
  readonly #full: Uint8Array[] = [];
  #last = NOTHING;
  #view = new DataView(NOTHING.buffer);
  #used = 0;
  #fullBytes = 0;

  /** Bytes in all. */
  get length(): number {
    return this.#fullBytes + this.#used;
  }

  all(): readonly Uint8Array[] {
    this.#end();
    return this.#full;
  }

  /** Adds a metric as it was written. */
  add(metric: ReverseWriter): void {
    this.#reserve(metric.length);
    metric.copyTo(this.#last, this.#used);
    this.#used += metric.length;
  }

  /**
   * Adds a metric that has one value.
   *
   * @param field of Metric: gauge or counter.
   * @param labels fields of Metric, one character for each byte, as `moreLabels`.
   * @param more fields of Counter, likewise, less than 119 bytes; empty for a gauge.
   */
  addValue(field: number, value: number, labels: string, moreLabels: string, more: string): void {
    // Its lengths are known, so that it can be written from its beginning, which costs a third.
    const valueBytes = DOUBLE_BYTES + more.length;
    const bytes = labels.length + moreLabels.length + 2 + valueBytes;
    this.#reserve(bytes + MAX_HEAD);
    this.#byte(8 * FAMILY.metric + LENGTH_DELIMITED);
    this.#varint(bytes);
    this.#raw(labels);
    this.#raw(moreLabels);
    this.#byte(8 * field + LENGTH_DELIMITED);
    this.#byte(valueBytes);
    this.#byte(8 * VALUE.value + FIXED64);
    this.#view.setFloat64(this.#used, value, true);
    this.#used += 8;
    this.#raw(more);
  }

  #byte(byte: number): void {
    this.#last[this.#used++] = byte;
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest >= 128; rest >>>= 7) this.#byte((rest & 127) | 128);
    this.#byte(rest);
  }

  /** A loop: a call of `write` costs more than the hundred bytes of most labels. */
  #raw(bytes: string): void {
    const [last, used] = [this.#last, this.#used];
    for (let i = 0; i < bytes.length; i++) last[used + i] = bytes.charCodeAt(i);
    this.#used += bytes.length;
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#last.length) return;
    this.#end();
    this.#last = new Uint8Array(new ArrayBuffer(Math.max(PIECE_BYTES, bytes)));
    this.#view = new DataView(this.#last.buffer);
  }

  #end(): void {
    if (this.#used > 0) this.#full.push(this.#last.subarray(0, this.#used));
    this.#fullBytes += this.#used;
    this.#used = 0;
    this.#last = NOTHING;
  }
}
