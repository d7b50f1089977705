/** Verdicts: of a target by its pings, of a destination by its targets. */

import type { AliveWhen } from './destination.js';

export type State = 'unknown' | 'up' | 'down';

/** The states, in the order of their numbers in Kamailio's `keepalive` and in the ledger. */
export const STATES: readonly State[] = ['unknown', 'up', 'down'];

/** The verdict about a target, and the run of pings that leads to the next one. */
export interface Verdict {
  readonly state: State;
  /** Consecutive pings with the same result: positive for alive, negative for failed. */
  readonly run: number;
}

/** Limit of `run`, and so of `rise` and `fall`. */
export const MAX_RUN = 1_000_000;

/**
 * The verdict after one more ping: up after `rise` consecutive alive pings, down after `fall` consecutive
 * failed ones, from any state.
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

/** Whether the last pings contradict the state, but are too few to change it. */
export function isUnconfirmed({ state, run }: Verdict): boolean {
  if (state === 'unknown') return run !== 0;
  return state === 'up' ? run < 0 : run > 0;
}

/** A target's contribution to its destination's verdict. */
export interface Vote {
  readonly state: State;
  /** Lower values are preferred (RFC 2782). */
  readonly priority: number;
}

/**
 * The state of a destination. `any`: up if any target is up. `all`: up if all targets are. `priority`: up
 * if any target of the best priority is. Unknown while a target in state unknown could change the result.
 */
export function combineVotes(votes: readonly Vote[], aliveWhen: AliveWhen): State {
  if (votes.length === 0) return 'unknown';
  const best = Math.min(...votes.map(({ priority }) => priority));
  const states = votes
    .filter(({ priority }) => aliveWhen !== 'priority' || priority === best)
    .map(({ state }) => state);
  const [decisive, fallback] =
    aliveWhen === 'all' ? (['down', 'up'] as const) : (['up', 'down'] as const);
  if (states.includes(decisive)) return decisive;
  return states.includes('unknown') ? 'unknown' : fallback;
}

/** Kamailio's `is_alive`: 1 up, 2 down, -1 error. Unknown is an error, never up. */
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
