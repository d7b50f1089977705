import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Reloader } from '../../../src/config/reloader.js';
import type { SourceSettings } from '../../../src/config/source-settings.js';
import { Discovery } from '../../../src/discovery/discovery.js';
import { type DesiredState, Reconciler } from '../../../src/discovery/reconciler.js';
import type { HttpReply } from '../../../src/platform/http.js';
import type { Claim } from '../../../src/registry/claims.js';
import { DestinationRegistry } from '../../../src/registry/registry.js';
import { FakeClock } from '../../support/fake-clock.js';
import { NO_NAMING, settings } from '../../support/settings.js';

/** A reloader whose loads and applies are controlled by the test. */
function reloader(t: TestContext, clock: FakeClock) {
  let count = 0;
  const errors: string[] = [];
  const running: ((error?: Error) => void)[] = [];
  const state = { isInvalid: false, isBroken: false, busyMs: 0 };
  const reloads = new Reloader<number>({
    clock,
    load: () => {
      clock.stall(state.busyMs);
      if (state.isInvalid) throw new Error('line 3 is wrong');
      return ++count;
    },
    apply: (loaded) => {
      if (state.isBroken) throw new Error('a bug');
      return new Promise((resolve, reject) =>
        running.push((error) => (error === undefined ? resolve(void loaded) : reject(error))),
      );
    },
    onError: ({ message, during, isOutdated }) =>
      errors.push(`${during}${isOutdated ? ', outdated' : ''}: ${message}`),
  });
  t.after(() => reloads.close());
  const settle = () => clock.advanceSettling(0);
  const end = async (error?: Error) => {
    running.shift()?.(error);
    await settle();
  };
  return { reloads, state, errors, running, settle, end, loads: () => count };
}

test('all requests during a reload share the next one', async (t) => {
  const clock = new FakeClock();
  const { reloads, end, loads, settle } = reloader(t, clock);
  const first = reloads.reload();
  await settle();
  assert.equal(loads(), 1);
  const others = Array.from({ length: 50 }, () => reloads.reload());
  assert.equal(new Set([first, ...others]).size, 2);
  await clock.advanceSettling(10_000);
  assert.equal(loads(), 1, 'the first is still being applied');
  await end();
  assert.equal(await first, undefined);
  await clock.advanceSettling(10_000);
  assert.equal(loads(), 2);
  await end();
  assert.deepEqual(await Promise.all(others), Array(50).fill(undefined));
  await clock.advanceSettling(10_000);
  assert.equal(loads(), 2);
});

test('the start is the first in the queue', async (t) => {
  const clock = new FakeClock();
  const { reloads, running, end, loads, settle } = reloader(t, clock);
  const start = reloads.start(0);
  void reloads.reload();
  await clock.advanceSettling(1_000);
  assert.deepEqual([loads(), running.length], [0, 1]);
  await end();
  assert.equal(await start, undefined);
  await clock.advanceSettling(1_000);
  await settle();
  assert.equal(loads(), 1);
});

test('callers in a loop use at most a fifth of the time', async (t) => {
  const clock = new FakeClock();
  const { reloads, state, running, loads } = reloader(t, clock);
  state.busyMs = 300;
  const caller = async () => {
    while ((await reloads.reload()) === undefined);
  };
  const callers = Promise.all([caller(), caller(), caller(), caller(), caller()]);
  for (let i = 0; i < 3_000; i++) {
    await clock.advanceSettling(10);
    running.shift()?.();
  }
  reloads.close();
  for (const end of running) end();
  await clock.advanceSettling(60_000);
  await callers;
  assert.ok(loads() > 5, `${loads()} reloads`);
  const busy = (loads() * state.busyMs) / clock.now();
  assert.ok(busy <= 0.2, `${busy} of the time`);
});

test('an invalid configuration is answered with its error, and the next valid one is applied', async (t) => {
  const clock = new FakeClock();
  const { reloads, state, errors, end, loads } = reloader(t, clock);
  state.isInvalid = true;
  const wrong = reloads.reload();
  await clock.advanceSettling(0);
  assert.equal(await wrong, 'line 3 is wrong');
  state.isInvalid = false;
  state.isBroken = true;
  const broken = reloads.reload();
  await clock.advanceSettling(1_000);
  assert.equal(await broken, 'internal error: a bug');
  state.isBroken = false;
  const right = reloads.reload();
  await clock.advanceSettling(1_000);
  await end();
  assert.equal(await right, undefined);
  assert.deepEqual(errors, ['load: line 3 is wrong', 'apply: a bug']);
  assert.equal(loads(), 2);
});

test('a reload that hangs delays the next one for 30 seconds at most', async (t) => {
  const clock = new FakeClock();
  const { reloads, loads } = reloader(t, clock);
  const first = reloads.reload();
  await clock.advanceSettling(29_000);
  void reloads.reload();
  await clock.advanceSettling(2_000);
  assert.equal(await first, undefined);
  assert.equal(loads(), 2);
});

test('a failure that comes after the caller was answered is reported, once', async (t) => {
  const clock = new FakeClock();
  const { reloads, errors, end } = reloader(t, clock);
  const answer = reloads.reload();
  await clock.advanceSettling(31_000);
  assert.equal(await answer, undefined);
  assert.deepEqual(errors, []);
  await end(new Error('a bug'));
  assert.deepEqual(errors, ['apply: a bug']);
  await clock.advanceSettling(60_000);
  assert.equal(errors.length, 1);
});

