/**
 * Limits what one connection may deliver per second: responses, requests, keep-alives, frames. Without
 * the limit, a peer that floods would delay the pings of all others.
 */

import type { Clock } from '../time/clock.js';

/** Far above what a normal peer sends, and too little to load the CPU. */
const MAX_MESSAGES = 200;
const MAX_KIBIBYTES = 256;
const WINDOW_MS = 1000;

export class RateLimit {
  readonly #clock: Clock;
  #sinceMs = Number.NEGATIVE_INFINITY;
  #messages = 0;
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts received data. Returns false when the limit is exceeded: the connection must be closed. */
  admit(messages: number, bytes: number): boolean {
    const now = this.#clock.now();
    if (now - this.#sinceMs >= WINDOW_MS) {
      this.#sinceMs = now;
      this.#messages = 0;
      this.#bytes = 0;
    }
    this.#messages += messages;
    this.#bytes += bytes;
    return this.#messages <= MAX_MESSAGES && this.#bytes <= MAX_KIBIBYTES * 1024;
  }

  /** Why the connection must be closed. */
  get error(): string {
    const isByMessages = this.#messages > MAX_MESSAGES;
    const max = isByMessages ? `${MAX_MESSAGES} messages` : `${MAX_KIBIBYTES} KiB`;
    return `the peer floods: more than ${max} per second`;
  }
}
