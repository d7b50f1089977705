/** The cells of the ledger, as its one writer changes them: each atomically. */

import { GENERATION, WORD, wide } from './layout.js';

export class Cells {
  readonly #cells: Int32Array;

  constructor(ledger: SharedArrayBuffer) {
    this.#cells = new Int32Array(ledger);
  }

  /** No other thread writes, so this thread reads back what it wrote without an atomic access. */
  get(cell: number): number {
    return this.#cells[cell] ?? 0;
  }

  /** An atomic store costs as much as ten plain reads, and most cells of a row keep their value. */
  set(cell: number, value: number): void {
    if (this.get(cell) !== (value | 0)) Atomics.store(this.#cells, cell, value);
  }

  add(cell: number, value: number): void {
    if (value !== 0) Atomics.store(this.#cells, cell, this.get(cell) + value);
  }

  getWide(cell: number): number {
    return wide(this.get(cell), this.get(cell + 1));
  }

  /** Stores a 64-bit number, such as wall-clock milliseconds, in a low and a high cell. */
  setWide(cell: number, value: number): void {
    const whole = Math.round(value);
    this.set(cell, whole % WORD);
    this.set(cell + 1, Math.floor(whole / WORD));
  }

  addWide(cell: number, value: number): void {
    this.setWide(cell, this.getWide(cell) + value);
  }

  /** Readers wait until {@link unlock}. */
  lock(row: number): void {
    this.add(row, 1);
  }

  unlock(row: number): void {
    this.add(row, 1);
  }

  isLocked(row: number): boolean {
    return this.get(row) % 2 !== 0;
  }

  /** Empties a row, which must be locked, for the owner with this generation. */
  clear(row: number, words: number, generation: number): void {
    for (let cell = row + 1; cell < row + words; cell++) this.set(cell, 0);
    this.set(row + GENERATION, generation);
  }
}
