/** Write access to the cells of the ledger. Each access of the single writer is atomic. */

import { GENERATION, WORD, wide } from './layout.js';

export class Cells {
  readonly #cells: Int32Array;

  constructor(ledger: SharedArrayBuffer) {
    this.#cells = new Int32Array(ledger);
  }

  /** Reads a cell without an atomic access, because no other thread writes. */
  get(cell: number): number {
    return this.#cells[cell] ?? 0;
  }

  /** Stores a value if it changed: an atomic store costs as much as ten plain reads, and most cells do not change. */
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

  /** Locks a row: readers wait until {@link unlock}. */
  lock(row: number): void {
    this.add(row, 1);
  }

  unlock(row: number): void {
    this.add(row, 1);
  }

  isLocked(row: number): boolean {
    return this.get(row) % 2 !== 0;
  }

  /** Clears a row for a new owner with this generation. The row must be locked. */
  clear(row: number, words: number, generation: number): void {
    for (let cell = row + 1; cell < row + words; cell++) this.set(cell, 0);
    this.set(row + GENERATION, generation);
  }
}
