/** Changing DNS answers for a monitored name: its targets, staleness and counters. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { locate } from '../../../src/pinger/dns/locate.js';
import { Pinger } from '../../../src/pinger/pinger.js';
import type { Flow, FlowListener, Transport } from '../../../src/pinger/transport/transport.js';
import type { PingSettings } from '../../../src/shared/destination.js';
import { Files } from '../../../src/shared/file-contents.js';
import { createLedger } from '../../../src/shared/ledger/layout.js';
import { LedgerReader } from '../../../src/shared/ledger/reader.js';
import { LedgerWriter } from '../../../src/shared/ledger/writer.js';
import type { LogLine, ResolvedTargets } from '../../../src/shared/protocol.js';
import { RESOLUTION_FAILURES } from '../../../src/shared/resolution.js';
import { FakeClock } from '../../support/fake-clock.js';
import { noDebug, noFaults } from '../../support/faults.js';
import { settings } from '../../support/settings.js';
import { zone } from '../../support/zone.js';

const SLOT = { index: 0, generation: 1 };

/** A transport that refuses every ping at once. */
const refusing: Transport = {
  open: (_endpoint, user: FlowListener): Flow => ({
    ...{ isReliable: false, resend() {}, pingEnded() {}, close() {} },
    explain: (outcome) => outcome,
    prepare: () => user.ready({ address: '192.0.2.9', port: 4000 }),
    send: () => user.failed({ reason: 'refused' }),
  }),
  close() {},
};

/** A monitored name in a zone that the test changes. */
function monitor(
  t: Pick<TestContext, 'after'>,
  lines: readonly string[],
  change: Partial<Omit<PingSettings, 'identity' | 'tls'>> = {},
  known: readonly ResolvedTargets[] = [],
) {
  const clock = new FakeClock();
  const buffer = createLedger();
  const now = { lines };
  const announced: ResolvedTargets[] = [];
  const logs: LogLine[] = [];
  const pinger = new Pinger({
    ...{
      clock,
      previousTargets: known,
      writer: new LedgerWriter(buffer, Date.now),
      files: new Files(),
      faults: noFaults(),
    },
    debug: noDebug(),
    resolver: {
      locate: (query) =>
        locate(query, { lookUp: zone(now.lines), hosts: new Map(), clock, onCut() {} }),
    },
    ttls: { minTtlMs: 1_000, maxTtlMs: 300_000 },
    openTransport: () => refusing,
    afterReads: (callback) => callback(),
    post: (message) => {
      if (message.type === 'targets') announced.push(...message.resolved);
      if (message.type === 'log') logs.push(message);
    },
  });
  t.after(() => pinger.close());
  pinger.start();
  const destination = {
    ...{ name: 'd', uri: 'sip:a.test', module: 'default', labels: {} },
    settings: settings({ intervalMs: 30_000, ...change }),
  };
  pinger.handle({
    type: 'monitor',
    destinations: [{ slot: SLOT, destination, isFollowed: false }],
  });
  const row = () => new LedgerReader(buffer).destination(SLOT) ?? assert.fail('no row');
  return {
    logs,
    announced,
    /** Changes the zone, and lets time pass until the name is looked up again. */
    serve: async (next: readonly string[], ms = 61_000) => {
      now.lines = next;
      await clock.advanceSettling(ms);
    },
    pass: (ms: number) => clock.advanceSettling(ms),
    row,
    failures: () =>
      RESOLUTION_FAILURES.reduce((sum, reason) => sum + row().resolutionFailures(reason), 0),
    targets: () =>
      (announced.at(-1)?.targets ?? []).map(({ transport, address }) => `${transport} ${address}`),
  };
}

const AT_HOST = ['a.test A 192.0.2.1'];
const AT_SRV = ['_sip._udp.a.test SRV 1 1 5070 h.test', 'h.test A 192.0.2.2'];
const AT_NAPTR = [
  'a.test NAPTR 1 1 s SIP+D2T _sip._tcp.a.test',
  '_sip._tcp.a.test SRV 1 1 5080 t.test',
  't.test A 192.0.2.3',
];

test('a NAPTR that is never answered leaves nothing stale and counts no failure', async (t) => {
  for (const [rest, wanted] of [
    [AT_HOST, 'udp 192.0.2.1:5060'],
    [AT_SRV, 'udp 192.0.2.2:5070'],
  ] as const) {
    const it = monitor(t, ['a.test NAPTR !servfail', ...rest]);
    await it.pass(600_000);
    assert.deepEqual(it.targets(), [wanted]);
    assert.deepEqual([it.row().isStale, it.failures()], [false, 0]);
    assert.equal(it.row().reason, 'refused', 'and it is pinged');
    const logged = it.logs.map(({ fields }) => String(fields['error'])).join();
    assert.match(logged, /NAPTR of a\.test: servfail/);
    assert.ok(it.logs.length < 3, 'it is logged once');
  }
});

