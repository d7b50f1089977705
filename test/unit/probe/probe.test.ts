import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ProbeRequest } from '../../../src/shared/protocol.js';
import { located, PingerRig } from '../../support/pinger-rig.js';
import { settings } from '../../support/settings.js';

const LOCAL = { address: '192.0.2.99', port: 40_000 };

/** Runs one probe to its end, and returns its report. */
async function probed(it: PingerRig, request: Partial<Omit<ProbeRequest, 'id'>> = {}, ms = 3_000) {
  it.probe(request);
  await it.pass(ms);
  const [result, ...more] = it.messages('probed').flatMap(({ results }) => results);
  assert.ok(result !== undefined && more.length === 0, 'one report');
  return result.report;
}

describe('a probe', () => {
  test('of a peer that answers is alive, and logs each step and message', async () => {
    const it = new PingerRig();
    it.script.prepare = (listener) => {
      listener.connected('connect', 1_000);
      listener.connected('tls', 2_000);
      listener.secured({
        ...{ version: 'TLSv1.3', cipher: 'x', subject: 'CN=a', issuer: 'CN=b' },
        ...{ subjectAlternative: '', serialNumber: '01', fingerprint: 'ab', notBeforeMs: 0 },
        ...{ notAfterMs: 1, chainNotAfterMs: 1, chain: [], isVerified: false, fault: 'expired' },
      });
      listener.ready(LOCAL);
    };
    const report = await probed(it, { uri: 'sip:d.test' });
    assert.deepEqual(
      [report?.isAlive, report?.code, report?.reason, report?.address, report?.transport],
      [true, 200, undefined, '192.0.2.1', 'udp'],
    );
    const { connect, tls, request } = report?.durations ?? assert.fail();
    assert.deepEqual([connect, tls, request], [0.001, 0.002, 0.005]);
    const lines = report?.log.map(([, what]) => what.replace(/\d+ bytes/, 'N bytes'));
    assert.deepEqual(lines, [
      'probing sip:d.test',
      'A d.test -> 192.0.2.1',
      'pinging 192.0.2.1:5060 over udp',
      'connected',
      'TLS handshake complete',
      'peer certificate CN=a: expired',
      'sent N bytes',
      'received N bytes',
      'alive',
    ]);
  });

  test('of a peer whose code does not count as alive fails with the code', async () => {
    const it = new PingerRig();
    it.script.respond = () => '503 Service Unavailable';
    const report = await probed(it);
    assert.deepEqual(
      [report?.isAlive, report?.code, report?.reason, report?.detail],
      [false, 503, 'code', 'answered with 503'],
    );
  });

  test('of a peer that answers 503 with Retry-After fails with draining and the time', async () => {
    const it = new PingerRig();
    it.script.respond = () => '503 Service Unavailable\r\nRetry-After: 300';
    const report = await probed(it);
    assert.deepEqual(
      [report?.isAlive, report?.code, report?.reason, report?.detail],
      [false, 503, 'draining', 'answered with 503 (Retry-After: 300 s)'],
    );
    const outcome = report?.log.at(-1)?.[1];
    assert.equal(outcome, 'not alive: draining, answered with 503 (Retry-After: 300 s)');
  });

  test('answers a challenge, and fails with auth when its credentials are rejected', async () => {
    const it = new PingerRig();
    const auth = { username: 'u', password: 'p', passwordFile: '' };
    it.script.respond = () =>
      '401 Unauthorized\r\nWWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5';
    const report = await probed(it, { settings: settings({ auth }) });
    assert.deepEqual([report?.reason, report?.code, it.sent.length], ['auth', 401, 2]);
    assert.ok(report?.log.some(([, what]) => what === 'answering the authentication challenge'));
  });

  test('pings the first address that may be probed, and none where none may', async () => {
    const it = new PingerRig();
    it.script.locate = () => located('192.0.2.1', '198.51.100.7');
    const uri = 'sip:d.test';
    const allowed = await probed(it, { uri, allow: ['198.51.100.0/24'] });
    assert.deepEqual([allowed?.isAlive, allowed?.address], [true, '198.51.100.7']);
    const other = new PingerRig();
    const refused = await probed(other, { uri, allow: ['203.0.113.0/24'] });
    assert.deepEqual([refused?.isAllowed, refused?.isAlive, other.sent], [false, false, []]);
  });

  test('fails with resolution when the name has no address, and with local when DNS was not reached', async () => {
    for (const [reason, expected] of [
      ['nxdomain', 'resolution'],
      ['local', 'local'],
    ] as const) {
      const it = new PingerRig();
      it.script.locate = () => ({
        ...{ kind: 'failed', reason, detail: 'why', errors: ['A of d.test: why'] },
      });
      const report = await probed(it, { uri: 'sip:d.test' });
      assert.deepEqual([report?.reason, report?.detail], [expected, 'why']);
      assert.ok(report?.log.some(([, what]) => what === 'A of d.test: why'));
    }
  });

  test('is sent to the outbound proxy, with a Route header', async () => {
    const it = new PingerRig();
    const identity = { route: 'sip:198.51.100.1;lr' };
    await probed(it, { settings: settings({ identity }) });
    assert.equal(it.sent[0]?.address, '198.51.100.1');
    assert.match(it.sent[0]?.request ?? '', /^Route: <sip:198\.51\.100\.1;lr>/m);
  });

  test('that fails in the transport has its reason and detail', async () => {
    const it = new PingerRig();
    it.script.prepare = (listener) =>
      listener.failed({ reason: 'refused', detail: 'ECONNREFUSED' });
    const report = await probed(it);
    assert.deepEqual([report?.reason, report?.detail], ['refused', 'ECONNREFUSED']);
  });

  test('keeps a limited log, in which the result always has its line', async () => {
    const it = new PingerRig();
    it.script.prepare = (listener) => {
      for (let i = 0; i < 200; i++) listener.connected('connect', i);
      listener.ready(LOCAL);
    };
    const report = await probed(it);
    assert.ok((report?.log.length ?? 0) <= 101);
    assert.equal(report?.log.at(-1)?.[1], 'alive');
  });

  test('whose client has disconnected ends without a report', async () => {
    const it = new PingerRig();
    it.script.respond = () => undefined;
    it.probe();
    await it.pass(100);
    it.pinger.handle({ type: 'cancel', id: 1 });
    await it.pass(5_000);
    assert.deepEqual(it.messages('probed'), []);
    it.pinger.handle({ type: 'cancel', id: 99 });
    assert.deepEqual(it.errors, []);
  });

  test('that is running when the pinger closes ends without a report', async () => {
    const it = new PingerRig();
    it.script.respond = () => undefined;
    it.probe();
    it.pinger.close();
    await it.pass(5_000);
    assert.deepEqual(it.messages('probed'), []);
  });

  test('in which an internal error occurs fails with the reason local, and the log has the error', async () => {
    const it = new PingerRig();
    it.script.prepare = () => {
      throw new TypeError('broken');
    };
    const report = await probed(it);
    assert.equal(report?.reason, 'local');
    assert.equal(it.errors[0]?.event, 'internal_error');
  });

  test('that cannot start has no report', async () => {
    const it = new PingerRig();
    assert.equal(await probed(it, { uri: 'no uri' }), undefined);
    assert.equal(it.errors.length, 1);
  });

  test('whose deadline passed during a stall says that nothing was observed', async () => {
    const it = new PingerRig();
    it.script.respond = () => undefined;
    it.probe({ settings: settings({ timeoutMs: 1_000 }), timeoutMs: 60_000 });
    await it.pass(300);
    it.clock.stall(5_000);
    await it.pass(50);
    assert.equal(it.messages('probed')[0]?.results[0]?.report?.isObserved, false);
  });
});
