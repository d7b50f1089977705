/**
 * Messages to the pinger thread, in order and one per tick of the event loop. A hundred thousand
 * destinations then block neither this thread, which copies them, nor that one.
 */

import type { ToPinger } from '../shared/protocol.js';

export class PostQueue {
  readonly #post: (message: ToPinger) => void;
  #queue: (() => ToPinger)[] = [];
  #hasPosted = false;

  constructor(post: (message: ToPinger) => void) {
    this.#post = post;
  }

  /** Posts at once when the queue is idle, otherwise in its turn. `make` is called just before. */
  add(make: () => ToPinger): void {
    if (this.#hasPosted) this.#queue.push(make);
    else this.#next(make);
  }

  /** Discards what is queued: the thread that it was for has ended. */
  clear(): void {
    this.#queue = [];
  }

  #next(make: () => ToPinger): void {
    this.#hasPosted = true;
    setImmediate(() => {
      this.#hasPosted = false;
      const next = this.#queue.shift();
      if (next !== undefined) this.#next(next);
    });
    this.#post(make());
  }
}