test('a late failure is outdated when another reload has started meanwhile', async (t) => {
  const clock = new FakeClock();
  const { reloads, errors, end, loads } = reloader(t, clock);
  void reloads.reload();
  await clock.advanceSettling(31_000);
  void reloads.reload();
  await clock.advanceSettling(1_000);
  assert.equal(loads(), 2);
  await end(new Error('a bug'));
  await end(new Error('another'));
  assert.deepEqual(errors, ['apply, outdated: a bug', 'apply: another']);
});

test('a request that waits when the process stops is answered, and nothing is loaded', async (t) => {
  const clock = new FakeClock();
  const { reloads, end, loads } = reloader(t, clock);
  const first = reloads.reload();
  await clock.advanceSettling(0);
  await end();
  await first;
  const waiting = reloads.reload();
  await clock.advanceSettling(50);
  reloads.close();
  assert.equal(await waiting, 'the exporter is stopping');
  assert.equal(loads(), 1);
  assert.equal(clock.pending, 0);
});

/** A registry, a reconciler and sources, whose servers answer when the test says so. */
function discoveryRig(t: TestContext, clock: FakeClock) {
  const answers = new Map<string, (reply: HttpReply) => void>();
  const registry = new DestinationRegistry({ monitor: () => {}, unmonitor: () => {} });
  const none: DesiredState = {
    destinations: [],
    sources: [],
    shard: { ordinal: 0, total: 1 },
    readEntry: ({ uri }) => destination(String(uri)),
    moduleProblem: () => undefined,
  };
  const reconciler = new Reconciler(registry, none, (...reconciled) =>
    discovery.report(...reconciled),
  );
  const discovery: Discovery = new Discovery({
    request: ({ url }, _request, signal) =>
      new Promise((resolve, reject) => {
        answers.set(url, resolve);
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      }),
    onFindings: (source, findings) => reconciler.apply(source, findings),
    log: () => {},
    clock,
  });
  t.after(() => discovery.close());
  const current = { sources: [] as readonly SourceSettings[] };
  const reloads = new Reloader<DesiredState>({
    clock,
    load: () => ({ ...none, sources: current.sources }),
    apply: async (wanted) => {
      await reconciler.use(wanted);
      await discovery.set(wanted.sources);
      await reconciler.dropStaleSources();
    },
    onError: ({ message }) => assert.fail(message),
  });
  const answer = async (url: string, targets: readonly string[]) => {
    const body = Buffer.from(JSON.stringify([{ targets }]));
    answers.get(url)?.({ status: 200, contentType: 'application/json', location: '', body });
    await clock.advanceSettling(0);
  };
  return { reloads, registry, current, answer };
}

function destination(uri: string): Claim['destination'] {
  return { name: uri, uri: `sip:${uri}`, module: 'default', labels: {}, settings: settings() };
}

function httpSd(url: string): SourceSettings {
  const { tls } = settings();
  return {
    ...{ kind: 'http_sd', name: url, owner: 'o', refreshMs: 3_600_000, module: '', labels: {} },
    ...NO_NAMING,
    http: {
      url,
      timeoutMs: 10_000,
      tls,
      basicAuth: undefined,
      authorization: undefined,
      followRedirects: true,
    },
  };
}

test('a destination that moves to a slow source keeps its row when a second reload comes meanwhile', async (t) => {
  const clock = new FakeClock();
  const { reloads, registry, current, answer } = discoveryRig(t, clock);
  current.sources = [httpSd('http://old')];
  void reloads.reload();
  await clock.advanceSettling(1_000);
  await answer('http://old', ['127.0.0.1']);
  const row = registry.named('127.0.0.1')?.slot;
  assert.ok(row !== undefined);

  current.sources = [httpSd('http://new')];
  const first = reloads.reload();
  await clock.advanceSettling(1_000);
  const second = reloads.reload();
  await clock.advanceSettling(5_000);
  assert.equal(registry.named('127.0.0.1')?.slot, row, 'neither source has answered');
  await answer('http://new', ['127.0.0.1']);
  await clock.advanceSettling(5_000);
  assert.deepEqual(await Promise.all([first, second]), [undefined, undefined]);
  assert.equal(registry.named('127.0.0.1')?.slot, row);
  await clock.advanceSettling(60_000);
  assert.equal(registry.size, 1);
});

test('a destination that moves to a slow source keeps its row when the second reload does not wait for the first', async (t) => {
  const clock = new FakeClock();
  const { reloads, registry, current, answer } = discoveryRig(t, clock);
  current.sources = [httpSd('http://old')];
  void reloads.reload();
  await clock.advanceSettling(1_000);
  await answer('http://old', ['127.0.0.1']);
  const row = registry.named('127.0.0.1')?.slot;
  current.sources = [httpSd('http://new')];
  void reloads.reload();
  await clock.advanceSettling(40_000);
  void reloads.reload();
  await clock.advanceSettling(40_000);
  assert.equal(registry.named('127.0.0.1')?.slot, row);
  await answer('http://new', ['127.0.0.1']);
  assert.equal(registry.named('127.0.0.1')?.slot, row);
  assert.equal(registry.size, 1);
});
