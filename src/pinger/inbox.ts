/**
 * Messages from the main thread, in their order and one in a turn of the event loop: pings go on
 * between them, however many come at once.
 */

import type { ToPinger } from '../shared/protocol.js';

export type Handled = Exclude<ToPinger, { readonly type: 'stop' }>;

export class Inbox {
  readonly #handle: (message: Handled) => void;
  readonly #nextTurn: (callback: () => void) => void;
  #waiting: Handled[] = [];
  #isTurnSet = false;

  /** @param nextTurn calls back in the next turn of the event loop. */
  constructor(handle: (message: Handled) => void, nextTurn: (callback: () => void) => void) {
    this.#handle = handle;
    this.#nextTurn = nextTurn;
  }

  take(message: Handled): void {
    this.#waiting.push(message);
    if (!this.#isTurnSet) this.#setTurn();
  }

  #setTurn(): void {
    this.#isTurnSet = true;
    this.#nextTurn(() => {
      this.#isTurnSet = false;
      const message = this.#waiting.shift();
      if (this.#waiting.length > 0) this.#setTurn();
      if (message !== undefined) this.#handle(message);
    });
  }
}
