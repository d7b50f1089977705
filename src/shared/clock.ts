import { performance } from 'node:perf_hooks';

/** Time as it is handed to whatever waits or measures; tests bring their own. */
export interface Clock {
  /** Monotonic, milliseconds with a fraction. */
  now(): number;
  /** Wall clock, milliseconds since the epoch. */
  epoch(): number;
  /** Calls back once, `delayMs` from now; the result cancels. */
  after(delayMs: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  epoch: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Calls back every `intervalMs` until the result is called. */
export function every(
  clock: Pick<Clock, 'after'>,
  intervalMs: number,
  callback: () => void,
): () => void {
  let cancel = () => {};
  const arm = () => {
    cancel = clock.after(intervalMs, () => {
      // First, so that a callback that throws does not end the series.
      arm();
      callback();
    });
  };
  arm();
  return () => cancel();
}
