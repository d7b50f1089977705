import { performance } from 'node:perf_hooks';

/** Source of time. It is passed to everything that waits or measures, so that tests can replace it. */
export interface Clock {
  /** Monotonic, milliseconds with a fraction. */
  now(): number;
  /** Wall clock, milliseconds since the epoch. */
  epoch(): number;
  /** Calls back once after `delayMs`. Returns a function that cancels. */
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

/** Calls back every `intervalMs`. Returns a function that stops. */
export function every(
  clock: Pick<Clock, 'after'>,
  intervalMs: number,
  callback: () => void,
): () => void {
  let cancel = () => {};
  const arm = () => {
    cancel = clock.after(intervalMs, () => {
      // Before the callback, so that an exception does not end the series.
      arm();
      callback();
    });
  };
  arm();
  return () => cancel();
}
