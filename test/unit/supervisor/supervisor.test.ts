import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NO_PEERS, type RegisteredDestination } from '../../../src/shared/destination.js';
import { Faults } from '../../../src/shared/faults.js';
import { createLedger, PINGER } from '../../../src/shared/ledger/layout.js';
import type { LogLine } from '../../../src/shared/protocol.js';
import { Supervisor, type SupervisorOptions } from '../../../src/supervisor/supervisor.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakePinger } from '../../support/fake-pinger.js';
import { LEDGER_SETTINGS } from '../../support/ledger-settings.js';
import { settings } from '../../support/settings.js';

const DNS = {
  ...{ servers: [], resolvConf: '', search: [], hostsFile: '' },
  ...{ timeoutMs: 2000, minTtlMs: 5000, maxTtlMs: 300_000 },
};

const PROBE = { uri: 'sip:192.0.2.9', settings: settings(), timeoutMs: 1000, allow: [] };

function registered(index: number, generation = 1): RegisteredDestination {
  const name = `d${index}`;
  const destination = { name, uri: `sip:192.0.2.${index}`, module: 'default', labels: {} };
  return {
    destination: { ...destination, settings: settings() },
    ...{ slot: { index, generation }, owners: ['config'], isFollowed: false },
    ...{ targets: [], server: '', peers: NO_PEERS },
  };
}

function rig(all: RegisteredDestination[] = [], changed: Partial<SupervisorOptions> = {}) {
  const clock = new FakeClock();
  const ledger = createLedger();
  const cells = new Int32Array(ledger);
  const threads: FakePinger[] = [];
  const logged: LogLine[] = [];
  const events: unknown[] = [];
  const log = (line: LogLine) => logged.push(line);
  const faults = new Faults({ now: () => clock.now(), log });
  const supervisor = new Supervisor({
    ...{ ledger, dns: DNS, udpIo: 'dgram' as const, clock, faults, log, destinations: () => all },
    logDebug: (line) => events.push(['debug', line]),
    debug: () => ({ level: undefined, destinations: [] }),
    ledgerSettings: () => LEDGER_SETTINGS,
    files: () => new Map([['key', 'contents']]),
    onTargets: (resolved) => events.push(['targets', resolved]),
    onChanged: (changes) => events.push(['changed', changes]),
    onServers: (servers) => events.push(['servers', servers]),
    onPeers: (peers) => events.push(['peers', peers]),
    onPings: (pings) => events.push(['pings', pings]),
    spawn: (start) => {
      const thread = new FakePinger(start);
      threads.push(thread);
      return thread;
    },
    ...changed,
  });
  return {
    ...{ supervisor, clock, cells, threads, logged, events, faults, all },
    thread: () => threads.at(-1) ?? assert.fail('no thread'),
    settle: () => clock.advanceSettling(0),
    logEvents: () => logged.map(({ event }) => event),
    /** The pinger has written its heartbeat. */
    beat: () => Atomics.add(cells, PINGER.heartbeat, 1),
  };
}

/** Started, ready, and everything posted. */
async function running(all: RegisteredDestination[] = []) {
  const it = rig(all);
  it.supervisor.start();
  it.thread().send({ type: 'ready' });
  await settleAll(it);
  return it;
}

async function settleAll({ settle }: Pick<ReturnType<typeof rig>, 'settle'>) {
  for (let i = 0; i < 10; i++) await settle();
}

