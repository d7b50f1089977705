/** States of destinations in a Kamailio, and how they can contradict verdicts. */

import type { State } from './state.js';

/** The states that Kamailio's `dispatcher` lists. */
export const LISTED_STATES = ['active', 'inactive', 'disabled', 'trying'] as const;
export type ListedState = (typeof LISTED_STATES)[number];

/** A Kamailio routes to a destination that is down, or leaves out one that is up. */
export const DISAGREEMENTS = ['routes_to_down', 'leaves_out_up'] as const;
export type DisagreementKind = (typeof DISAGREEMENTS)[number];

/** Whether `ds_select_dst` selects a destination in this state. */
export function isRoutedTo(state: ListedState): boolean {
  return state === 'active' || state === 'trying';
}

/** Undefined when they agree. An unknown verdict and a destination that an operator disabled contradict nothing. */
export function disagreementOf(state: ListedState, verdict: State): DisagreementKind | undefined {
  if (verdict === 'down' && isRoutedTo(state)) return 'routes_to_down';
  if (verdict === 'up' && state === 'inactive') return 'leaves_out_up';
  return undefined;
}

/** A destination as a module of a running Kamailio lists it. */
export interface ListedDestination {
  readonly module: 'dispatcher' | 'uac';
  /** The dispatcher set, a number as text; empty for `uac`. */
  readonly setid: string;
  /** Exactly as listed, because `dispatcher.set_state` compares text. */
  readonly uri: string;
  /** Empty if there is none. For `uac` the identifier of the registration (`l_uuid`). */
  readonly duid: string;
  /** The state in Kamailio's dispatcher; `uac`: `active` when registered, otherwise `inactive`. */
  readonly state: ListedState;
  /** Whether Kamailio itself pings it. */
  readonly isProbed: boolean;
}
