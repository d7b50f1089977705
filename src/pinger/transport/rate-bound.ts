/**
 * How much one connection may bring in a second, whatever it is: answers, requests, provisional
 * responses, keep-alives, frames. A peer that sends without end would take the time of all others.
 */

import type { Clock } from '../time/clock.js';

/** Far above what a peer sends that pings us and is pinged; far below what costs anything. */
const MAX_MESSAGES = 200;
const MAX_KIBIBYTES = 256;
const WINDOW_MS = 1000;

export class RateBound {
  readonly #clock: Clock;
  #sinceMs = Number.NEGATIVE_INFINITY;
  #messages = 0;
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts what came. False once that is more than a second may bring: close the connection. */
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

  /** Why the connection was closed, in words. */
  get fault(): string {
    const isByMessages = this.#messages > MAX_MESSAGES;
    const most = isByMessages ? `${MAX_MESSAGES} messages` : `${MAX_KIBIBYTES} KiB`;
    return `the peer sends without end: more than ${most} a second`;
  }
}