describe('the start of the pinger thread', () => {
  test('passes on the targets that were resolved before, and sends everything once it is ready', async () => {
    const target = {
      ...{ transport: 'udp', host: '192.0.2.1', port: 5060, priority: 0, weight: 0 },
      ...{ slot: { index: 7, generation: 1 } },
    } as unknown as RegisteredDestination['targets'][number];
    const all = [{ ...registered(1), targets: [target] }, registered(2)];
    const it = rig(all);
    it.supervisor.start();
    assert.deepEqual(
      it.thread().given.previousTargets.map(({ destination }) => destination.index),
      [1],
    );
    assert.deepEqual([it.supervisor.isReady, it.thread().received], [false, []]);
    it.thread().send({ type: 'ready' });
    await settleAll(it);
    assert.equal(it.supervisor.isReady, true);
    const [ledger, debug, files, monitor, ...others] = it.thread().received;
    assert.deepEqual(ledger, { type: 'ledger', ...LEDGER_SETTINGS });
    assert.deepEqual(debug, { type: 'debug', level: undefined, destinations: [] });
    assert.deepEqual(files, { type: 'files', files: new Map([['key', 'contents']]) });
    assert.ok(monitor?.type === 'monitor');
    assert.deepEqual(
      monitor.destinations.map(({ slot, destination }) => [slot.index, destination.uri]),
      [
        [1, 'sip:192.0.2.1'],
        [2, 'sip:192.0.2.2'],
      ],
    );
    assert.deepEqual(others, []);
  });

  test('frees the rows of destinations that were removed while it started', async () => {
    const known = { ...registered(1), targets: [{ slot: { index: 3, generation: 1 } }] };
    const it = rig([known as unknown as RegisteredDestination, registered(2)]);
    it.supervisor.start();
    it.all.shift();
    it.thread().send({ type: 'ready' });
    await settleAll(it);
    assert.deepEqual(it.thread().ofType('unmonitor'), [
      { type: 'unmonitor', slots: [{ index: 1, generation: 1 }] },
    ]);
  });

  test('is tried again when the system has no room for a thread', async () => {
    let failures = 2;
    const it = rig([], {
      spawn: (start) => {
        if (failures-- > 0) throw new Error('ERR_WORKER_INIT_FAILED');
        const thread = new FakePinger(start);
        it.threads.push(thread);
        return thread;
      },
    });
    assert.throws(() => it.supervisor.start(), /ERR_WORKER_INIT_FAILED/);
    failures = 0;
    it.supervisor.start();
    failures = 2;
    it.thread().exit();
    it.clock.advance(100);
    assert.deepEqual([it.threads.length, it.faults.count], [1, 1]);
    it.clock.advance(200);
    it.clock.advance(400);
    assert.deepEqual([it.threads.length, it.faults.count], [2, 2]);
    assert.equal(it.supervisor.restarts, 3);
  });
});

describe('messages to the pinger thread', () => {
  test('are batches of 500 destinations, one in a tick of the event loop', async () => {
    const many = Array.from({ length: 1_201 }, (_, i) => registered(i));
    const it = await running(many);
    assert.deepEqual(
      it
        .thread()
        .ofType('monitor')
        .map(({ destinations }) => destinations.length),
      [500, 500, 201],
    );
    it.supervisor.unmonitor(many.map(({ slot }) => slot));
    assert.equal(it.thread().ofType('unmonitor').length, 1, 'the first is posted at once');
    await settleAll(it);
    assert.equal(it.thread().ofType('unmonitor').length, 3);
  });

  test('before it is ready are not posted: everything is sent then', async () => {
    const it = rig([registered(1)]);
    it.supervisor.start();
    it.supervisor.monitor([registered(1)]);
    it.supervisor.sendFiles();
    await settleAll(it);
    assert.deepEqual(it.thread().received, []);
  });

  test('that are queued for a thread that exits are not posted to the next one', async () => {
    const it = await running([registered(1)]);
    it.supervisor.sendFiles();
    it.supervisor.sendFiles();
    const [first] = it.threads;
    it.thread().exit();
    it.clock.advance(100);
    await settleAll(it);
    assert.equal(first?.ofType('files').length, 2);
    assert.deepEqual(it.thread().received, []);
  });
});

describe('messages from the pinger thread', () => {
  test('go to their listeners', async () => {
    const it = await running();
    it.thread().send({ type: 'targets', resolved: [] });
    it.thread().send({ type: 'changed', changes: [] });
    it.thread().send({ type: 'servers', servers: [] });
    it.thread().send({ type: 'peers', peers: [] });
    it.thread().send({ type: 'pings', pings: [] });
    const line = { level: 'info', event: 'file_changed', message: 'm', fields: {} } as const;
    it.thread().send({ type: 'log', ...line });
    assert.deepEqual(
      it.events,
      ['targets', 'changed', 'servers', 'peers', 'pings'].map((kind) => [kind, []]),
    );
    assert.equal(it.logged.at(-1)?.message, 'm');
  });

  test('on which a listener throws are lost, and the next ones are not', async () => {
    const it = rig([], {
      onServers: () => {
        throw new Error('a bug');
      },
    });
    it.supervisor.start();
    it.thread().send({ type: 'ready' });
    it.thread().send({ type: 'servers', servers: [] });
    it.thread().send({ type: 'peers', peers: [] });
    assert.deepEqual([it.faults.count, it.events], [1, [['peers', []]]]);
  });
});

