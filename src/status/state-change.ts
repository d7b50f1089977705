import type { EventName } from '../config/source-settings.js';
import type { Destination } from '../shared/destination.js';
import type { DownReason } from '../shared/outcome.js';
import type { State } from '../shared/state.js';

/** A change of a destination's state, with the destination at that time. */
export interface StateChange {
  /** Unique, also among runs of the process; increases with each change of a run. */
  readonly id: string;
  readonly destination: Destination;
  readonly owners: readonly string[];
  readonly from: State;
  readonly to: State;
  readonly reason: DownReason | undefined;
  /** The exact error as text; empty when only the reason is known. */
  readonly detail: string;
  /** Status code of the response that the reason is about; undefined without one. */
  readonly sipCode: number | undefined;
  /** Wall clock, milliseconds. */
  readonly atMs: number;
}

export type ChangeListener = (change: StateChange) => void;

/** The event that Kamailio's `keepalive` raises for this state; undefined for `unknown`. */
export function eventOf(state: State): EventName | undefined {
  switch (state) {
    case 'up':
      return 'dst-up';
    case 'down':
      return 'dst-down';
    case 'unknown':
      return undefined;
    default:
      return state satisfies never;
  }
}
