/**
 * The descriptors that the pinger thread opened without Node.js. The exit of the thread does not close
 * them, so the supervisor does.
 */

import { DESCRIPTORS_AT, MAX_DESCRIPTORS } from './layout.js';

export class Descriptors {
  /** 0 for none, otherwise 1 + descriptor. */
  readonly cells: Int32Array;

  constructor(ledger: SharedArrayBuffer) {
    this.cells = new Int32Array(ledger, 4 * DESCRIPTORS_AT, MAX_DESCRIPTORS);
  }

  /** The open descriptors. */
  all(): readonly number[] {
    return [...this.cells].filter((cell) => cell !== 0).map((cell) => cell - 1);
  }

  /** The index of a cell for the next descriptor; -1 when there is no free one. */
  freeCell(): number {
    return this.cells.indexOf(0);
  }

  clear(): void {
    this.cells.fill(0);
  }
}
