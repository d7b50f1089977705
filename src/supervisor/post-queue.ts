/**
 * Messages to the pinger thread, in their order and one in a turn of the event loop: a hundred thousand
 * destinations hold up neither this thread, which has to copy them, nor that one.
 */

import type { ToPinger } from '../shared/protocol.js';

export class PostQueue {
  readonly #post: (message: ToPinger) => void;
  #waiting: (() => ToPinger)[] = [];
  #hasPosted = false;

  constructor(post: (message: ToPinger) => void) {
    this.#post = post;
  }

  /** Posts at once where nothing waits, else when it is its turn; `make` is called then. */
  add(make: () => ToPinger): void {
    if (this.#hasPosted) this.#waiting.push(make);
    else this.#next(make);
  }

  /** What waits is not posted: the thread that it was for is gone. */
  clear(): void {
    this.#waiting = [];
  }

  #next(make: () => ToPinger): void {
    this.#hasPosted = true;
    setImmediate(() => {
      this.#hasPosted = false;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#next(next);
    });
    this.#post(make());
  }
}
