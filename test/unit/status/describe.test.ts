import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { Explanation } from '../../../src/shared/resolution.js';
import { briefView, destinationDetails, destinationView } from '../../../src/status/describe.js';
import { beliefsOf } from '../../support/listings.js';
import { settings } from '../../support/settings.js';
import { statusRig, TLS_PEER } from '../../support/status-rig.js';

const T0 = '2023-11-14T22:13:20.000Z';
const NO_HISTORY = { rtt: [], failed: [], step: 60 };

let rig = statusRig();
beforeEach(() => {
  rig = statusRig();
});
type Added = ReturnType<typeof rig.add>;
const view = ({ registered }: Added) => destinationView(rig.status, registered);

describe('a destination as JSON', () => {
  test('is unknown before its first ping, and has null for unknown values', () => {
    const added = rig.add('gw', { labels: { carrier: 'acme' }, owners: ['config', 'rpc'] });
    const { targets, ...rest } = view(added);
    assert.deepEqual(rest, {
      ...{ destination: 'gw', uri: 'sip:192.0.2.1', code: -1, state: 'unknown', since: null },
      ...{
        degraded: null,
        reason: null,
        reason_text: null,
        detail: null,
        sip_code: null,
        rtt: null,
      },
      ...{ module: 'default', owners: ['config', 'rpc'], labels: { carrier: 'acme' } },
      ...{ server: null, ping_interval: 30, retry_interval: 30, down_interval: 30 },
      ...{ ping_timeout: 5, targets_total: 1, targets_up: 0 },
      certificate_not_after: null,
    });
    assert.deepEqual(targets, [
      {
        ...{ transport: 'udp', address: '192.0.2.1:5060', priority: null, weight: null },
        ...{ code: -1, state: 'unknown', degraded: null, since: null, reason: null },
        reason_text: null,
        ...{ detail: null, sip_code: null, rtt: null, pings: 0 },
        ...{ last_ping: null, last_up: null, last_down: null, tls: null },
      },
    ]);
  });

  test('has been down since its incident began, which a restart does not end', () => {
    const added = rig.add('gw');
    added.ping({ reason: 'timeout' });
    added.become('down', 'timeout');
    assert.equal(view(added).since, T0);
    const beganAtMs = Date.parse(T0) - 60_000;
    const since = (state: string, atMs: number) => {
      const incidents = {
        beganAtMs: ({ name }: { name: string }, shown: string) =>
          name === 'gw' && shown === state ? atMs : undefined,
      };
      return destinationView({ ...rig.status, incidents }, added.registered).since;
    };
    assert.equal(since('down', beganAtMs), '2023-11-14T22:12:20.000Z');
    assert.equal(since('unknown', beganAtMs), T0, 'one of another state');
    assert.equal(since('down', Date.parse(T0) + 1), T0, 'the verdict is the older one');
  });

  test('that is up has the codes, times and round-trip times of its pings', () => {
    const added = rig.add('gw', { server: 'kamailio' });
    added.ping({ rttMicros: 2_500 });
    added.become('up');
    const { code, state, since, sip_code, rtt, server, targets_up, targets } = view(added);
    assert.deepEqual(
      [code, state, since, sip_code, rtt, server, targets_up],
      [1, 'up', T0, 200, 0.0025, 'kamailio', 1],
    );
    const [target] = targets;
    assert.deepEqual(
      [target?.code, target?.state, target?.since, target?.sip_code, target?.rtt, target?.pings],
      [1, 'up', T0, 200, 0.0025, 1],
    );
    assert.deepEqual([target?.last_ping, target?.last_up, target?.last_down], [T0, T0, null]);
  });

  test('that is down has its reason, and the detail and the SIP code of the last ping', () => {
    const added = rig.add('gw');
    added.ping({ reason: 'code', code: 503 });
    added.peer('answered with 503');
    added.become('down', 'code');
    const { code, state, reason, reason_text, detail, sip_code, targets } = view(added);
    assert.deepEqual(
      [code, state, reason, detail, sip_code],
      [2, 'down', 'code', 'answered with 503', 503],
    );
    assert.match(reason_text ?? '', /status code/);
    const [target] = targets;
    assert.deepEqual(
      [target?.code, target?.reason, target?.reason_text, target?.detail, target?.sip_code],
      [2, 'code', reason_text, 'answered with 503', 503],
    );
  });

  test('has no detail where no more is known than the reason', () => {
    const added = rig.add('gw');
    added.ping({ reason: 'timeout' });
    added.become('down', 'timeout');
    assert.deepEqual([view(added).detail, view(added).targets[0]?.detail], [null, null]);
  });

  test('that is up has the reason of a last ping that failed as its detail', () => {
    const added = rig.add('gw');
    added.ping();
    added.become('up');
    added.ping({ reason: 'timeout', verdict: { state: 'up', run: -1 } });
    const { state, reason, detail, targets } = view(added);
    assert.deepEqual([state, reason], ['up', null]);
    assert.equal(detail, targets[0]?.reason_text);
    assert.equal(targets[0]?.reason, 'timeout');
  });

  test('forgets the detail of an earlier ping once one is alive', () => {
    const added = rig.add('gw');
    added.peer('an old error');
    added.ping();
    added.become('up');
    assert.deepEqual([view(added).detail, view(added).targets[0]?.detail], [null, null]);
  });

  test('has the outcome of the target that decides its state, and of the fastest round trip', () => {
    const added = rig.add('gw', {
      targets: [{ address: '192.0.2.1:5060' }, { address: '192.0.2.2:5060' }],
    });
    added.ping({ reason: 'timeout' }, 0);
    added.ping({ rttMicros: 9_000 }, 0);
    added.ping({ reason: 'timeout' }, 0);
    added.ping({ rttMicros: 3_000 }, 1);
    added.become('up');
    const { detail, sip_code, rtt, targets_total, targets_up } = view(added);
    assert.deepEqual([detail, sip_code, rtt, targets_total, targets_up], [null, 200, 0.003, 2, 1]);
  });

  test('is unknown by reason local while the exporter cannot ping', () => {
    const added = rig.add('gw');
    added.ping({ reason: 'local', verdict: { state: 'unknown', run: 0 } });
    added.peer('send: EPERM');
    const { code, state, reason, detail } = view(added);
    assert.deepEqual([code, state, reason, detail], [-1, 'unknown', 'local', 'send: EPERM']);
  });

  test('whose state no ping confirms any longer is unknown, and so are its targets', () => {
    const added = rig.add('gw', { settings: settings({ intervalMs: 1_000, timeoutMs: 500 }) });
    added.ping();
    added.become('up');
    rig.clock.advance(3_500);
    assert.equal(view(added).state, 'up');
    rig.clock.advance(1);
    const { state, code, targets_up, targets } = view(added);
    assert.deepEqual([state, code, targets_up, targets[0]?.state], ['unknown', -1, 0, 'unknown']);
  });

  test('has the certificate that a peer presented, and the first expiry of all', () => {
    const added = rig.add('gw', {
      targets: [
        { transport: 'tls', address: '192.0.2.1:5061', priority: 1, weight: 2 },
        { transport: 'tls', address: '192.0.2.2:5061' },
      ],
    });
    added.peer('', TLS_PEER, 0);
    added.peer('', { ...TLS_PEER, chainNotAfterMs: TLS_PEER.chainNotAfterMs - 1_000 }, 1);
    const { certificate_not_after, targets } = view(added);
    assert.equal(certificate_not_after, '2023-11-14T21:39:59.000Z');
    assert.deepEqual([targets[0]?.priority, targets[0]?.weight], [1, 2]);
    assert.deepEqual(targets[0]?.tls, {
      ...{ version: 'TLS 1.3', cipher: 'TLS_AES_256_GCM_SHA384', verified: false },
      ...{ error: 'expired', subject: 'CN=a', issuer: 'CN=ca', subject_alternative: 'DNS:a' },
      ...{ serial_number: '01', fingerprint_sha256: '00ff' },
      ...{ not_before: '2020-09-13T12:26:40.000Z', not_after: '2023-11-14T21:56:40.000Z' },
      chain_not_after: '2023-11-14T21:40:00.000Z',
      chain: [{ subject: 'CN=sip.example.com', not_after: '2023-11-14T21:40:00.000Z' }],
    });
    const failed = { ...TLS_PEER, version: '', cipher: '', fault: '', notAfterMs: Number.NaN };
    added.peer('', failed, 0);
    const tls = view(added).targets[0]?.tls;
    assert.deepEqual(
      [tls?.version, tls?.cipher, tls?.error, tls?.not_after],
      [null, null, null, null],
    );
  });

  test('in brief is the same without its targets, its settings and its server', () => {
    const added = rig.add('gw');
    added.ping();
    added.become('up');
    const brief = briefView(rig.status, added.registered);
    const full = view(added);
    assert.deepEqual({ ...full, ...brief }, full);
    const missing = Object.keys(full).filter((member) => !Object.hasOwn(brief, member));
    assert.deepEqual(missing, [
      ...['server', 'ping_interval', 'retry_interval', 'down_interval', 'ping_timeout'],
      'targets',
    ]);
  });
});

