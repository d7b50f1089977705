import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LEDGER_CAPACITY } from '../../../src/shared/ledger/layout.js';
import type { Ladder } from '../../../src/shared/resolution.js';
import type { TlsPeer } from '../../../src/shared/tls-peer.js';
import { INTERVAL_MS, located, PingerRig, SLOT } from '../../support/pinger-rig.js';

const TLS_PEER: TlsPeer = {
  ...{ version: 'TLSv1.3', cipher: 'x', subject: 'CN=a', issuer: 'CN=b', subjectAlternative: '' },
  ...{
    serialNumber: '01',
    fingerprint: 'ab',
    notBeforeMs: 0,
    notAfterMs: 1,
    chainNotAfterMs: 1,
    chain: [],
  },
  ...{ isVerified: true, fault: '' },
};

/** The row of the only target. */
function targetRow(it: PingerRig) {
  const [target] = it.messages('targets').at(-1)?.resolved.at(-1)?.targets ?? [];
  assert.ok(target !== undefined);
  return it.ledger.target(target.slot) ?? assert.fail('no row');
}

function explain(it: PingerRig, slot = SLOT) {
  it.pinger.handle({ type: 'explain', id: 7, slot });
  return it.messages('explained').at(-1)?.explanation;
}

describe('a destination', () => {
  test('that answers is up, and its state change and its Server header are reported once', async () => {
    const it = new PingerRig();
    it.script.respond = () => '200 OK\r\nServer: Kamailio';
    it.monitor();
    await it.pass(3 * INTERVAL_MS);
    assert.equal(it.ledger.destination(SLOT)?.state, 'up');
    const changes = it.messages('changed').flatMap(({ changes }) => changes);
    assert.deepEqual(
      changes.map(({ from, to, reason }) => [from, to, reason]),
      [['unknown', 'up', undefined]],
    );
    assert.deepEqual(
      it.messages('servers').flatMap(({ servers }) => servers.map(({ server }) => server)),
      ['Kamailio'],
    );
    it.pinger.close();
  });

  test('that goes down is reported with the SIP code of its last response, if that is the reason', async () => {
    const it = new PingerRig();
    it.script.respond = () => '503 Service Unavailable';
    it.monitor();
    await it.pass(INTERVAL_MS);
    it.script.respond = () => '200 OK';
    await it.pass(INTERVAL_MS);
    it.script.respond = () => undefined;
    await it.pass(3 * INTERVAL_MS);
    const changes = it.messages('changed').flatMap(({ changes }) => changes);
    assert.deepEqual(
      changes.map(({ to, reason, sipCode }) => [to, reason, sipCode]),
      [
        ['down', 'code', 503],
        ['up', undefined, undefined],
        ['down', 'timeout', undefined],
      ],
    );
    it.pinger.close();
  });

  test('that is followed has each of its pings reported', async () => {
    const it = new PingerRig();
    it.monitor({}, { isFollowed: true });
    await it.pass(INTERVAL_MS);
    it.script.respond = () => '503 Service Unavailable';
    await it.pass(INTERVAL_MS);
    const pings = it.messages('pings').flatMap(({ pings }) => pings);
    assert.deepEqual(
      pings.slice(-2).map(({ reason, code, address }) => [reason, code, address]),
      [
        [undefined, 200, '192.0.2.1:5060'],
        ['code', 503, '192.0.2.1:5060'],
      ],
    );
    it.pinger.close();
  });

  test('is explained with its last messages, without secrets, and the records that led to it', async () => {
    const it = new PingerRig();
    it.script.respond = () => `200 OK\r\nX-Long: ${'x'.repeat(2_000)}`;
    it.monitor({}, { uri: 'sip:d.test' });
    await it.pass(INTERVAL_MS);
    const { exchanges, resolution } = explain(it) ?? assert.fail('no explanation');
    const [exchange] = exchanges.values();
    assert.match(exchange?.sent ?? '', /^OPTIONS sip:d\.test SIP\/2\.0/);
    assert.match(exchange?.received ?? '', /^SIP\/2\.0 200 OK[\s\S]*\n\[of \d+ bytes\]$/);
    assert.equal(resolution.targets[0]?.steps[0]?.value, '192.0.2.1');
    assert.ok((resolution.ageMs ?? 0) > 0);
    it.pinger.close();
  });

  test('is explained with the messages of its last ping and their times', async () => {
    const it = new PingerRig();
    const challenge = '401 Unauthorized\r\nWWW-Authenticate: Digest realm="r", nonce="n"';
    it.script.respond = (request) => (/^Authorization:/m.test(request) ? '200 Fine' : challenge);
    it.monitor({ auth: { username: 'u', password: 'p', passwordFile: '' } });
    const byStart = new Map<number, Ladder>();
    while (byStart.size < 2) {
      await it.pass(50);
      const [exchange] = [...(explain(it)?.exchanges.values() ?? [])];
      const { ladder } = exchange ?? {};
      if (ladder?.steps.at(-1)?.summary === '200 Fine') byStart.set(ladder.startedAtMs, ladder);
    }
    const ladders = [...byStart.values()];
    const told = ladders.map((ladder) =>
      ladder.steps.map(({ offsetMs, direction, summary, message }) => [
        ...[offsetMs, direction, summary, message.split('\n')[0]],
      ]),
    );
    const first = 'OPTIONS sip:192.0.2.1 SIP/2.0';
    assert.deepEqual(told[0], [
      [0, 'sent', 'OPTIONS', ''],
      [5, 'received', '401 Unauthorized', ''],
      [5, 'sent', 'OPTIONS (with credentials)', first],
      [10, 'received', '200 Fine', 'SIP/2.0 200 Fine'],
    ]);
    // The nonce is known now, so the next ping has credentials from the start.
    assert.deepEqual(told[1], [
      [0, 'sent', 'OPTIONS', first],
      [5, 'received', '200 Fine', 'SIP/2.0 200 Fine'],
    ]);
    const [one = 0, other = 0] = byStart.keys();
    assert.ok(other > one);
    it.pinger.close();
  });

  test('is explained with the retransmissions of its last ping', async () => {
    const it = new PingerRig();
    let requests = 0;
    it.script.respond = () => (++requests % 2 === 0 ? '503 Busy' : undefined);
    it.monitor();
    while (requests < 2) await it.pass(100);
    await it.pass(100);
    const [exchange] = [...(explain(it)?.exchanges.values() ?? [])];
    assert.deepEqual(
      exchange?.ladder?.steps.map(({ offsetMs, summary }) => [offsetMs, summary]),
      [
        [0, 'OPTIONS'],
        [500, 'OPTIONS (retransmission 1)'],
        [505, '503 Busy'],
      ],
    );
    it.pinger.close();
  });

  test('without a ping yet is explained with empty messages, and an unknown one not at all', async () => {
    const it = new PingerRig();
    it.script.prepare = () => {};
    it.monitor();
    assert.deepEqual(
      [...(explain(it)?.exchanges.values() ?? [])],
      [{ sent: '', received: '', ladder: undefined }],
    );
    assert.equal(explain(it, { ...SLOT, generation: 2 }), undefined);
    it.pinger.close();
  });

  test('with new settings keeps its counters, its server and the details of its peers', async () => {
    const it = new PingerRig();
    it.script.respond = () => '404 Not Found\r\nServer: Kamailio';
    it.monitor();
    await it.pass(3 * INTERVAL_MS);
    const before = targetRow(it).pings;
    it.monitor({ aliveCodes: 'any' });
    await it.pass(2 * INTERVAL_MS);
    assert.ok(targetRow(it).pings > before);
    assert.equal(it.ledger.destination(SLOT)?.state, 'up');
    assert.equal(it.messages('servers').length, 1, 'the same server is not reported again');
    it.pinger.close();
  });

  test('that is removed is no longer pinged, and its rows are reused', async () => {
    const it = new PingerRig();
    it.monitor();
    await it.pass(INTERVAL_MS);
    it.pinger.handle({ type: 'unmonitor', slots: [SLOT] });
    const { length } = it.sent;
    await it.pass(3 * INTERVAL_MS);
    assert.deepEqual([it.sent.length, explain(it)], [length, undefined]);
    it.monitor({}, { uri: 'sip:192.0.2.7', name: 'e', slot: { index: 5, generation: 1 } });
    await it.pass(INTERVAL_MS);
    assert.equal(it.writer.targetsUsed, 1);
    assert.ok(it.sent.length > length);
    it.pinger.close();
  });

  test('whose row is given to another destination is removed', async () => {
    const it = new PingerRig();
    it.monitor();
    await it.pass(INTERVAL_MS);
    it.monitor({}, { uri: 'sip:192.0.2.7', name: 'e', slot: { ...SLOT, generation: 2 } });
    await it.pass(2 * INTERVAL_MS);
    const last = it.sent.slice(-2).map(({ address }) => address);
    assert.deepEqual(last, ['192.0.2.7', '192.0.2.7']);
    it.pinger.close();
  });

  test('that keeps failing is pinged every max_backoff after delete_counter failures', async () => {
    const it = new PingerRig();
    it.script.prepare = (listener) => listener.failed({ reason: 'refused' });
    it.monitor({ deleteCounter: 3, maxBackoffMs: 60_000 });
    await it.pass(30 * INTERVAL_MS);
    const { pings } = targetRow(it);
    assert.ok(pings >= 3 && pings <= 4, `${pings} pings`);
    it.pinger.close();
  });

  test('on a full ledger is not pinged, and the log says so', async () => {
    const it = new PingerRig();
    it.writer.openTarget(LEDGER_CAPACITY - 1);
    for (let i = 0; i < 2; i++) it.monitor({}, { slot: { index: i, generation: 1 } });
    await it.pass(INTERVAL_MS);
    const logs = it.messages('log').map(({ event }) => event);
    assert.deepEqual([logs, it.sent], [['target_limit_reached', 'target_limit_reached'], []]);
    it.pinger.close();
  });
});

