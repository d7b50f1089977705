import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { digestResponse, masked } from '../../../src/pinger/sip/digest.js';
import { RandomHex } from '../../../src/pinger/sip/random-hex.js';
import { Scan, scan } from '../../../src/pinger/sip/scanner.js';
import { Target } from '../../../src/pinger/targets/target.js';
import { StallDetector } from '../../../src/pinger/time/stall-detector.js';
import { TimerWheel } from '../../../src/pinger/time/timer-wheel.js';
import type { Flow, FlowListener, Transport } from '../../../src/pinger/transport/transport.js';
import { Files } from '../../../src/shared/file-contents.js';
import type { Outcome } from '../../../src/shared/outcome.js';
import { parseUri } from '../../../src/shared/uri.js';
import { FakeClock } from '../../support/fake-clock.js';
import { noGuard } from '../../support/faults.js';
import { settings } from '../../support/settings.js';

const AUTH = { username: 'bob', password: 'zanzibar', passwordFile: '' };
const CHALLENGE = 'WWW-Authenticate: Digest realm="r", nonce="1", qop="auth"';

/** A target with credentials, over a transport on which the test sends the responses. */
function setUp({ auth = AUTH, hasAuth = true, isReliable = true } = {}) {
  const clock = new FakeClock();
  const timers = new TimerWheel(4);
  const files = new Files();
  const sent: string[] = [];
  const results = { ends: [] as Outcome[], challenges: 0 };
  const traces: string[] = [];
  const trace = (bytes: Uint8Array) => {
    traces.push(masked(Buffer.from(bytes).toString()));
  };
  const counts = { resent: 0, retransmissions: 0 };
  const transport: Transport = {
    open: (_endpoint: unknown, listener: FlowListener): Flow => ({
      isReliable,
      prepare: () => listener.ready({ address: '192.0.2.9', port: 4000 }),
      send: (bytes) => sent.push(Buffer.from(bytes).toString()),
      resend: () => counts.resent++,
      ...{ pingEnded() {}, close() {} },
      explain: (outcome) => outcome,
    }),
    close() {},
  };
  const target = new Target({
    slot: { index: 1, generation: 1 },
    uri: parseUri('a.example'),
    settings: settings({ auth: hasAuth ? auth : undefined, timeoutMs: 1000 }),
    hops: [
      {
        endpoint: { address: '192.0.2.1', port: 5060, family: 4, domain: 'a.example' },
        transportName: 'tcp',
        transport,
      },
    ],
    isForOnce: false,
    tools: {
      ...{ clock, timers, stallDetector: new StallDetector(), randomHex: new RandomHex(), files },
      guard: noGuard(),
    },
    listener: {
      ended: (outcome, retransmissions) => {
        results.ends.push(outcome);
        counts.retransmissions += retransmissions;
      },
      challenged: () => results.challenges++,
      sent: trace,
      received: trace,
      ...{
        failedOver() {},
        unobserved() {},
        faulted() {},
        answeredLate() {},
        responded() {},
        connected() {},
        secured() {},
      },
    },
  });
  /** Sends a response to this request. Returns whether the target took it. */
  const receive = (request: string, status: string, ...headers: readonly string[]) => {
    const copied = request.match(/^(?:Via|From|To|Call-ID|CSeq):.*$/gm) ?? [];
    const lines = [`SIP/2.0 ${status}`, ...copied, ...headers, 'Content-Length: 0', '', ''];
    const bytes = Buffer.from(lines.join('\r\n'));
    const result = new Scan();
    scan(bytes, result);
    return target.receive(bytes, result, clock.now());
  };
  const answer = (status: string, ...headers: readonly string[]) =>
    assert.ok(receive(sent.at(-1) ?? '', status, ...headers));
  const advance = (ms: number) => {
    for (let i = 0; i < ms; i++) {
      clock.advance(1);
      timers.advance(clock.now(), 8, () => target.timerFired());
    }
  };
  return { target, files, sent, results, traces, counts, receive, answer, advance };
}