describe('probes and explanations', () => {
  const never = new AbortController().signal;

  test('are refused while the thread does not run', async () => {
    const it = rig();
    const slot = { index: 1, generation: 1 };
    await assert.rejects(it.supervisor.probe(PROBE, never), /thread is not running/);
    await assert.rejects(it.supervisor.explanation(slot), /thread is not running/);
  });

  test('are answered by their ids', async () => {
    const it = await running();
    const probes = [it.supervisor.probe(PROBE, never), it.supervisor.probe(PROBE, never)];
    const explanation = it.supervisor.explanation({ index: 1, generation: 1 });
    await settleAll(it);
    const report = { isAlive: true } as never;
    const asked = it
      .thread()
      .ofType('probe')
      .flatMap((message) => message.probes);
    assert.equal(asked.length, 2);
    it.thread().send({
      type: 'probed',
      results: asked.reverse().map(({ id }) => ({ id, report })),
    });
    for (const { id } of it.thread().ofType('explain')) {
      it.thread().send({ type: 'explained', id, explanation: undefined });
    }
    assert.deepEqual(await Promise.all(probes), [report, report]);
    assert.equal(await explanation, undefined);
  });

  test('without a report fail as an internal error', async () => {
    const it = await running();
    const probe = it.supervisor.probe(PROBE, never);
    await settleAll(it);
    const [{ id } = assert.fail()] = it.thread().ofType('probe')[0]?.probes ?? [];
    it.thread().send({ type: 'probed', results: [{ id, report: undefined }] });
    await assert.rejects(probe, { name: 'UnavailableError', message: /^internal error/ });
  });

  test('of probes that come while the queue pauses go together, up to sixteen in a message', async () => {
    const it = await running();
    const aborting = new AbortController();
    const probes = Array.from({ length: 40 }, () => it.supervisor.probe(PROBE, aborting.signal));
    for (let turn = 0; turn < 5; turn++) await settleAll(it);
    const sizes = it
      .thread()
      .ofType('probe')
      .map((message) => message.probes.length);
    assert.deepEqual(
      sizes.reduce((sum, size) => sum + size, 0),
      40,
    );
    assert.ok(sizes.length < 6 && Math.max(...sizes) === 16, sizes.join(' '));
    const ids = it
      .thread()
      .ofType('probe')
      .flatMap((message) => message.probes.map(({ id }) => id));
    assert.deepEqual(
      ids,
      [...ids].sort((a, b) => a - b),
    );
    aborting.abort(new Error('the client has gone'));
    await Promise.allSettled(probes);
  });

  test('that are aborted are cancelled', async () => {
    const it = await running();
    const aborting = new AbortController();
    const probe = it.supervisor.probe(PROBE, aborting.signal);
    await settleAll(it);
    aborting.abort(new Error('the client has gone'));
    await assert.rejects(probe, /the client has gone/);
    await settleAll(it);
    const [{ id } = assert.fail()] = it.thread().ofType('probe')[0]?.probes ?? [];
    assert.deepEqual(it.thread().ofType('cancel'), [{ type: 'cancel', id }]);
    await assert.rejects(it.supervisor.probe(PROBE, aborting.signal), /the client has gone/);
  });

  test('fail when the thread exits', async () => {
    const it = await running();
    const requests = [
      it.supervisor.probe(PROBE, never),
      it.supervisor.explanation({ index: 1, generation: 1 }),
    ];
    const failures = Promise.allSettled(requests);
    it.thread().exit();
    assert.deepEqual(
      (await failures).map(({ status }) => status),
      ['rejected', 'rejected'],
    );
  });

  test('beyond a thousand at the same time are refused', async () => {
    const it = await running();
    const all = Array.from({ length: 1_001 }, () => it.supervisor.probe(PROBE, never));
    await assert.rejects(all.at(-1) ?? assert.fail(), /too many pending requests \(1000\)/);
    const failures = Promise.allSettled(all);
    it.thread().exit();
    await failures;
  });
});