describe('a target', () => {
  test('has its connection phases measured, and its certificate reported when it changes', async () => {
    const it = new PingerRig();
    let peer = TLS_PEER;
    it.script.prepare = (listener) => {
      listener.connected('connect', 1_000);
      listener.connected('tls', 2_000);
      listener.secured(peer);
      listener.ready({ address: '192.0.2.99', port: 40_000 });
    };
    it.monitor({}, { uri: 'sip:192.0.2.1;transport=tcp' });
    await it.pass(3 * INTERVAL_MS);
    peer = { ...TLS_PEER, serialNumber: '02' };
    await it.pass(INTERVAL_MS);
    const serials = it.messages('peers').flatMap(({ peers }) => peers.map((p) => p.peer.tls));
    assert.deepEqual(
      serials.map((tls) => tls?.serialNumber),
      ['01', '02'],
    );
    const [target] = it.messages('targets').at(-1)?.resolved.at(-1)?.targets ?? [];
    assert.ok(target !== undefined);
    const connection = it.ledger.connection(target.slot);
    assert.ok((connection?.phase('tls').sumMicros ?? 0) >= 6_000);
    it.pinger.close();
  });

  test('that answers a challenged ping counts the challenge', async () => {
    const it = new PingerRig();
    it.script.respond = (request) =>
      /^Authorization:/m.test(request)
        ? '200 OK'
        : '401 Unauthorized\r\nWWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5';
    it.monitor({ auth: { username: 'u', password: 'p', passwordFile: '' } });
    await it.pass(INTERVAL_MS);
    assert.ok(targetRow(it).challenges >= 1);
    assert.equal(it.ledger.destination(SLOT)?.state, 'up');
    it.pinger.close();
  });

  test('that answers after the deadline counts a late response', async () => {
    const it = new PingerRig();
    it.script.respond = () => undefined;
    it.monitor({ timeoutMs: 3, intervalMs: 100 });
    it.script.respond = () => '200 OK';
    await it.pass(50);
    assert.equal(it.ledger.destination(SLOT)?.reason, 'timeout');
    assert.equal(targetRow(it).lateResponses, 1);
    it.pinger.close();
  });

  test('is pinged again after internal errors, after several only every max_backoff', async () => {
    const it = new PingerRig();
    it.script.prepare = () => {
      throw new TypeError('broken');
    };
    it.monitor({ maxBackoffMs: 60_000 });
    await it.pass(20 * INTERVAL_MS);
    assert.equal(it.errors[0]?.event, 'internal_error');
    assert.equal(it.ledger.pinger().inFlight, 0);
    assert.equal(targetRow(it).pings, 0, 'an internal error is no outcome');
    it.script.prepare = (listener) => listener.ready({ address: '192.0.2.99', port: 1 });
    await it.pass(60_000);
    assert.equal(it.ledger.destination(SLOT)?.state, 'up');
    it.pinger.close();
  });

  test('whose deadline passed during a stall has no outcome, and the log names the stall', async () => {
    const it = new PingerRig();
    it.script.respond = () => undefined;
    it.monitor({ timeoutMs: 900 });
    await it.pass(300);
    const { pings } = targetRow(it);
    it.clock.stall(5_000);
    await it.pass(50);
    assert.equal(it.messages('log').at(-1)?.event, 'pinger_stalled');
    assert.equal(targetRow(it).pings, pings);
    assert.ok(it.ledger.pinger().stalls >= 1);
    it.pinger.close();
  });
});

