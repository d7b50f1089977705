/**
 * Reads and reconciles the list of a running Kamailio as the main thread of the exporter does, but pings
 * nothing.
 *
 * usage: kamailio-list URL READS
 *
 * Prints a line of JSON for each read: CPU time of the main thread and its longest slice, in milliseconds.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../../src/config/config.js';
import { readFlags } from '../../src/config/flags.js';
import { KamailioRpc } from '../../src/discovery/kamailio-rpc.js';
import { Parser } from '../../src/discovery/parsing/parser.js';
import { Reconciler } from '../../src/discovery/reconciler.js';
import { DestinationRegistry } from '../../src/registry/registry.js';
import { systemClock as clock } from '../../src/shared/clock.js';
import { requester } from '../../src/webhooks/http-client.js';
import { threadCpuMicros } from '../proc.js';

/** Lets the process come to rest between two reads. */
const PAUSE_MS = 500;

const [url = '', reads = ''] = process.argv.slice(2);
const content = { discovery: { kamailio_rpc: [{ url, attributes: ['carrier'] }] } };
const config = readConfig({ flags: readFlags([]), env: {}, version: '1', content });
const [settings] = config.sources;
if (settings?.kind !== 'kamailio_rpc') throw new Error('expected a source');
const request = requester({ userAgent: 'bench', files: () => new Map(), clock });
const reader = new KamailioRpc({ settings, request, parser: new Parser(clock) });
const registry = new DestinationRegistry({ monitor: () => {}, unmonitor: () => {} });
const reconciler = new Reconciler(registry, config, () => {});

for (let i = 0; i < Number(reads); i++) {
  await sleep(PAUSE_MS);
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const before = threadCpuMicros(process.pid);
  const { errors, ...findings } = await reader.read(new AbortController().signal);
  await reconciler.apply(settings, findings);
  const cpuMs = (threadCpuMicros(process.pid) - before) / 1000;
  delays.disable();
  const sliceMs = delays.max / 1e6;
  console.log(JSON.stringify({ cpuMs, sliceMs, destinations: registry.size, errors }));
}
