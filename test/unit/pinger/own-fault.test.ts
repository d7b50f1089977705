import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exposition } from '../../../src/metrics/exposition.js';
import { TEXT } from '../../../src/metrics/format.js';
import { RowLabels } from '../../../src/metrics/row-labels.js';
import type { LocateResult } from '../../../src/pinger/dns/locate.js';
import type { ServerLocation } from '../../../src/pinger/dns/location.js';
import { Pinger } from '../../../src/pinger/pinger.js';
import type { Flow, FlowListener, Transport } from '../../../src/pinger/transport/transport.js';
import {
  type Destination,
  NO_PEERS,
  type RegisteredDestination,
} from '../../../src/shared/destination.js';
import { Files } from '../../../src/shared/file-contents.js';
import { createLedger } from '../../../src/shared/ledger/layout.js';
import { LedgerReader } from '../../../src/shared/ledger/reader.js';
import { LedgerWriter } from '../../../src/shared/ledger/writer.js';
import type { TransportFailure } from '../../../src/shared/outcome.js';
import type { FromPinger, ResolvedTargets, VerdictUpdate } from '../../../src/shared/protocol.js';
import { destinationView as describeDestination } from '../../../src/status/describe.js';
import { FakeClock } from '../../support/fake-clock.js';
import { noDebug, noFaults } from '../../support/faults.js';
import { textRenderer } from '../../support/renderers.js';
import { settings } from '../../support/settings.js';

const INTERVAL_MS = 1_000;
const TIMEOUT_MS = 900;
const DESTINATION: Destination = {
  ...{ name: 'd', uri: 'sip:d.example', module: 'default', labels: {} },
  settings: settings({ intervalMs: INTERVAL_MS, timeoutMs: TIMEOUT_MS }),
};
const SLOT = { index: 0, generation: 1 };

/** Every ping fails at once: refused, or with this failure. */
class ScriptedTransport implements Transport {
  failure: TransportFailure | undefined;

  open(_endpoint: unknown, listener: FlowListener): Flow {
    return {
      isReliable: false,
      prepare: () => {
        if (this.failure === undefined) listener.failed({ reason: 'refused' });
        else listener.failed(this.failure);
      },
      ...{ send() {}, resend() {}, pingEnded() {}, close() {} },
      explain: (outcome) => outcome,
    };
  }
  close(): void {}
}

const LOCATION: ServerLocation = {
  ...{ transport: 'udp', address: '192.0.2.1', family: 4, port: 5060 },
  ...{ priority: undefined, weight: undefined, steps: [] },
};
const located: LocateResult = {
  ...{ kind: 'located', locations: [LOCATION], expiresAtMs: Number.POSITIVE_INFINITY },
  ...{ lookupError: undefined, errors: [] },
};
const unlocated = (reason: 'local' | 'nxdomain'): LocateResult => ({
  ...{ kind: 'failed', reason, detail: reason, errors: [] },
});

function setUp(resolve: () => LocateResult) {
  const clock = new FakeClock();
  const transport = new ScriptedTransport();
  const buffer = createLedger();
  const posted: FromPinger[] = [];
  const pinger = new Pinger({
    clock,
    writer: new LedgerWriter(buffer, Date.now),
    previousTargets: [],
    resolver: { locate: async () => resolve() },
    ttls: { minTtlMs: 5_000, maxTtlMs: 300_000 },
    openTransport: () => transport,
    files: new Files(),
    faults: noFaults(),
    debug: noDebug(),
    afterReads: (callback) => callback(),
    post: (message) => posted.push(message),
  });
  pinger.start();
  pinger.handle({
    type: 'monitor',
    destinations: [{ slot: SLOT, destination: DESTINATION, isFollowed: false }],
  });
  const ledger = new LedgerReader(buffer);
  const resolved = (): ResolvedTargets | undefined =>
    posted.flatMap((message) => (message.type === 'targets' ? message.resolved : [])).at(-1);
  const watched = (): RegisteredDestination => ({
    ...{ destination: DESTINATION, slot: SLOT, owners: ['config'], isFollowed: false },
    ...{ targets: resolved()?.targets ?? [], server: '', peers: NO_PEERS },
  });
  const watching = {
    ledger,
    registry: {
      size: 1,
      all: () => [watched()],
      named: () => watched(),
      at: () => watched(),
      withUri: () => [watched()],
    },
    now: () => clock.epoch(),
  };
  return {
    ...{ clock, transport, pinger, ledger },
    shown: () => describeDestination(watching, watched()),
    changes: (): VerdictUpdate[] =>
      posted.flatMap((message) => (message.type === 'changed' ? message.changes : [])),
    metrics: async () => {
      let text = '';
      for await (const piece of exposition(
        { status: watching, format: TEXT, rowLabels: new RowLabels(), hasExemplars: true },
        textRenderer(),
      ))
        text += piece;
      return text;
    },
    pass: (ms: number) => clock.advanceSettling(ms),
  };
}

