/** Sends settings of probes to the pinger thread once; probes then refer to them by a number. */

import type { PingSettings } from '../shared/destination.js';
import type { ToPinger } from '../shared/protocol.js';

/** Maximum number of settings that the thread keeps; usually there are those of a few modules. */
const MAX_KEPT = 64;

export class ProbeSettings {
  readonly #send: (message: ToPinger) => void;
  /** Settings by their numbers. */
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

  /** The thread has exited, and the next one has no settings. */
  clear(): void {
    this.#kept = [];
    this.#numbers.clear();
  }
}
