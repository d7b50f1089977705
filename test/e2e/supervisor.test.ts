import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { startFleet } from '../../demo/fleet.js';
import { readConfig } from '../../src/config/config.js';
import { readFlags } from '../../src/config/flags.js';
import { DestinationRegistry } from '../../src/registry/registry.js';
import { systemClock } from '../../src/shared/clock.js';
import { NO_PEERS, type RegisteredDestination } from '../../src/shared/destination.js';
import { createLedger, PINGER } from '../../src/shared/ledger/layout.js';
import { LedgerReader } from '../../src/shared/ledger/reader.js';
import type { LogLine, PingerStart } from '../../src/shared/protocol.js';
import { Supervisor } from '../../src/supervisor/supervisor.js';
import { noFaults } from '../support/faults.js';
import { LEDGER_SETTINGS } from '../support/ledger-settings.js';
import { eventually, folder } from '../support/process.js';

const WORKER = new URL('../../src/pinger/worker.js', import.meta.url);

const DNS = {
  servers: [],
  resolvConf: '',
  search: [],
  timeoutMs: 2000,
  minTtlMs: 5000,
  maxTtlMs: 300_000,
  hostsFile: '',
};

/** Listeners that do nothing. */
const QUIET = {
  dns: DNS,
  onTargets: () => {},
  onServers: () => {},
  onPeers: () => {},
  files: () => new Map(),
  onPings: () => {},
  onChanged: () => {},
  logDebug: () => {},
  debug: () => ({ level: undefined, destinations: [] }),
  ledgerSettings: () => LEDGER_SETTINGS,
  faults: noFaults(),
  clock: systemClock,
};

test('counters, verdicts and targets survive repeated crashes of the pinger thread', async (t) => {
  const fleet = await startFleet(folder(t));
  t.after(() => fleet.close());
  const steady = fleet.members.filter(({ verdict }) => verdict !== 'flapping');
  const args = steady.map(({ uri }) => `--destination=${uri}`);
  const flags = readFlags([...args, '--ping_interval=2']);
  const config = readConfig({ flags, env: {}, version: '0' });
  const buffer = createLedger();
  const reader = new LedgerReader(buffer);
  const threads: Worker[] = [];
  const logged: LogLine[] = [];
  const registry: DestinationRegistry = new DestinationRegistry({
    monitor: (entries) => supervisor.monitor(entries),
    unmonitor: (removed) => supervisor.unmonitor(removed.map(({ slot }) => slot)),
  });
  const supervisor = new Supervisor({
    udpIo: 'auto',
    ledger: buffer,
    ...QUIET,
    destinations: () => registry.all(),
    onTargets: (resolved) => registry.setTargets(resolved),
    onServers: (servers) => registry.setServers(servers),
    onPeers: (peers) => registry.setPeers(peers),
    log: (line) => logged.push(line),
    spawn: (start: PingerStart) => {
      const thread = new Worker(WORKER, { workerData: start });
      threads.push(thread);
      return thread;
    },
  });
  t.after(() => supervisor.stop());
  supervisor.start();
  const claims = config.destinations.map((destination) => ({ owner: 'config', destination }));
  registry.set('configuration', claims);
  const rows = () =>
    registry.all().map((registered) => {
      const [target] = registered.targets;
      const row = target === undefined ? undefined : reader.target(target.slot);
      return {
        pings: row?.pings ?? 0,
        slot: target?.slot,
        state: reader.destination(registered.slot)?.state,
      };
    });
  const allPinged = (more: readonly { pings: number }[]) => () =>
    rows().every(({ pings }, i) => pings >= (more[i]?.pings ?? 0) + 2);

  await eventually('all were pinged', allPinged([]));
  for (let round = 1; round <= 3; round++) {
    const before = rows();
    await threads.at(-1)?.terminate();
    assert.equal(supervisor.isReady, false, 'meanwhile it is not ready');
    for (const [i, row] of rows().entries()) {
      assert.ok(row.pings >= (before[i]?.pings ?? 0), 'no counter decreased');
      assert.equal(row.state, before[i]?.state, 'the verdict is kept');
    }
    await eventually('it is ready again', () => supervisor.isReady);
    await eventually('all were pinged again', allPinged(before));
    for (const [i, row] of rows().entries()) {
      assert.deepEqual(row.slot, before[i]?.slot, 'the target kept its row');
      assert.notEqual(row.state, 'unknown');
    }
    assert.equal(supervisor.restarts, round);
  }
  assert.equal(logged.filter(({ level }) => level === 'error').length, 3);
});

