import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../src/shared/clock.js';
import { Descriptors } from '../../src/shared/ledger/descriptors.js';
import { createLedger } from '../../src/shared/ledger/layout.js';
import type { LogLine } from '../../src/shared/protocol.js';
import { closeDescriptors } from '../../src/supervisor/close-descriptors.js';
import { Supervisor } from '../../src/supervisor/supervisor.js';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { noFaults } from '../support/faults.js';
import { LEDGER_SETTINGS } from '../support/ledger-settings.js';
import { freePort } from '../support/ports.js';
import { eventually } from '../support/process.js';
import { EACH_UDP_IO, KERNEL } from '../support/udp-io.js';

const WORKER = new URL('../../src/pinger/worker.js', import.meta.url);
const SOCKET_THREAD = new URL('../support/socket-thread.js', import.meta.url);
const THREADS = 1000;
/** Threads that run at the same time. */
const LANES = 4;

for (const [io, options] of EACH_UDP_IO) {
  describe(`UDP by ${io}`, options, () => {
    test('measures round trips and reports what is in use', async (t) => {
      const farEnd = await startFarEnd(t, 'udp', (_request, good) => [good]);
      const exporter = await startExporter(
        t,
        {
          ping_interval: 1,
          ping_timeout: 0.9,
          destinations: [{ name: 'up', uri: `127.0.0.1:${farEnd.port}` }],
        },
        [`--udp.io=${io}`],
      );
      await eventually('it is up', async () => (await exporter.isAlive('up')) === 1);
      await eventually('there are round trips', async () => {
        const count = await exporter.metric('sip_keepalive_rtt_seconds_count', {
          destination: 'up',
        });
        return (count ?? 0) >= 2;
      });
      // Until the next ping, the answer in the last exchange comes after the measured round trip.
      await eventually('the last exchange has the round trip', async () => {
        const [target] = (await exporter.destination('up')).targets;
        const steps = target?.exchange?.steps ?? [];
        assert.deepEqual(
          steps.map(({ direction }) => direction),
          ['sent', 'received'],
        );
        return steps[0]?.offset === 0 && steps[1]?.offset === target?.rtt;
      });
      assert.equal(await exporter.metric('sip_keepalive_exporter_udp_io_info', { io }), 1);
      assert.equal(await exporter.metric('sip_keepalive_exporter_udp_unstamped_total'), 0);
    });

    test('detects a closed port with the first ping, over IPv4 and IPv6', async (t) => {
      const [four, six] = [await freePort(), await freePort('::1')];
      const exporter = await startExporter(
        t,
        {
          ping_interval: 30,
          destinations: [
            { name: 'four', uri: `127.0.0.1:${four}` },
            { name: 'six', uri: `[::1]:${six}` },
          ],
        },
        [`--udp.io=${io}`],
      );
      for (const name of ['four', 'six']) {
        await eventually('it is down', async () => (await exporter.isAlive(name)) === 2);
        const { reason, targets } = await exporter.destination(name);
        assert.equal(reason, 'refused');
        assert.equal(targets[0]?.pings, 1);
        if (io === 'kernel')
          assert.match(targets[0]?.detail ?? '', /^ICMP(v6)?: port unreachable$/);
      }
    });
  });
}

test('a pinger thread that dies leaves no descriptor behind', KERNEL, async (t) => {
  const ledger = createLedger();
  const threads: Worker[] = [];
  const logged: LogLine[] = [];
  const supervisor = new Supervisor({
    ...{ ledger, udpIo: 'kernel', clock: systemClock, faults: noFaults() },
    dns: {
      ...{ servers: [], resolvConf: '', search: [], hostsFile: '' },
      ...{ timeoutMs: 2000, minTtlMs: 5000, maxTtlMs: 300_000 },
    },
    destinations: () => [],
    files: () => new Map(),
    onTargets: () => {},
    onServers: () => {},
    onPeers: () => {},
    onPings: () => {},
    onChanged: () => {},
    logDebug: () => {},
    debug: () => ({ level: undefined, destinations: [] }),
    ledgerSettings: () => LEDGER_SETTINGS,
    log: (line) => logged.push(line),
    spawn: (start) => {
      const thread = new Worker(WORKER, { workerData: start });
      threads.push(thread);
      return thread;
    },
  });
  t.after(() => supervisor.stop());
  supervisor.start();
  const descriptors = new Descriptors(ledger);
  const open = () => readdirSync('/proc/self/fd').length;
  await eventually('the thread is ready', () => supervisor.isReady);
  assert.ok(descriptors.all().length > 0);
  const before = open();
  for (let round = 0; round < 3; round++) {
    await threads.at(-1)?.terminate();
    await eventually('another thread is ready', () => supervisor.isReady);
  }
  assert.ok(open() <= before, `${open()} descriptors, ${before} before`);
});

test(
  'a thousand threads that die with open sockets leave no descriptor behind',
  KERNEL,
  async () => {
    const open = () => readdirSync('/proc/self/fd').length;
    const lane = async () => {
      const ledger = createLedger();
      for (let i = 0; i < THREADS / LANES; i++) {
        const thread = new Worker(SOCKET_THREAD, { workerData: ledger });
        await once(thread, 'message');
        // Anywhere in what it does.
        await sleep(Math.random());
        await thread.terminate();
        assert.ok(new Descriptors(ledger).all().length >= 2);
        closeDescriptors(ledger, noFaults());
      }
    };
    const before = open();
    await Promise.all(Array.from({ length: LANES }, lane));
    assert.equal(open(), before);
  },
);
