/**
 * Queues messages from the main thread and handles one per turn of the event loop, so that pings go on
 * between them.
 */

import type { ToPinger } from '../shared/protocol.js';

export type InboxMessage = Exclude<ToPinger, { readonly type: 'stop' }>;

export class Inbox {
  readonly #handle: (message: InboxMessage) => void;
  readonly #nextTurn: (callback: () => void) => void;
  #waiting: InboxMessage[] = [];
  #isScheduled = false;

  /** @param nextTurn calls back in the next turn of the event loop. */
  constructor(handle: (message: InboxMessage) => void, nextTurn: (callback: () => void) => void) {
    this.#handle = handle;
    this.#nextTurn = nextTurn;
  }

  take(message: InboxMessage): void {
    this.#waiting.push(message);
    if (!this.#isScheduled) this.#schedule();
  }

  #schedule(): void {
    this.#isScheduled = true;
    this.#nextTurn(() => {
      this.#isScheduled = false;
      const message = this.#waiting.shift();
      if (this.#waiting.length > 0) this.#schedule();
      if (message !== undefined) this.#handle(message);
    });
  }
}