describe('the details of a destination', () => {
  const explanation = (change: Partial<Explanation['resolution']> = {}): Explanation => ({
    resolution: { targets: [], ageMs: 1_500, errors: [], ...change },
    exchanges: new Map([[0, { sent: 'OPTIONS', received: '', ladder: undefined }]]),
  });
  const details = (added: Added, explained?: Explanation) =>
    destinationDetails(rig.status, added.registered, explained, NO_HISTORY);

  test('have the last pings and messages of each target', () => {
    const added = rig.add('gw');
    added.ping({ rttMicros: 1_500, retransmissions: 1 });
    rig.clock.advance(1_000);
    added.ping({ reason: 'timeout' });
    const [target] = details(added, explanation()).targets;
    assert.deepEqual(
      target?.recent.map((ping) => [
        ...[ping.at, ping.reason, ping.sip_code, ping.rtt],
        ping.retransmissions,
      ]),
      [
        ['2023-11-14T22:13:21.000Z', 'timeout', null, null, false],
        [T0, null, 200, 0.0015, true],
      ],
    );
    assert.match(target?.recent[0]?.reason_text ?? '', /no response/);
    assert.deepEqual([target?.last_sent, target?.last_received], ['OPTIONS', null]);
    assert.equal(target?.exchange, null);
  });

  test('have the last 40 pings of all targets, the oldest first', () => {
    const one = rig.add('one');
    one.ping({ code: 200 });
    rig.clock.advance(1_000);
    one.ping({ reason: 'code', code: 404 });
    assert.deepEqual(
      details(one).history.pings.map(({ at, sip_code, target }) => [at, sip_code, target]),
      [
        [T0, 200, null],
        ['2023-11-14T22:13:21.000Z', 404, null],
      ],
    );
    const two = rig.add('two', {
      targets: [{ address: '192.0.2.1:5060' }, { transport: 'tcp', address: '192.0.2.2:5060' }],
    });
    for (let i = 0; i < 30; i++) {
      for (const index of [0, 1]) {
        two.ping({ code: 200 + 2 * i + index }, index);
        rig.clock.advance(1_000);
      }
    }
    const { pings } = details(two).history;
    assert.deepEqual(
      pings.map(({ sip_code }) => sip_code),
      Array.from({ length: 40 }, (_, i) => 220 + i),
    );
    assert.deepEqual(
      pings.slice(-2).map(({ target }) => target),
      ['udp 192.0.2.1:5060', 'tcp 192.0.2.2:5060'],
    );
  });

  test('are known but for messages and DNS while the pinger does not answer', () => {
    const added = rig.add('gw');
    added.ping();
    const { resolution, targets, history } = details(added);
    assert.deepEqual([resolution, targets[0]?.last_sent], [null, null]);
    assert.equal(targets[0]?.recent.length, 1);
    assert.deepEqual(history.step, NO_HISTORY.step);
    assert.equal(history.pings.length, 1);
  });

  test('have no resolution where there is no name to resolve', () => {
    const explained = explanation({ ageMs: undefined });
    assert.equal(details(rig.add('gw'), explained).resolution, null);
  });

  test('have the records that led to each target, with the time that they have left', () => {
    const step = { type: 'SRV', name: '_sip._udp.a', value: 'b:5060' } as const;
    const { resolution } = details(
      rig.add('gw'),
      explanation({
        errors: ['AAAA of b: timeout'],
        targets: [
          {
            ...{ transport: 'udp', address: '192.0.2.1:5060' },
            steps: [
              { ...step, priority: 10, weight: 20, leftMs: 1_499 },
              { ...step, type: 'NAPTR', order: 1, preference: 2, leftMs: -5 },
              { ...step, type: 'hosts', leftMs: Number.POSITIVE_INFINITY },
            ],
          },
        ],
      }),
    );
    assert.deepEqual([resolution?.age, resolution?.errors], [1.5, ['AAAA of b: timeout']]);
    const steps = resolution?.targets[0]?.steps ?? [];
    assert.deepEqual(
      steps.map((s) => [s.order, s.preference, s.priority, s.weight, s.ttl_left]),
      [
        [null, null, 10, 20, 1],
        [1, 2, null, null, 0],
        [null, null, null, null, null],
      ],
    );
  });

  test('of a name that does not resolve say which lookups failed', () => {
    const added = rig.add('gw', { targets: [] });
    added.become('down', 'resolution');
    const explained = explanation({
      ageMs: undefined,
      errors: ['A of b: nxdomain', 'AAAA of b: x'],
    });
    const { reason, detail, resolution } = details(added, explained);
    assert.deepEqual([reason, detail], ['resolution', 'A of b: nxdomain; AAAA of b: x']);
    assert.equal(resolution?.age, null);
    assert.equal(details(added).detail, null);
  });

  test('have what running Kamailios believe, with null for what does not apply', () => {
    const { registered } = rig.add('gw');
    const sinceMs = Date.parse(T0);
    const beliefs = beliefsOf([
      { duid: 'a', state: 'inactive', disagreement: { kind: 'leaves_out_up', sinceMs } },
      { module: 'uac', setid: '', isProbed: false, isRegistered: false },
      { destination: 'other' },
    ]);
    const status = { ...rig.status, beliefs };
    const { kamailios } = destinationDetails(status, registered, undefined, NO_HISTORY);
    assert.deepEqual(kamailios, [
      {
        ...{ kamailio: 'proxy-a', module: 'dispatcher', setid: '1', uri: 'sip:192.0.2.1' },
        ...{ duid: 'a', state: 'inactive', probed: true, registered: null },
        ...{ disagreement: 'leaves_out_up', disagreement_since: T0 },
      },
      {
        ...{ kamailio: 'proxy-a', module: 'uac', setid: null, uri: 'sip:192.0.2.1', duid: null },
        ...{ state: 'active', probed: false, registered: false },
        ...{ disagreement: null, disagreement_since: null },
      },
    ]);
    assert.deepEqual(
      destinationDetails(rig.status, registered, undefined, NO_HISTORY).kamailios,
      [],
    );
  });
});