const header = (message: string | undefined, name: string) =>
  new RegExp(`^${name}: (.*)\r$`, 'm').exec(message ?? '')?.[1];
const branch = (message: string | undefined) => /branch=(\w+)/.exec(message ?? '')?.[1];

describe('a challenge within a ping', () => {
  test('is answered by another request of the same call, whose round-trip time counts', () => {
    const { target, sent, results, answer, advance } = setUp();
    target.ping();
    advance(30);
    answer('401 Unauthorized', CHALLENGE);
    advance(7);
    answer('200 OK');
    assert.deepEqual(results, {
      ends: [{ kind: 'answered', code: 200, rttMicros: 7000 }],
      challenges: 1,
    });
    const [first, second] = sent;
    for (const name of ['From', 'To', 'Call-ID']) {
      assert.equal(header(first, name), header(second, name), name);
    }
    assert.deepEqual([header(first, 'CSeq'), header(second, 'CSeq')], ['1 OPTIONS', '2 OPTIONS']);
    assert.notEqual(branch(first), branch(second));
    assert.equal(header(first, 'Authorization'), undefined);
    assert.match(header(second, 'Authorization') ?? '', /^Digest username="bob", realm="r"/);
  });

  test('makes the next ping one request with credentials, in a new call and with the next nonce count', () => {
    const { target, sent, results, answer } = setUp();
    target.ping();
    answer('401 Unauthorized', CHALLENGE);
    answer('200 OK');
    target.ping();
    answer('200 OK');
    assert.deepEqual([sent.length, results.challenges, results.ends.length], [3, 1, 2]);
    assert.match(header(sent[2], 'Authorization') ?? '', /nc=00000002/);
    assert.notEqual(header(sent[2], 'Call-ID'), header(sent[1], 'Call-ID'));
    assert.equal(header(sent[2], 'CSeq'), '1 OPTIONS');
  });

  test('for a stale nonce is answered with the new nonce within the ping', () => {
    const { target, sent, results, answer } = setUp();
    target.ping();
    answer('401 Unauthorized', CHALLENGE);
    answer('200 OK');
    target.ping();
    answer(
      '401 Unauthorized',
      'WWW-Authenticate: Digest realm="r", nonce="2", qop="auth", stale=true',
    );
    answer('200 OK');
    assert.deepEqual([sent.length, results.challenges], [4, 2]);
    assert.match(header(sent[3], 'Authorization') ?? '', /nonce="2".*nc=00000001/);
  });

  test('that is repeated means that the credentials are wrong: no third request, and the next ping starts without them', () => {
    const { target, sent, results, answer } = setUp();
    for (const pings of [1, 2]) {
      target.ping();
      answer('401 Unauthorized', CHALLENGE);
      answer('401 Unauthorized', CHALLENGE);
      assert.equal(sent.length, 2 * pings);
      const detail = 'the credentials were rejected';
      assert.deepEqual(results.ends.at(-1), { kind: 'answered', code: 401, rttMicros: 0, detail });
    }
    assert.equal(header(sent[2], 'Authorization'), undefined);
  });

  test('that calls every nonce stale ends the ping after three requests', () => {
    const { target, sent, results, answer } = setUp();
    target.ping();
    for (let i = 0; i < 3; i++) answer('401 Unauthorized', `${CHALLENGE}, stale=true`);
    assert.equal(sent.length, 3);
    assert.deepEqual(results.ends.length, 1);
  });

  test('of a proxy and then one of the server are both answered', () => {
    const { target, sent, results, answer } = setUp();
    target.ping();
    answer('407 Proxy Authentication Required', CHALLENGE.replace('WWW', 'Proxy'));
    answer('401 Unauthorized', CHALLENGE);
    answer('200 OK');
    assert.equal(results.ends[0]?.kind === 'answered' && results.ends[0].code, 200);
    assert.ok(header(sent[2], 'Proxy-Authorization') !== undefined);
    assert.ok(header(sent[2], 'Authorization') !== undefined);
  });

  test('does not extend the deadline of its ping', () => {
    const { target, results, answer, advance } = setUp();
    target.ping();
    advance(900);
    answer('401 Unauthorized', CHALLENGE);
    advance(99);
    assert.deepEqual(results.ends, []);
    advance(1);
    assert.deepEqual(results.ends, [{ kind: 'failed', reason: 'timeout' }]);
  });

  test('fails the ping with the reason when credentials or their file are missing', () => {
    const without = setUp({ hasAuth: false });
    without.target.ping();
    without.answer('401 Unauthorized', CHALLENGE);
    const [end] = without.results.ends;
    assert.match(end?.detail ?? '', /no credentials are configured/);

    const { target, files, sent, results, answer } = setUp({
      auth: { ...AUTH, password: '', passwordFile: '/p' },
    });
    target.ping();
    answer('401 Unauthorized', CHALLENGE);
    assert.match(results.ends[0]?.detail ?? '', /\/p could not be read/);
    files.set(new Map([['/p', 'zanzibar\n']]));
    target.ping();
    answer('401 Unauthorized', CHALLENGE);
    answer('200 OK');
    assert.equal(results.ends[1]?.kind === 'answered' && results.ends[1].code, 200);
    assert.ok(!sent.some((message) => message.includes('zanzibar')));
  });

  test('is counted once, whatever other responses arrive', () => {
    const { target, sent, results, answer } = setUp();
    target.ping();
    answer('100 Trying');
    answer('401 Unauthorized', CHALLENGE);
    answer('100 Trying');
    answer('404 Not Found');
    assert.deepEqual([sent.length, results.challenges, results.ends.length], [2, 1, 1]);
    assert.equal(results.ends[0]?.kind === 'answered' && results.ends[0].code, 404);
  });

  test('with a new nonce is answered too, even if it does not call the old one stale', () => {
    const { target, sent, results, answer } = setUp();
    target.ping();
    answer('401 Unauthorized', CHALLENGE);
    answer('200 OK');
    target.ping();
    answer('401 Unauthorized', CHALLENGE.replace('nonce="1"', 'nonce="2"'));
    answer('200 OK');
    assert.deepEqual([sent.length, results.challenges], [4, 2]);
    assert.match(header(sent[3], 'Authorization') ?? '', /nonce="2".*nc=00000001/);
  });

  test('that is not supported fails the ping with the reason after one request', () => {
    for (const [headers, why] of [
      [[], /has no challenge/],
      [['WWW-Authenticate: Basic realm="r"'], /authentication scheme "Basic"/],
      [['WWW-Authenticate: Digest realm="r", nonce="n", algorithm=X'], /digest algorithm "X"/],
    ] as const) {
      const { target, sent, results, answer } = setUp();
      target.ping();
      answer('401 Unauthorized', ...headers);
      assert.deepEqual([sent.length, results.challenges], [1, 0]);
      assert.match(results.ends[0]?.detail ?? '', why);
    }
  });

  test('over UDP has its own retransmissions, and those of the whole ping are counted', () => {
    const { target, sent, results, counts, answer, advance } = setUp({ isReliable: false });
    target.ping();
    advance(510);
    answer('401 Unauthorized', CHALLENGE);
    assert.deepEqual([sent.length, counts.resent], [2, 1]);
    advance(480);
    answer('200 OK');
    assert.deepEqual([counts.resent, counts.retransmissions], [1, 1]);
    target.ping();
    advance(600);
    answer('200 OK');
    assert.deepEqual([results.ends.length, counts.retransmissions], [2, 2]);
  });

  test('that arrives twice, as over UDP, is answered once', () => {
    const { target, sent, results, receive, answer } = setUp({ isReliable: false });
    target.ping();
    answer('401 Unauthorized', CHALLENGE);
    receive(sent[0] ?? '', '401 Unauthorized', CHALLENGE);
    assert.deepEqual([sent.length, results.ends.length], [2, 0]);
    answer('200 OK');
    receive(sent[1] ?? '', '200 OK');
    assert.deepEqual([sent.length, results.ends.length, results.challenges], [2, 1, 1]);
  });

  test('is answered with the current password of the file', () => {
    const { target, files, sent, results, answer } = setUp({
      auth: { ...AUTH, password: '', passwordFile: '/p' },
    });
    const isFromPassword = (message: string | undefined, password: string) => {
      const value = header(message, 'Authorization') ?? '';
      const [, uri = ''] = /uri="([^"]*)"/.exec(value) ?? [];
      const [, response] = /response="([^"]*)"/.exec(value) ?? [];
      const [, nc = ''] = /nc=(\w+)/.exec(value) ?? [];
      const [, cnonce = ''] = /cnonce="([^"]*)"/.exec(value) ?? [];
      const challenge = {
        username: 'bob',
        realm: 'r',
        nonce: '1',
        hash: 'md5',
        isSession: false,
      } as const;
      const input = {
        ...challenge,
        password,
        qop: 'auth',
        method: 'OPTIONS',
        uri,
        nc,
        cnonce,
      } as const;
      return response === digestResponse(input);
    };
    files.set(new Map([['/p', 'first\r\n']]));
    target.ping();
    answer('401 Unauthorized', CHALLENGE);
    assert.ok(isFromPassword(sent[1], 'first'));
    files.set(new Map([['/p', 'second']]));
    answer('401 Unauthorized', CHALLENGE);
    assert.equal(results.ends.length, 1, 'no further attempt within the ping');
    target.ping();
    answer('401 Unauthorized', CHALLENGE);
    assert.ok(isFromPassword(sent[3], 'second'));
    answer('200 OK');
    files.set(new Map([['/p', 'third\n']]));
    target.ping();
    assert.ok(isFromPassword(sent[4], 'third'));
    assert.match(header(sent[4], 'Authorization') ?? '', /nc=00000002/);
  });

  test('fails the ping with the reason once the password file no longer exists', () => {
    const { target, files, sent, results, answer } = setUp({
      auth: { ...AUTH, password: '', passwordFile: '/p' },
    });
    files.set(new Map([['/p', 'first']]));
    target.ping();
    answer('401 Unauthorized', CHALLENGE);
    answer('200 OK');
    files.set(new Map());
    target.ping();
    assert.equal(header(sent[2], 'Authorization'), undefined);
    answer('401 Unauthorized', CHALLENGE);
    assert.match(results.ends[1]?.detail ?? '', /\/p could not be read/);
    assert.equal(sent.length, 3);
  });

  test('shows neither the password nor the digest response in traced messages', () => {
    const { target, sent, traces, answer } = setUp();
    target.ping();
    answer('407 Proxy Authentication Required', CHALLENGE.replace('WWW', 'Proxy'));
    answer('401 Unauthorized', CHALLENGE);
    answer('200 OK');
    assert.equal(traces.length, 6, 'each message, sent and received');
    const proofs = sent.flatMap((text) => text.match(/(?<=response=")\w+/g) ?? []);
    assert.equal(proofs.length, 3);
    for (const secret of [...proofs, 'zanzibar']) {
      assert.ok(!traces.some((text) => text.includes(secret)), secret);
    }
    assert.ok(!sent.some((text) => text.includes('zanzibar')));
  });

  test('that never comes leaves every request without credentials', () => {
    const { target, sent, results, answer } = setUp();
    for (let i = 0; i < 2; i++) {
      target.ping();
      answer('200 OK');
    }
    assert.deepEqual([sent.length, results.challenges], [2, 0]);
    assert.ok(!sent.some((text) => /authorization/i.test(text)));
    assert.ok(sent.every((text) => header(text, 'CSeq') === '1 OPTIONS'));
  });
});
