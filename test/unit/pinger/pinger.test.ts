import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LocateResult } from '../../../src/pinger/dns/locate.js';
import type { ServerLocation } from '../../../src/pinger/dns/location.js';
import { Pinger } from '../../../src/pinger/pinger.js';
import type { Flow, FlowListener, Transport } from '../../../src/pinger/transport/transport.js';
import type { Destination, PingSettings } from '../../../src/shared/destination.js';
import { Files } from '../../../src/shared/file-contents.js';
import { createLedger } from '../../../src/shared/ledger/layout.js';
import { LedgerReader } from '../../../src/shared/ledger/reader.js';
import { LedgerWriter } from '../../../src/shared/ledger/writer.js';
import type { ResolvedTargets } from '../../../src/shared/protocol.js';
import { FakeClock } from '../../support/fake-clock.js';
import { noDebug, noFaults } from '../../support/faults.js';
import { settings } from '../../support/settings.js';

const SETTINGS: PingSettings = settings({ intervalMs: 1000, timeoutMs: 900 });
const DESTINATION: Destination = {
  ...{ name: 'd', uri: 'sip:d.example', module: 'default', labels: {}, settings: SETTINGS },
};
const SLOT = { index: 0, generation: 1 };

/** A transport over which a ping fails at once, or is never answered. */
class DeadTransport implements Transport {
  isRefusing = false;
  opened: string[] = [];

  open({ address }: { address: string }, listener: FlowListener): Flow {
    this.opened.push(address);
    const local = { address: '192.0.2.9', port: 4000 };
    return {
      isReliable: false,
      prepare: () => listener.ready(local),
      send: () => {
        if (this.isRefusing) listener.failed({ reason: 'refused' });
      },
      ...{ resend() {}, pingEnded() {}, close() {} },
      explain: (outcome) => outcome,
    };
  }
  close(): void {}
}

function setUp(
  resolve: () => LocateResult,
  known: readonly ResolvedTargets[] = [],
  buffer = createLedger(),
) {
  const clock = new FakeClock();
  const transport = new DeadTransport();
  const resolved: ResolvedTargets[] = [];
  const pinger = new Pinger({
    clock,
    writer: new LedgerWriter(buffer, Date.now),
    previousTargets: known,
    resolver: { locate: async () => resolve() },
    ttls: { minTtlMs: 5_000, maxTtlMs: 300_000 },
    openTransport: () => transport,
    files: new Files(),
    faults: noFaults(),
    debug: noDebug(),
    afterReads: (callback) => callback(),
    post: (message) => {
      if (message.type === 'targets') resolved.push(...message.resolved);
    },
  });
  pinger.start();
  const watched = { slot: SLOT, destination: DESTINATION, isFollowed: false };
  pinger.handle({ type: 'monitor', destinations: [watched] });
  const run = async (ms: number) => {
    for (let i = 0; i < ms; i++) {
      clock.advance(1);
      await Promise.resolve();
    }
  };
  const state = () => new LedgerReader(buffer).destination(SLOT);
  return { buffer, transport, resolved, run, state, pinger };
}

const LOCATION: ServerLocation = {
  ...{ transport: 'udp', address: '192.0.2.1', family: 4, port: 5060 },
  ...{ priority: undefined, weight: undefined, steps: [] },
};
const ok = (): LocateResult => ({
  ...{ kind: 'located', locations: [LOCATION], expiresAtMs: Number.POSITIVE_INFINITY },
  ...{ lookupError: undefined, errors: [] },
});
const failed = (): LocateResult => ({ kind: 'failed', reason: 'servfail', detail: '', errors: [] });

test('a name that never resolved makes the destination down', async () => {
  const it = setUp(failed);
  await it.run(10);
  assert.deepEqual([it.state()?.state, it.state()?.reason], ['down', 'resolution']);
  assert.ok((it.state()?.resolutionFailures('servfail') ?? 0) > 0);
});

test('a restarted pinger pings the last known address while DNS is down', async () => {
  const first = setUp(ok);
  first.transport.isRefusing = true;
  await first.run(50);
  assert.equal(first.state()?.reason, 'refused');
  first.pinger.close();

  const second = setUp(failed, first.resolved, first.buffer);
  second.transport.isRefusing = true;
  await second.run(2_500);
  assert.deepEqual(second.transport.opened, ['192.0.2.1']);
  assert.equal(second.state()?.reason, 'refused', 'and not resolution');
  const row = new LedgerReader(first.buffer).target(
    first.resolved[0]?.targets[0]?.slot ?? assert.fail(),
  );
  assert.ok((row?.pings ?? 0) >= 3, 'in the same row');
});

test('the reason of a destination that is down follows its latest ping', async () => {
  const it = setUp(ok);
  it.transport.isRefusing = true;
  await it.run(2_500);
  assert.deepEqual([it.state()?.state, it.state()?.reason], ['down', 'refused']);
  it.transport.isRefusing = false;
  await it.run(2_500);
  assert.deepEqual([it.state()?.state, it.state()?.reason], ['down', 'timeout']);
});

test('addresses from an earlier pinger are checked like those from the network', async () => {
  const first = setUp(ok);
  await first.run(10);
  first.pinger.close();
  const [entry] = first.resolved;
  const [target] = entry?.targets ?? [];
  assert.ok(entry !== undefined && target !== undefined);
  const planted = [
    ...['192.0.2.7:0', '192.0.2.7:70000', '0.0.0.0:5060', '[::]:5060', '224.0.0.1:5060'],
    ...['undefined.undefined.undefined.undefined:5060', 'localhost:5060', '', '[::ffff:0.0.0.0]:1'],
  ].map((address, i) => ({ ...target, address, slot: { index: 10 + i, generation: 1 } }));
  const known = [{ ...entry, targets: [...planted, target] }];

  const second = setUp(failed, known, first.buffer);
  await second.run(3_000);
  assert.deepEqual(second.transport.opened, ['192.0.2.1']);
  second.pinger.close();
});
