/** What every part is given. */

import type { Crowd } from './crowd.js';
import type { Row } from './report.js';
import type { Scene } from './scene.js';
import type { Steady } from './steady.js';

export interface Bench extends Scene {
  /** The exporter at so many pings a second; measured once, whoever asks. */
  readonly steady: (pingsPerSecond: number) => Promise<Steady>;
  /** The exporter with 10,000 destinations at rest, scraped; measured once, whoever asks. */
  readonly crowd: () => Promise<Crowd>;
}

export type Part = (bench: Bench) => Promise<readonly Row[]>;

/** Asks once for each key and hands out the same answer from then on. */
export function once<Key, Value>(ask: (key: Key) => Promise<Value>): (key: Key) => Promise<Value> {
  const known = new Map<Key, Promise<Value>>();
  return (key) => {
    const answer = known.get(key) ?? ask(key);
    known.set(key, answer);
    return answer;
  };
}
