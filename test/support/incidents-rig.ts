/** Incidents on a fake clock whose wall clock can be set. */

import { Incidents, type IncidentsOptions } from '../../src/incidents/incidents.js';
import type { LogLine } from '../../src/shared/protocol.js';
import type { IncidentView } from '../../src/status/page-views.js';
import type { StateChange } from '../../src/status/state-change.js';
import { FakeClock } from './fake-clock.js';
import { change } from './state-changes.js';

export const ALL = { labels: [], words: [], limit: 1_000_000 } as const;

/** @param options those of a process that restarts; without a directory, incidents are in memory alone. */
export function incidentsRig(options: Partial<IncidentsOptions> = {}, fake = new FakeClock()) {
  let skewMs = 0;
  const clock = {
    now: () => fake.now(),
    epoch: () => fake.epoch() + skewMs,
    after: (delayMs: number, callback: () => void) => fake.after(delayMs, callback),
  };
  const logged: LogLine[] = [];
  const incidents = new Incidents({
    ...{ directory: '', uriOf: () => undefined, isListComplete: () => false, clock },
    log: (line) => void logged.push(line),
    ...options,
  });
  let changes = 0;
  /** The verdict on the destination changes now. */
  const become = (name: string, to: StateChange['to'], more: Partial<StateChange> = {}) => {
    const { reason, ...made } = change(name);
    const why = to === 'down' ? reason : undefined;
    const id = String(++changes);
    incidents.changed({ ...made, id, to, reason: why, atMs: clock.epoch(), ...more });
  };
  const views = (): readonly IncidentView[] => incidents.list(ALL).incidents;
  return {
    ...{ incidents, clock, fake, logged, become, views },
    /** Sets the wall clock forward, or back. */
    setClock: (byMs: number) => {
      skewMs += byMs;
    },
    /** The oldest first: `a down 12 up`. */
    short: () =>
      views()
        .toReversed()
        .map((one) => `${one.destination} ${one.state} ${one.duration} ${one.ended_by}`),
    events: () => logged.map(({ level, event }) => `${level} ${event}`),
  };
}
