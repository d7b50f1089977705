/**
 * Posts messages to the pinger thread in order, one per turn of the event loop, so that a hundred thousand
 * destinations block neither the main thread, which copies them, nor the pinger thread.
 */

import type { ToPinger } from '../shared/protocol.js';

export class PostQueue {
  readonly #post: (message: ToPinger) => void;
  #queue: (() => ToPinger)[] = [];
  #hasPosted = false;

  constructor(post: (message: ToPinger) => void) {
    this.#post = post;
  }

  /** Posts at once when the queue is idle, otherwise later. `make` is called just before. */
  add(make: () => ToPinger): void {
    if (this.#hasPosted) this.#queue.push(make);
    else this.#next(make);
  }

  /** Drops all queued messages, because their thread has exited. */
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
