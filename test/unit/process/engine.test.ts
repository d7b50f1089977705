import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEngine } from '../../../src/engine.js';
import { reportChange } from '../../../src/report-change.js';
import type { LogLine } from '../../../src/shared/protocol.js';
import type { StateChange } from '../../../src/status/state-change.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakePinger } from '../../support/fake-pinger.js';
import { LEDGER_SETTINGS } from '../../support/ledger-settings.js';
import { settings } from '../../support/settings.js';

const DNS = {
  ...{ servers: [], resolvConf: '', search: [], hostsFile: '' },
  ...{ timeoutMs: 2000, minTtlMs: 5000, maxTtlMs: 300_000 },
};

function rig() {
  const clock = new FakeClock();
  const logged: LogLine[] = [];
  const threads: FakePinger[] = [];
  const removed: string[] = [];
  const engine = createEngine({
    ...{ dns: DNS, udpIo: 'dgram' as const, files: () => new Map(), clock },
    log: (line) => logged.push(line),
    logDebug: (line) => logged.push(line),
    logSettings: () => ({ logLevel: 'info', logDestinations: [] }),
    ledgerSettings: () => LEDGER_SETTINGS,
    onRemoved: (all) => removed.push(...all.map(({ destination }) => destination.name)),
    spawn: (start) => {
      const thread = new FakePinger(start);
      threads.push(thread);
      return thread;
    },
  });
  const changes: StateChange[] = [];
  engine.changes.subscribe((change) => changes.push(change));
  engine.supervisor.start();
  const thread = threads[0] ?? assert.fail();
  thread.send({ type: 'ready' });
  const claim = {
    owner: 'config',
    destination: {
      ...{ name: 'a', uri: 'sip:192.0.2.1', module: 'default', labels: {} },
      settings: settings(),
    },
  };
  return { ...engine, engine, clock, logged, thread, changes, claim, removed };
}

const DOWN = {
  from: 'unknown',
  to: 'down',
  reason: 'timeout',
  detail: '',
  sipCode: undefined,
  atMs: 5,
} as const;

test('destinations that are added to the registry are sent to the pinger, and removed ones are withdrawn', async () => {
  const { registry, thread, clock, claim, removed } = rig();
  registry.set('configuration', [claim]);
  for (let i = 0; i < 5; i++) await clock.advanceSettling(0);
  const slot = registry.named('a')?.slot ?? assert.fail();
  assert.deepEqual(
    thread.ofType('monitor').flatMap(({ destinations }) => destinations.map((one) => one.slot)),
    [slot],
  );
  registry.set('configuration', []);
  for (let i = 0; i < 5; i++) await clock.advanceSettling(0);
  assert.deepEqual(thread.ofType('unmonitor'), [{ type: 'unmonitor', slots: [slot] }]);
  assert.deepEqual(removed, ['a']);
});

test('a state change is reported with its destination, and not at all for a removed one', async () => {
  const { registry, thread, changes, claim } = rig();
  registry.set('configuration', [claim]);
  const destination = registry.named('a')?.slot ?? assert.fail();
  thread.send({ type: 'changed', changes: [{ destination, ...DOWN }] });
  const gone = { ...destination, generation: destination.generation + 1 };
  thread.send({ type: 'changed', changes: [{ destination: gone, ...DOWN }] });
  assert.deepEqual(
    changes.map(({ destination: { name }, owners, to }) => [name, owners, to]),
    [['a', ['config'], 'down']],
  );
});

test('servers, peers and targets from the pinger go to the registry, and pings without a listener nowhere', () => {
  const { registry, thread, faults, claim } = rig();
  registry.set('configuration', [claim]);
  const destination = registry.named('a')?.slot ?? assert.fail();
  thread.send({ type: 'servers', servers: [{ destination, server: 'kamailio' }] });
  thread.send({ type: 'peers', peers: [] });
  thread.send({ type: 'targets', resolved: [] });
  thread.send({ type: 'pings', pings: [] });
  assert.equal(registry.named('a')?.server, 'kamailio');
  assert.equal(faults.count, 0);
});

test('a listener of state changes that throws is an internal error, and the others get the change', () => {
  const { registry, thread, changes, engine, faults, claim } = rig();
  engine.changes.subscribe(() => {
    throw new Error('a bug');
  });
  registry.set('configuration', [claim]);
  const destination = registry.named('a')?.slot ?? assert.fail();
  thread.send({ type: 'changed', changes: [{ destination, ...DOWN }] });
  assert.deepEqual([changes.length, faults.count], [1, 1]);
});

test('a state change is logged with its reason, and webhooks get up and down', () => {
  const { claim } = rig();
  const logged: LogLine[] = [];
  const notified: { event: string; body: string }[] = [];
  const report = (change: Partial<StateChange>) =>
    reportChange(
      { id: '1', destination: claim.destination, owners: [], ...DOWN, ...change },
      (line) => logged.push(line),
      { notify: ({ event, body }) => void notified.push({ event, body: String(body) }) },
    );
  report({});
  report({ detail: 'no route', reason: 'unreachable' });
  report({ from: 'down', to: 'unknown', reason: undefined });
  report({ from: 'unknown', to: 'up', reason: undefined });
  assert.deepEqual(
    logged.map(({ level, event }) => [level, event]),
    [
      ['warn', 'destination_down'],
      ['warn', 'destination_down'],
      ['info', 'destination_unknown'],
      ['info', 'destination_up'],
    ],
  );
  assert.equal(logged[0]?.fields['reason'], 'timeout');
  assert.equal(logged[1]?.fields['why'], 'no route');
  assert.deepEqual(logged[3]?.fields, { destination: 'a', from: 'unknown' });
  assert.deepEqual(
    notified.map(({ event }) => event),
    ['dst-down', 'dst-down', 'dst-up'],
  );
  assert.match(notified[0]?.body ?? '', /"destination":"a"/);
});
