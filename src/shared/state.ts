/**
 * Verdicts: of a target from its pings, of a destination from its targets.
 */

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
export const LONGEST_RUN = 1_000_000;

/**
 * The verdict after one more ping: up after `rise` pings alive in a row, down after `fall` pings not
 * alive in a row, from whatever state.
 */
export function judge(before: Verdict, isAlive: boolean, rise: number, fall: number): Verdict {
  const run = isAlive
    ? Math.min(Math.max(before.run, 0) + 1, LONGEST_RUN)
    : Math.max(Math.min(before.run, 0) - 1, -LONGEST_RUN);
  if (run >= rise) return { state: 'up', run };
  if (-run >= fall) return { state: 'down', run };
  return { state: before.state, run };
}

/** A destination is up while at least one target is up, and down once none can be. */
export function combine(targets: readonly State[]): State {
  if (targets.includes('up')) return 'up';
  if (targets.length === 0 || targets.includes('unknown')) return 'unknown';
  return 'down';
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
