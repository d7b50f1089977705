/**
 * The descriptors that the pinger thread opened outside of Node. The death of the thread does not close
 * them, so whoever starts the next one does.
 */

import { DESCRIPTORS_AT, MAX_DESCRIPTORS } from './layout.js';

export class Descriptors {
  readonly #cells: Int32Array;

  constructor(ledger: SharedArrayBuffer) {
    this.#cells = new Int32Array(ledger, 4 * DESCRIPTORS_AT, MAX_DESCRIPTORS);
  }

  /** Those that are open. */
  all(): readonly number[] {
    return [...this.#cells].filter((cell) => cell !== 0).map((cell) => cell - 1);
  }

  /** False when there is no room for another. */
  add(fd: number): boolean {
    return this.#replace(0, 1 + fd);
  }

  remove(fd: number): void {
    this.#replace(1 + fd, 0);
  }

  clear(): void {
    this.#cells.fill(0);
  }

  #replace(before: number, after: number): boolean {
    const index = this.#cells.indexOf(before);
    if (index < 0) return false;
    Atomics.store(this.#cells, index, after);
    return true;
  }
}