test('a change behind a NAPTR that is never answered is followed', async (t) => {
  const it = monitor(t, ['a.test NAPTR !refused', ...AT_SRV]);
  await it.pass(100);
  await it.serve(
    ['a.test NAPTR !refused', '_sip._udp.a.test SRV 1 1 5071 h.test', 'h.test A 192.0.2.4'],
    301_000,
  );
  assert.deepEqual(it.targets(), ['udp 192.0.2.4:5071']);
});

test('the targets that NAPTR led to stay while it is not answered, and others do not join', async (t) => {
  const it = monitor(t, [...AT_NAPTR, ...AT_HOST]);
  await it.pass(100);
  assert.deepEqual(it.targets(), ['tcp 192.0.2.3:5080']);
  const before = it.announced.length;
  await it.serve(['a.test NAPTR !timeout', ...AT_SRV, ...AT_HOST]);
  assert.equal(it.announced.length, before, 'no other targets');
  assert.equal(it.row().isStale, true);
  assert.ok(it.failures() > 0);
  await it.serve(AT_SRV);
  assert.deepEqual(it.targets(), ['udp 192.0.2.2:5070'], 'until it is certain that they are gone');
  assert.equal(it.row().isStale, false);
});

test('a target whose host lookup fails is kept, and one that is no longer listed is removed', async (t) => {
  const srv = (port: number, host: string) => `_sip._udp.a.test SRV 1 1 ${port} ${host}`;
  const it = monitor(t, [
    ...[srv(1, 'h1.test'), srv(2, 'h2.test'), srv(3, 'h3.test')],
    ...['h1.test A 192.0.2.1', 'h2.test A 192.0.2.2', 'h3.test A 192.0.2.3'],
  ]);
  await it.pass(100);
  await it.serve([
    ...[srv(1, 'h1.test'), srv(2, 'h2.test')],
    ...['h1.test A 192.0.2.1', 'h2.test A !timeout', 'h2.test AAAA !timeout'],
  ]);
  assert.deepEqual(it.targets().toSorted(), ['udp 192.0.2.1:1', 'udp 192.0.2.2:2']);
  assert.equal(it.row().isStale, true);
});

test('an IPv6 target stays while AAAA is not answered beside A, and nothing is stale', async (t) => {
  const it = monitor(t, [...AT_HOST, 'a.test AAAA 2001:db8::1']);
  await it.pass(100);
  const before = it.announced.length;
  await it.serve([...AT_HOST, 'a.test AAAA !timeout']);
  assert.equal(it.announced.length, before);
  assert.deepEqual([it.row().isStale, it.failures()], [false, 0]);
  await it.serve(AT_HOST, 301_000);
  assert.deepEqual(it.targets(), ['udp 192.0.2.1:5060']);
});

test('records whose order changes with each answer change no target', async (t) => {
  const naptr = [
    'a.test NAPTR 1 1 s SIP+D2U _sip._udp.a.test',
    'a.test NAPTR 1 1 s SIP+D2T _sip._tcp.a.test',
  ];
  const many = Array.from({ length: 5 }, (_, i) => `h.test A 192.0.2.${100 + i}`);
  const rest = [...AT_SRV, ...many, ...AT_NAPTR.slice(1)];
  for (const change of [{ resolve: 'first' }, { maxTargets: 2 }] as const) {
    const it = monitor(t, [...naptr, ...rest], change);
    await it.pass(100);
    const before = it.targets();
    const told = it.announced.length;
    for (let i = 0; i < 8; i++)
      await it.serve(
        [...naptr, ...rest]
          .toReversed()
          .slice(i)
          .concat([...naptr, ...rest].toReversed().slice(0, i)),
      );
    assert.deepEqual([it.targets(), it.announced.length], [before, told]);
  }
});

test('a name is not resolved to the family that the source address cannot send to', async (t) => {
  const it = monitor(t, [...AT_HOST, 'a.test AAAA 2001:db8::1'], { sourceAddress: '192.0.2.9' });
  await it.pass(100);
  assert.deepEqual(it.targets(), ['udp 192.0.2.1:5060']);
});

test('a target of an earlier pinger that must not be pinged is dropped', async (t) => {
  const addresses = ['192.0.2.7:0', '0.0.0.0:5060', '[2001:db8::1]:5060', '192.0.2.8:5060'];
  const known = addresses.map((address, index) => ({
    slot: { index, generation: 1 },
    ...{ transport: 'udp' as const, address, priority: undefined, weight: undefined },
  }));
  const it = monitor(t, ['a.test NAPTR !timeout'], { sourceAddress: '192.0.2.9' }, [
    { destination: SLOT, targets: known },
  ]);
  await it.pass(2_000);
  assert.deepEqual(it.targets(), ['udp 192.0.2.8:5060']);
});

test('a local failure of a lookup changes no verdict', async (t) => {
  const it = monitor(t, ['a.test NAPTR !local', ...AT_HOST]);
  await it.pass(5_000);
  assert.ok(it.row().resolutionFailures('local') > 0);
  assert.equal(it.row().resolutionFailures('nodata'), 0);
});