describe('a destination with resolve: first', () => {
  const FIRST = { resolve: 'first' } as const;

  test('fails over to the next address within one ping, and is up', async () => {
    const it = new PingerRig();
    it.script.locate = () => located('192.0.2.1', '192.0.2.2', '192.0.2.3');
    it.script.respond = (_request, { address }) =>
      address === '192.0.2.3' ? '200 OK' : '503 Service Unavailable';
    it.monitor(FIRST, { uri: 'sip:d.test' });
    await it.pass(INTERVAL_MS);
    assert.deepEqual(
      it.sent.slice(0, 3).map(({ address }) => address),
      ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
    );
    assert.equal(it.ledger.destination(SLOT)?.state, 'up');
    assert.ok(targetRow(it).failovers >= 2);
    it.pinger.close();
  });

  test('is down when its last address fails too, and a hop that answers badly ends the ping', async () => {
    const it = new PingerRig();
    it.script.locate = () => located('192.0.2.1', '192.0.2.2');
    it.script.prepare = (listener) => listener.failed({ reason: 'unreachable' });
    it.monitor(FIRST, { uri: 'sip:d.test' });
    await it.pass(INTERVAL_MS);
    assert.equal(it.ledger.destination(SLOT)?.reason, 'unreachable');
    it.script.prepare = (listener) => listener.ready({ address: '192.0.2.99', port: 1 });
    it.script.respond = () => '404 Not Found';
    const { length } = it.sent;
    await it.pass(INTERVAL_MS);
    assert.equal(it.sent.length, length + 1);
    it.pinger.close();
  });

  test('gives each address its share of the timeout', async () => {
    const it = new PingerRig();
    it.script.locate = () => located('192.0.2.1', '192.0.2.2');
    it.script.respond = (_request, { address }) => (address === '192.0.2.2' ? '200 OK' : undefined);
    it.monitor({ ...FIRST, timeoutMs: 400 }, { uri: 'sip:d.test' });
    await it.pass(500);
    assert.equal(it.ledger.destination(SLOT)?.state, 'up');
    it.pinger.close();
  });

  test('uses new addresses from its next ping on', async () => {
    const it = new PingerRig();
    const result = located('192.0.2.1', '192.0.2.2');
    it.script.locate = () => ({ ...result, expiresAtMs: it.clock.now() + 2_000 });
    it.script.respond = (_request, { address }) =>
      address === '192.0.2.1' ? '503 Service Unavailable' : '200 OK';
    it.monitor(FIRST, { uri: 'sip:d.test' });
    await it.pass(INTERVAL_MS);
    it.script.locate = () => located('192.0.2.1', '192.0.2.9');
    await it.pass(5 * INTERVAL_MS);
    assert.equal(it.sent.at(-1)?.address, '192.0.2.9');
    it.pinger.close();
  });
});
