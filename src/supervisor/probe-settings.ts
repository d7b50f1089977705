/** The settings of probes that the pinger thread has: they are sent once, and then named by a number. */

import type { PingSettings } from '../shared/destination.js';
import type { ToPinger } from '../shared/protocol.js';

/** Settings that the thread keeps; as a rule those of a few modules. */
const MAX_KEPT = 64;

export class ProbeSettings {
  readonly #send: (message: ToPinger) => void;
  /** By their numbers. */
  #kept: PingSettings[] = [];
  readonly #numbers = new Map<PingSettings, number>();
  #next = 0;

  constructor(send: (message: ToPinger) => void) {
    this.#send = send;
  }

  /** The number of these settings; sends them first if the thread does not have them. */
  numberOf(settings: PingSettings): number {
    const known = this.#numbers.get(settings);
    if (known !== undefined) return known;
    const number = this.#next++ % MAX_KEPT;
    const replaced = this.#kept[number];
    if (replaced !== undefined) this.#numbers.delete(replaced);
    this.#kept[number] = settings;
    this.#numbers.set(settings, number);
    this.#send({ type: 'probe_settings', number, settings });
    return number;
  }

  /** The thread has ended: the next one has none. */
  clear(): void {
    this.#kept = [];
    this.#numbers.clear();
  }
}
