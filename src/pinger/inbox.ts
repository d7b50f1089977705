/**
 * Queues messages from the main thread and handles one per turn of the event loop, so that pings continue
 * between them.
 */

import type { ToPinger } from '../shared/protocol.js';

export type InboxMessage = Exclude<ToPinger, { readonly type: 'stop' }>;

export class Inbox {
  readonly #handle: (message: InboxMessage) => void;
  readonly #nextTurn: (callback: () => void) => void;
  #waiting: InboxMessage[] = [];
  /** A message was handled in this turn. */
  #isPaused = false;

  /** @param nextTurn calls back in the next turn of the event loop. */
  constructor(handle: (message: InboxMessage) => void, nextTurn: (callback: () => void) => void) {
    this.#handle = handle;
    this.#nextTurn = nextTurn;
  }

  take(message: InboxMessage): void {
    if (this.#isPaused) this.#waiting.push(message);
    else this.#handleOne(message);
  }

  #handleOne(message: InboxMessage): void {
    this.#isPaused = true;
    this.#nextTurn(() => {
      this.#isPaused = false;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#handleOne(next);
    });
    this.#handle(message);
  }
}
