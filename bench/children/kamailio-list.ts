/**
 * Reads and reconciles the list of a running Kamailio as the main thread of the exporter does, but pings
 * nothing.
 *
 * usage: kamailio-list URL READS total | slices
 *
 * Prints a line of JSON for each read: CPU time of the main thread in milliseconds, in total or of its longest
 * slice. A busy machine interrupts the thread, so the time of a clock would say little. To see the slices, the
 * thread has to spin.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../../src/config/config.js';
import { readFlags } from '../../src/config/flags.js';
import { KamailioRpc } from '../../src/discovery/kamailio-rpc.js';
import { Parser } from '../../src/discovery/parsing/parser.js';
import { Reconciler } from '../../src/discovery/reconciler.js';
import { requester } from '../../src/platform/http-client.js';
import { DestinationRegistry } from '../../src/registry/registry.js';
import { systemClock as clock } from '../../src/shared/clock.js';
import { threadCpuMicros } from '../proc.js';

/** Lets the process come to rest between two reads. */
const PAUSE_MS = 500;

const [url = '', reads = '', mode = ''] = process.argv.slice(2);
const content = { discovery: { kamailio_rpc: [{ url, attributes: ['carrier'] }] } };
const config = readConfig({ flags: readFlags([]), env: {}, version: '1', content });
const [settings] = config.sources;
if (settings?.kind !== 'kamailio_rpc') throw new Error('expected a source');
const request = requester({ userAgent: 'bench', files: () => new Map(), clock });
const reader = new KamailioRpc({ settings, request, parser: new Parser(clock) });
const registry = new DestinationRegistry({ monitor: () => {}, unmonitor: () => {} });
const reconciler = new Reconciler(registry, config, () => {});

const cpuMs = () => threadCpuMicros(process.pid) / 1000;

/** Returns a function that ends the measurement, and returns the milliseconds of the longest slice. */
function measureSlices(): () => number {
  let [longest, last, isOver] = [0, cpuMs(), false];
  const tick = () => {
    longest = Math.max(longest, cpuMs() - last);
    last = cpuMs();
    if (!isOver) setImmediate(tick);
  };
  tick();
  return () => {
    isOver = true;
    return longest;
  };
}

function measureTotal(): () => number {
  const before = cpuMs();
  return () => cpuMs() - before;
}

for (let i = 0; i < Number(reads); i++) {
  await sleep(PAUSE_MS);
  const end = mode === 'slices' ? measureSlices() : measureTotal();
  const { errors, ...findings } = await reader.read(new AbortController().signal);
  await reconciler.apply(settings, findings);
  console.log(JSON.stringify({ ms: end(), destinations: registry.size, errors }));
}