describe('the pinger thread exits', () => {
  test('it is restarted after 0.1 s, doubling up to 10 s, with its stack in the log', async () => {
    const it = await running();
    const pauses: unknown[] = [];
    for (let i = 0; i < 9; i++) {
      it.thread().exit(new Error(`crash ${i}`));
      const { event, fields } = it.logged.at(-1) ?? assert.fail();
      assert.equal(event, 'pinger_exited');
      assert.match(String(fields['error']), new RegExp(`^Error: crash ${i}\n +at `));
      const pauseMs = Number(fields['pause_ms']);
      pauses.push(pauseMs);
      it.clock.advance(pauseMs - 1);
      assert.equal(it.threads.length, i + 1, 'not earlier');
      it.clock.advance(1);
      assert.equal(it.threads.length, i + 2);
      assert.equal(it.supervisor.isReady, false);
    }
    assert.deepEqual(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
    assert.equal(it.supervisor.restarts, 9);
  });

  test('after more than a minute the pause is 0.1 s again', async () => {
    const it = await running();
    it.thread().exit();
    it.clock.advance(100);
    for (let i = 0; i < 61; i++) {
      it.beat();
      it.clock.advance(1_000);
    }
    it.thread().exit('a string');
    assert.deepEqual(it.logged.at(-1)?.fields, { pause_ms: 100, error: 'a string' });
  });

  test('three times within a minute: the destination that it worked for is left out until it changes', async () => {
    const it = await running([registered(1), registered(2)]);
    const work = () => Atomics.store(it.cells, PINGER.currentDestination, 2 + 1);
    for (let i = 0; i < 3; i++) {
      work();
      it.thread().exit();
      it.clock.advance(1_000);
    }
    const line = it.logged.find(({ event }) => event === 'destinations_quarantined');
    assert.deepEqual(line?.fields, { destinations: 'd2' });
    it.thread().send({ type: 'ready' });
    await settleAll(it);
    const watched = () =>
      it
        .thread()
        .ofType('monitor')
        .map(({ destinations }) => destinations.map(({ slot }) => slot.index));
    assert.deepEqual(watched(), [[1]]);
    it.supervisor.monitor([registered(2)]);
    await settleAll(it);
    assert.deepEqual(watched(), [[1], [2]]);
  });
});

describe('the heartbeat', () => {
  test('that is missing for ten seconds means that the thread hangs: it is terminated', async () => {
    const it = await running();
    it.beat();
    it.clock.advance(1_000);
    it.clock.advance(9_000);
    assert.equal(it.thread().isTerminated, false);
    const [first] = it.threads;
    it.clock.advance(1_000);
    assert.equal(first?.isTerminated, true);
    assert.deepEqual(it.logEvents(), ['pinger_hung', 'pinger_exited']);
    it.clock.advance(100);
    assert.equal(it.threads.length, 2);
  });

  test('may be missing for a minute while the thread starts, because its end could end the process', () => {
    const it = rig();
    it.supervisor.start();
    it.clock.advance(59_000);
    assert.equal(it.thread().isTerminated, false);
    const [first] = it.threads;
    it.clock.advance(1_000);
    assert.equal(first?.isTerminated, true);
  });

  test('that continues keeps the thread', async () => {
    const it = await running();
    for (let i = 0; i < 100; i++) {
      it.beat();
      it.clock.advance(1_000);
    }
    assert.deepEqual([it.threads.length, it.logEvents()], [1, []]);
  });
});

describe('the stop', () => {
  test('asks the thread to end, and resolves when it has exited, without a restart', async () => {
    const it = await running();
    const stopped = it.supervisor.stop();
    assert.deepEqual(it.thread().received.at(-1), { type: 'stop' });
    assert.equal(it.supervisor.isReady, false);
    it.thread().exit();
    await stopped;
    assert.deepEqual([it.clock.pending, it.logEvents(), it.thread().isTerminated], [0, [], false]);
  });

  test('terminates a thread that does not end within half a second', async () => {
    const it = await running();
    const stopped = it.supervisor.stop();
    it.clock.advance(499);
    assert.equal(it.thread().isTerminated, false);
    it.clock.advance(1);
    assert.equal(it.thread().isTerminated, true);
    await stopped;
  });

  test('leaves a thread that is still starting five seconds to end', async () => {
    const it = rig();
    it.supervisor.start();
    const stopped = it.supervisor.stop();
    it.clock.advance(4_999);
    assert.equal(it.thread().isTerminated, false);
    it.clock.advance(1);
    assert.equal(it.thread().isTerminated, true);
    await stopped;
  });

  test('during the pause before a restart ends that pause', async () => {
    const it = await running();
    it.thread().exit();
    await it.supervisor.stop();
    it.clock.advance(60_000);
    assert.deepEqual([it.threads.length, it.clock.pending], [1, 0]);
  });
});
