/**
 * Verdicts: of a target from its pings, of a destination from its targets.
 */

import type { AliveWhen } from './destination.js';

export type State = 'unknown' | 'up' | 'down';

/** The states in the order of their numbers in Kamailio's `keepalive` and in the ledger. */
export const STATES: readonly State[] = ['unknown', 'up', 'down'];

/** What is remembered of a target between pings. */
export interface Verdict {
  readonly state: State;
  /** How many pings in a row ended alike: positive when alive, negative when not. */
  readonly run: number;
}

/** Runs are counted up to here; `rise` and `fall` are no larger. */
export const MAX_RUN = 1_000_000;

/**
 * The verdict after one more ping: up after `rise` pings alive in a row, down after `fall` pings not
 * alive in a row, from whatever state.
 */
export function nextVerdict(
  before: Verdict,
  isAlive: boolean,
  rise: number,
  fall: number,
): Verdict {
  const run = isAlive
    ? Math.min(Math.max(before.run, 0) + 1, MAX_RUN)
    : Math.max(Math.min(before.run, 0) - 1, -MAX_RUN);
  if (run >= rise) return { state: 'up', run };
  if (-run >= fall) return { state: 'down', run };
  return { state: before.state, run };
}

/** A target's part in its destination's verdict. */
export interface Vote {
  readonly state: State;
  /** Lower goes first (RFC 2782). */
  readonly priority: number;
}

/**
 * A destination is up while any target is, or while all are, or while any of the best priority is;
 * it is unknown while a target that nobody knows yet could turn the verdict.
 */
export function combineVotes(votes: readonly Vote[], aliveWhen: AliveWhen): State {
  if (votes.length === 0) return 'unknown';
  const best = Math.min(...votes.map(({ priority }) => priority));
  const states = votes
    .filter(({ priority }) => aliveWhen !== 'priority' || priority === best)
    .map(({ state }) => state);
  const [decisive, otherwise] =
    aliveWhen === 'all' ? (['down', 'up'] as const) : (['up', 'down'] as const);
  if (states.includes(decisive)) return decisive;
  return states.includes('unknown') ? 'unknown' : otherwise;
}

/** What Kamailio's `is_alive` answers: 1 up, 2 down, -1 error; unknown is never up. */
export type IsAliveCode = 1 | 2 | -1;

export function isAliveCode(state: State): IsAliveCode {
  switch (state) {
    case 'up':
      return 1;
    case 'down':
      return 2;
    case 'unknown':
      return -1;
    default:
      return state satisfies never;
  }
}
