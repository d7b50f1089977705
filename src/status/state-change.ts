import type { EventName } from '../config/source-settings.js';
import type { Destination } from '../shared/destination.js';
import type { DownReason } from '../shared/outcome.js';
import type { State } from '../shared/state.js';

/** A destination's change of state, with the destination as it was then. */
export interface StateChange {
  /** Grows with each change, and differs from those of other runs of the process. */
  readonly id: string;
  readonly destination: Destination;
  readonly owners: readonly string[];
  readonly from: State;
  readonly to: State;
  readonly reason: DownReason | undefined;
  /** What exactly went wrong, for people; empty when no more is known than the reason. */
  readonly detail: string;
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
