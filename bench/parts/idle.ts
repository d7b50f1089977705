/** CPU time of an exporter that has little to do, by both ways of UDP at the same time. */

import type { Bench, Part } from '../bench.js';
import { type Exporter, withExporter } from '../exporter.js';
import { cpuMicros } from '../proc.js';
import { atMost, duration, times } from '../report.js';

const DESTINATIONS = 10;
const INTERVAL_SECONDS = 30;
const MINUTES = 10;
const QUICK_MINUTES = 1;
/** From the first pings to the window: time for the JIT compiler and the garbage collector. */
const WARM_UP_MS = 15_000;

export const idle: Part = async (bench) => {
  const minutes = bench.isQuick ? QUICK_MINUTES : MINUTES;
  bench.say(`${DESTINATIONS} destinations each ${INTERVAL_SECONDS} s, for ${minutes} minutes`);
  return withIdle(bench, 'kernel', (kernel) =>
    withIdle(bench, 'dgram', async (dgram) => {
      const exporters = [kernel, dgram];
      await bench.stage.sleep(WARM_UP_MS);
      const before = exporters.map(({ pid }) => cpuMicros(pid));
      await bench.stage.sleep(minutes * 60_000);
      const [byKernel = 0, byDgram = 0] = exporters.map(
        ({ pid }, i) => cpuMicros(pid) - (before[i] ?? 0),
      );
      return [
        {
          part: 'idle',
          what: `CPU in ${minutes} min, ${DESTINATIONS} destinations each ${INTERVAL_SECONDS} s`,
          figure: duration(byKernel),
          beside: `udp.io dgram: ${duration(byDgram)}, ${times(byKernel / byDgram)}`,
          goal: 'not above dgram',
          verdict: atMost(byKernel, byDgram),
        },
      ];
    }),
  );
};

function withIdle<T>(
  bench: Bench,
  io: 'kernel' | 'dgram',
  use: (exporter: Exporter) => Promise<T>,
): Promise<T> {
  const flags = ['--udp.io', io];
  const options = { destinations: DESTINATIONS, intervalSeconds: INTERVAL_SECONDS, flags };
  return withExporter(bench, { ...options, isPinned: false }, use);
}
