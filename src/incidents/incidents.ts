/** Turns changes of verdicts into incidents. */

import { type Clock, every } from '../shared/clock.js';
import type { Destination } from '../shared/destination.js';
import type { LogLine } from '../shared/protocol.js';
import type { State } from '../shared/state.js';
import { printable } from '../shared/text.js';
import { isoTime } from '../status/iso-time.js';
import type { IncidentsView } from '../status/page-views.js';
import type { StateChange } from '../status/state-change.js';
import { type Incident, type IncidentEnd, incidentView } from './incident.js';
import { IncidentFile } from './incident-file.js';
import { IncidentLog } from './incident-log.js';
import { type IncidentQuery, select } from './incident-query.js';

/** Longest detail that is kept; the log has the whole. */
const MAX_DETAIL_LENGTH = 1_000;
/** How often it is checked, after the start, which destinations are gone. */
const CHECK_MS = 1_000;

export interface IncidentsOptions {
  /** The state directory; empty for none. */
  readonly directory: string;
  /** The URI of a destination; undefined when it is not monitored. */
  readonly uriOf: (name: string) => string | undefined;
  /** Whether the destinations of the configuration and of every source are known. */
  readonly isListComplete: () => boolean;
  readonly log: (line: LogLine) => void;
  readonly clock: Clock;
}

export class Incidents {
  readonly #options: IncidentsOptions;
  readonly #incidents = new IncidentLog();
  readonly #file: IncidentFile | undefined;
  #stopCheck = () => {};

  constructor(options: IncidentsOptions) {
    const { directory, log, clock } = options;
    this.#options = options;
    if (directory === '') return;
    this.#file = new IncidentFile({
      ...{ directory, log, clock },
      all: () => this.#incidents.all(),
      count: () => this.#incidents.size,
    });
  }

  /** Number of incidents that were forgotten since the start, because newer ones have ended. */
  get dropped(): number {
    return this.#incidents.dropped;
  }

  /** Continues the incidents of the last run. Throws nothing. */
  start(): void {
    this.#incidents.restore(this.#file?.start() ?? []);
    if (this.#incidents.open().length === 0) return;
    this.#stopCheck = every(this.#options.clock, CHECK_MS, () => this.#endThoseOfTheGone());
  }

  /** The verdict on a destination has changed. */
  changed({ destination, to, atMs, ...change }: StateChange): void {
    const open = this.#incidents.openOf(destination.name);
    const isSame = open?.uri === destination.uri;
    // It goes on after a restart.
    if (isSame && open.state === to) return;
    if (open !== undefined) this.#end(open, isSame ? to : 'removed', atMs);
    if (to === 'up') return;
    this.#begin({ ...change, destination, to, atMs });
  }

  /** These destinations are no longer monitored. */
  removed(removed: readonly { readonly destination: Destination }[]): void {
    for (const { destination } of removed) {
      const open = this.#incidents.openOf(destination.name);
      if (open !== undefined) this.#end(open, 'removed', this.#options.clock.epoch());
    }
  }

  /** When the incident of a destination that lasts began, if it is of this state: wall clock, milliseconds. */
  beganAtMs({ name, uri }: Destination, state: State): number | undefined {
    const open = this.#incidents.openOf(name);
    return open?.uri === uri && open.state === state ? open.beganAtMs : undefined;
  }

  list(query: IncidentQuery): IncidentsView {
    const all = this.#incidents.all();
    const { page, hasMore } = select(all, query);
    const nowMs = this.#options.clock.now();
    const oldestMs = all.reduce((ms, { beganAtMs }) => Math.min(ms, beganAtMs), Infinity);
    return {
      incidents: page.map((incident) => incidentView(incident, nowMs)),
      ...{ total: all.length, dropped: this.dropped, oldest: isoTime(oldestMs) },
      next: hasMore ? (page.at(-1)?.id ?? null) : null,
    };
  }

  async close(): Promise<void> {
    this.#stopCheck();
    await this.#file?.close();
  }

  #begin(change: Omit<StateChange, 'id' | 'to'> & { readonly to: Incident['state'] }): void {
    const { destination, atMs } = change;
    // Without spread syntax, which would give each object a hidden class of its own: reading the members of
    // 10,000 incidents took ten times as long.
    const incident: Incident = {
      id: this.#incidents.nextId(atMs),
      destination: destination.name,
      uri: destination.uri,
      state: change.to,
      reason: change.reason,
      detail: printable(change.detail, MAX_DETAIL_LENGTH),
      sipCode: change.sipCode,
      module: destination.module,
      owners: change.owners,
      labels: destination.labels,
      beganAtMs: atMs,
      sinceMs: this.#options.clock.now(),
      end: undefined,
    };
    this.#incidents.add(incident);
    this.#file?.changed(incident);
  }

  #end(incident: Incident, by: IncidentEnd['by'], atMs: number): void {
    const durationMs = this.#options.clock.now() - incident.sinceMs;
    const forgotten = this.#incidents.end(incident, { atMs, durationMs, by });
    if (forgotten !== undefined) this.#file?.forget(forgotten);
    this.#file?.changed(incident);
  }

  /** Ends the incidents of destinations that were removed, or got another URI, while no process ran. */
  #endThoseOfTheGone(): void {
    const { uriOf, isListComplete, clock } = this.#options;
    if (!isListComplete()) return;
    this.#stopCheck();
    for (const incident of this.#incidents.open()) {
      const { destination, uri } = incident;
      if (uriOf(destination) !== uri) this.#end(incident, 'removed', clock.epoch());
    }
  }
}