/** A pinger thread that hangs once it has started. */
const HANGING = `
  require('node:worker_threads').parentPort.postMessage({ type: 'ready' });
  for (;;);
`;

test('a pinger thread that hangs is terminated and restarted', async (t) => {
  const buffer = createLedger();
  let spawned = 0;
  const supervisor = new Supervisor({
    udpIo: 'auto',
    ledger: buffer,
    ...QUIET,
    destinations: () => [],
    log: () => {},
    spawn: (start) => {
      spawned++;
      return spawned === 1
        ? new Worker(HANGING, { eval: true })
        : new Worker(WORKER, { workerData: start });
    },
  });
  t.after(() => supervisor.stop());
  supervisor.start();
  await eventually('it is ready again', () => supervisor.restarts === 1 && supervisor.isReady);
});

/** A pinger thread that crashes while it works for a certain destination. */
const DYING = `
  const { parentPort, workerData } = require('node:worker_threads');
  parentPort.on('message', (message) => {
    if (message.type !== 'monitor') return;
    const indexes = message.destinations.map(({ slot }) => slot.index);
    parentPort.postMessage({ type: 'log', level: 'info', message: 'monitor', fields: { indexes: indexes.join() } });
    if (!indexes.includes(workerData.deadly)) return;
    Atomics.store(new Int32Array(workerData.ledger), workerData.cell, workerData.deadly + 1);
    setImmediate(() => process.exit(1));
  });
  parentPort.postMessage({ type: 'ready' });
`;

test('a destination during whose work the thread crashes three times within a minute is left out, logged, and used again once it changes', async (t) => {
  const buffer = createLedger();
  const logged: LogLine[] = [];
  const flags = readFlags(['--destination=192.0.2.1', '--destination=192.0.2.2']);
  const { destinations } = readConfig({ flags, env: {}, version: '0' });
  const all: RegisteredDestination[] = destinations.map((destination, index) => ({
    ...{ destination, slot: { index, generation: 1 }, owners: ['config'], isFollowed: false },
    ...{ targets: [], server: '', peers: NO_PEERS },
  }));
  let deadly = 1;
  const supervisor = new Supervisor({
    udpIo: 'auto',
    ledger: buffer,
    ...QUIET,
    destinations: () => all,
    log: (line) => logged.push(line),
    spawn: ({ ledger }) => {
      const workerData = { ledger, deadly, cell: PINGER.currentDestination };
      return new Worker(DYING, { eval: true, workerData });
    },
  });
  t.after(() => supervisor.stop());
  supervisor.start();
  const monitored = () =>
    logged.filter(({ message }) => message === 'monitor').map(({ fields }) => fields['indexes']);
  await eventually(
    'the fourth thread gets only the other destination',
    () => monitored().length === 4,
    60_000,
  );
  assert.deepEqual(monitored(), ['0,1', '0,1', '0,1', '0']);
  assert.equal(supervisor.restarts, 3);
  const lines = logged.filter(({ message }) => /crashed repeatedly/.test(message));
  assert.deepEqual(
    lines.map(({ fields }) => fields['destinations']),
    ['sip:192.0.2.2'],
  );

  deadly = -1;
  const [, changed] = all;
  if (changed !== undefined) supervisor.monitor([changed]);
  await eventually('it is monitored again', () => monitored().at(-1) === '1');
});
