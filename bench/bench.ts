/** What every part of the benchmark gets. */

import type { Crowd } from './crowd.js';
import type { Row } from './report.js';
import type { Scene } from './scene.js';
import type { Steady } from './steady.js';

export interface Bench extends Scene {
  /** The exporter at this many pings per second; measured once per rate. */
  readonly steady: (pingsPerSecond: number) => Promise<Steady>;
  /** The exporter with 10,000 destinations at rest, scraped; measured once. */
  readonly crowd: () => Promise<Crowd>;
}

export type Part = (bench: Bench) => Promise<readonly Row[]>;

/** Calls `measure` once for each key, and returns the same result after that. */
export function once<Key, Value>(
  measure: (key: Key) => Promise<Value>,
): (key: Key) => Promise<Value> {
  const known = new Map<Key, Promise<Value>>();
  return (key) => {
    const result = known.get(key) ?? measure(key);
    known.set(key, result);
    return result;
  };
}
