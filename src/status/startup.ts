/**
 * Whether the first list of destinations is in place: read from the configuration and from every source,
 * and taken over by the pinger. Before that a scrape would miss series that the last process had.
 */

import type { Clock } from '../shared/clock.js';
import type { StatusContext } from './freshness.js';

/** What a client is told before that. */
export const STARTING =
  'The exporter is starting: its first list of destinations is not in place yet; try again in a second\n';
/** A source that has not answered by then is not waited for. */
const MAX_READING_MS = 10_000;
/** The pinger has the destinations by then, or leaves one out that it crashes by. */
const MAX_STARTING_MS = 60_000;

export class Startup {
  readonly #status: Pick<StatusContext, 'ledger' | 'registry'>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #beganAtMs: number;
  #isRead = false;
  #isDone = false;

  constructor(status: Pick<StatusContext, 'ledger' | 'registry'>, clock: Pick<Clock, 'now'>) {
    this.#status = status;
    this.#clock = clock;
    this.#beganAtMs = clock.now();
  }

  /** The configuration is in effect, and every source was read or has failed. */
  read(): void {
    this.#isRead = true;
  }

  get isRead(): boolean {
    return this.#isRead;
  }

  get isDone(): boolean {
    if (!this.#isDone) this.#isDone = this.#check();
    return this.#isDone;
  }

  #check(): boolean {
    const waitedMs = this.#clock.now() - this.#beganAtMs;
    if (!this.#isRead && waitedMs < MAX_READING_MS) return false;
    const { ledger, registry } = this.#status;
    return (
      waitedMs >= MAX_STARTING_MS ||
      registry.all().every(({ slot }) => ledger.destination(slot) !== undefined)
    );
  }
}
