/** A Prometheus with what the recording rules would have recorded. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { KNOWN, RTT, UP } from '../../src/upstream/long-spans.js';
import { folder, runToEnd } from './process.js';
import { startPrometheus } from './prometheus.js';

const HOUR = 3_600;

/** What the recording rules would have recorded of these destinations in the last 50 hours. */
export function recorded(
  values: readonly (readonly [destination: string, instance: string, value: number])[],
) {
  const last = Math.floor(Date.now() / 1000 / HOUR) * HOUR;
  const escaped = (text: string) => text.replace(/[\\"]/g, '\\$&');
  const family = (name: string, from: number, step: number, of: (value: number) => number) => [
    `# TYPE ${name} gauge`,
    ...values.flatMap(([destination, instance, value]) => {
      const labels = `{destination="${escaped(destination)}",job="sip",instance="${instance}"}`;
      const count = Math.floor((Date.now() / 1000 - from) / step) + 1;
      return Array.from(
        { length: count },
        (_, i) => `${name}${labels} ${of(value)} ${from + i * step}`,
      );
    }),
  ];
  return [
    ...family(UP, last - 50 * HOUR, 300, (value) => 300 * value),
    ...family(KNOWN, last - 50 * HOUR, 300, () => 300),
    ...family(RTT['5m'], last - 25 * HOUR, 300, (value) => value / 10),
    ...family(RTT['1h'], last - 50 * HOUR, HOUR, (value) => value / 10),
    '# EOF',
    '',
  ].join('\n');
}

/** A Prometheus with this data. */
export async function prometheusWith(t: TestContext, text: string) {
  const path = folder(t);
  const file = join(path, 'recorded.txt');
  writeFileSync(file, text);
  const data = join(path, 'data');
  const args = ['tsdb', 'create-blocks-from', '--quiet', 'openmetrics', file, data];
  const { status, output } = runToEnd('promtool', args);
  assert.equal(status, 0, output);
  return startPrometheus(t, [], {}, [`--storage.tsdb.path=${data}`]);
}
