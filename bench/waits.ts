/** How long small requests wait while the exporter does something else. */

import { fileURLToPath } from 'node:url';
import type { Scene } from './scene.js';

const HEALTHY = fileURLToPath(new URL('./children/healthy.js', import.meta.url));
/** A request that still waits belongs to what was just done. */
const SETTLE_MS = 500;
/** Connecting, and time for the JIT compiler. */
const WARM_UP_MS = 1000;

export interface Waits {
  readonly longestMs: number;
  readonly p99Ms: number;
  readonly medianMs: number;
}

/** Measures the waits of small requests while `work` runs. */
export type MeasureWaits = (work: Promise<unknown>) => Promise<Waits>;

/** Another process sends small requests to this exporter, one after the other, during `use`. */
export async function withWaits<T>(
  { stage }: Scene,
  url: string,
  use: (during: MeasureWaits) => Promise<T>,
): Promise<T> {
  const command = [process.execPath, HEALTHY, new URL(url).port, '/-/healthy'];
  return stage.during(command, async (other) => {
    const during: MeasureWaits = async (work) => {
      await work;
      await stage.sleep(SETTLE_MS);
      const [longestMs = 0, p99Ms = 0, medianMs = 0] = (await other.ask('')).split(' ').map(Number);
      return { longestMs, p99Ms, medianMs };
    };
    await during(stage.sleep(WARM_UP_MS));
    return use(during);
  });
}