/** After this time a verdict that no ping renews is stale. */
const STALE_MS = 3 * INTERVAL_MS + TIMEOUT_MS;
const LOCAL_FAILURE: TransportFailure = { reason: 'local', detail: 'EMFILE' };

test('local failures leave the verdict as it was, until it is stale', async () => {
  const it = setUp(() => located);
  await it.pass(2 * INTERVAL_MS);
  assert.deepEqual([it.shown().state, it.shown().reason], ['down', 'refused']);
  const pings = it.shown().targets[0]?.pings ?? 0;

  it.transport.failure = LOCAL_FAILURE;
  await it.pass(STALE_MS - INTERVAL_MS);
  assert.deepEqual([it.shown().state, it.shown().reason], ['down', 'refused']);
  assert.equal(it.shown().targets[0]?.reason, 'local', 'the last ping has its own reason');

  await it.pass(3 * INTERVAL_MS);
  const { state, code, reason, targets } = it.shown();
  assert.deepEqual([state, code, reason], ['unknown', -1, 'local']);
  assert.ok((targets[0]?.pings ?? 0) > pings, 'they are counted');
  assert.equal(it.changes().length, 1, 'and do not change the verdict');
  const metrics = await it.metrics();
  assert.match(metrics, /^sip_keepalive_is_alive\{destination="d"\} -1$/m);
  assert.doesNotMatch(metrics, /^sip_keepalive_up\{/m);
  assert.match(metrics, /^sip_keepalive_ping_failures_total\{.*reason="local"\} [1-9]/m);

  it.transport.failure = undefined;
  await it.pass(INTERVAL_MS);
  assert.deepEqual([it.shown().state, it.shown().reason], ['down', 'refused']);
  it.pinger.close();
});

test('a destination that the exporter could never ping is unknown, never down', async () => {
  const it = setUp(() => located);
  it.transport.failure = LOCAL_FAILURE;
  await it.pass(10 * INTERVAL_MS);
  assert.deepEqual(
    [it.shown().state, it.shown().code, it.shown().reason],
    ['unknown', -1, 'local'],
  );
  assert.deepEqual(it.changes(), []);
  assert.ok(it.ledger.pinger().localRun > 3);
  it.transport.failure = undefined;
  await it.pass(INTERVAL_MS);
  assert.equal(it.ledger.pinger().localRun, 0, 'one ping that is sent ends the run');
  it.pinger.close();
});

test('a lookup that fails locally changes no verdict; a verdict on a name without an address becomes stale', async () => {
  let reason: 'local' | 'nxdomain' = 'local';
  const it = setUp(() => unlocated(reason));
  await it.pass(60_000);
  assert.equal(it.shown().state, 'unknown');
  reason = 'nxdomain';
  await it.pass(60_000);
  assert.deepEqual([it.shown().state, it.shown().reason], ['down', 'resolution']);
  await it.pass(300_000);
  assert.equal(it.shown().state, 'down', 'while lookups confirm it');
  reason = 'local';
  await it.pass(300_000);
  assert.equal(it.shown().state, 'unknown');
  it.pinger.close();
});
