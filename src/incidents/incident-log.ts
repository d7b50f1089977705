/** The incidents that are kept in memory: every open one, and the newest that have ended. */

import type { Incident, IncidentEnd } from './incident.js';

/** Number of ended incidents that are kept. */
const MAX_ENDED = 10_000;

export class IncidentLog {
  /** By destination. */
  readonly #open = new Map<string, Incident>();
  /** A ring buffer: the incident that was the n-th to end is at n % MAX_ENDED. */
  readonly #ended: Incident[] = [];
  #endedCount = 0;
  #newestId = 0;

  /** Number of incidents that were forgotten since the start. */
  get dropped(): number {
    return this.#endedCount - this.#ended.length;
  }

  /** Number of incidents that are kept. */
  get size(): number {
    return this.#open.size + this.#ended.length;
  }

  /** All that are kept, in no certain order. */
  all(): readonly Incident[] {
    return [...this.#ended, ...this.#open.values()];
  }

  open(): readonly Incident[] {
    return [...this.#open.values()];
  }

  openOf(destination: string): Incident | undefined {
    return this.#open.get(destination);
  }

  /** An id that is greater than all before, and than those of earlier runs unless the clock was set back. */
  nextId(epochMs: number): number {
    return Math.max(this.#newestId + 1, Math.floor(epochMs));
  }

  /** @param incident the only open one of its destination. */
  add(incident: Incident): void {
    this.#newestId = Math.max(this.#newestId, incident.id);
    this.#open.set(incident.destination, incident);
  }

  /** Ends an open incident. Returns the one that is forgotten for it. */
  end(incident: Incident, end: IncidentEnd): Incident | undefined {
    incident.end = end;
    this.#open.delete(incident.destination);
    const at = this.#endedCount++ % MAX_ENDED;
    const forgotten = this.#ended[at];
    this.#ended[at] = incident;
    return forgotten;
  }

  /** Adds the incidents of a file, in which the end of some may be lost. */
  restore(found: readonly Incident[]): void {
    const inOrder = found.toSorted((a, b) => a.id - b.id);
    const ended: Incident[] = [];
    for (const incident of inOrder) {
      const { destination, beganAtMs, end } = incident;
      // Two of one destination are never open at the same time.
      const earlier = this.#open.get(destination);
      if (earlier !== undefined) {
        earlier.end = { atMs: beganAtMs, durationMs: undefined, by: null };
        this.#open.delete(destination);
        ended.push(earlier);
      }
      if (end === undefined) this.add(incident);
      else ended.push(incident);
    }
    this.#newestId = Math.max(this.#newestId, inOrder.at(-1)?.id ?? 0);
    this.#ended.push(...ended.slice(-MAX_ENDED));
    this.#endedCount = this.#ended.length;
  }
}
