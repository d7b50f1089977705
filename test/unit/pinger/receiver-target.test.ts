import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Receiver } from '../../../src/pinger/receiver.js';
import { RandomHex } from '../../../src/pinger/sip/random-hex.js';
import { Target } from '../../../src/pinger/targets/target.js';
import { StallDetector } from '../../../src/pinger/time/stall-detector.js';
import { TimerWheel } from '../../../src/pinger/time/timer-wheel.js';
import type {
  Endpoint,
  Flow,
  FlowListener,
  Transport,
} from '../../../src/pinger/transport/transport.js';
import { Files } from '../../../src/shared/file-contents.js';
import type { Outcome } from '../../../src/shared/outcome.js';
import { parseUri } from '../../../src/shared/uri.js';
import { FakeClock } from '../../support/fake-clock.js';
import { noFaults, noGuard } from '../../support/faults.js';
import { settings } from '../../support/settings.js';

const SETTINGS = settings({ intervalMs: 5000, timeoutMs: 1000 });
const SLOT = { index: 3, generation: 1 };
const SOURCE = {
  address: '192.0.2.1',
  port: 5060,
  isConnection: false,
  answer: (_message: Uint8Array) => {},
};

/** A transport that records what is sent and is controlled by the test. */
class ScriptedTransport implements Transport, Flow {
  readonly isReliable = false;
  readonly sent: string[] = [];
  rests = 0;
  isClosed = false;
  local = { address: '192.0.2.99', port: 40_000 };
  /** Called by `prepare`; undefined to leave the flow unready. */
  onPrepare: ((listener: FlowListener) => void) | undefined = (listener) =>
    listener.ready(this.local);
  listener: FlowListener | undefined;

  open(_endpoint: Endpoint, listener: FlowListener): Flow {
    this.listener = listener;
    return this;
  }
  prepare(): void {
    if (this.listener !== undefined) this.onPrepare?.(this.listener);
  }
  send(message: Uint8Array): void {
    this.sent.push(Buffer.from(message).toString('latin1'));
  }
  resend(message: Uint8Array): void {
    this.send(message);
  }
  explain(outcome: Outcome): Outcome {
    return outcome;
  }
  pingEnded(): void {
    this.rests++;
  }
  close(): void {
    this.isClosed = true;
  }
}

function setUp() {
  const clock = new FakeClock();
  const timers = new TimerWheel(8);
  const transport = new ScriptedTransport();
  const stallDetector = new StallDetector();
  const told = { ends: [] as Outcome[], lates: 0, unmatched: 0, keepalives: 0, responses: 0 };
  const target = new Target({
    slot: SLOT,
    uri: parseUri('192.0.2.1'),
    settings: SETTINGS,
    hops: [
      {
        endpoint: { address: '192.0.2.1', port: 5060, family: 4, domain: '192.0.2.1' },
        transportName: 'udp',
        transport,
      },
    ],
    isForOnce: false,
    tools: {
      ...{ clock, timers, stallDetector, randomHex: new RandomHex(), files: new Files() },
      guard: noGuard(),
    },
    listener: {
      ended: (outcome) => told.ends.push(outcome),
      unobserved: () => assert.fail('nothing stalled'),
      faulted: () => assert.fail('an internal error'),
      answeredLate: () => told.lates++,
      responded: () => told.responses++,
      challenged: () => {},
      failedOver: () => {},
      connected: () => {},
      secured: () => {},
      traced: () => {},
    },
  });
  const receiver = new Receiver({
    clock,
    targetAt: (slot) => (slot === SLOT.index ? target : undefined),
    onUnmatched: () => told.unmatched++,
    onKeepalive: () => told.keepalives++,
    newTag: () => 'ourtag',
    faults: noFaults(),
    guard: noGuard(),
    stallDetector,
  });
  const advance = (ms: number) => {
    for (let i = 0; i < ms; i++) {
      clock.advance(1);
      timers.advance(clock.now(), 8, () => target.timerFired());
    }
  };
  const take = (text: string, from = SOURCE) => receiver.take(Buffer.from(text, 'latin1'), from);
  return { clock, transport, told, target, receiver, advance, take };
}

/** The answer that a server makes to a request, with a piece of it changed. */
function answerTo(request: string | undefined, status = '200 OK', change = (text: string) => text) {
  const copied = (request ?? '')
    .split('\r\n')
    .filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
  return change([`SIP/2.0 ${status}`, ...copied, 'Content-Length: 0', '', ''].join('\r\n'));
}

const OTHER_BRANCH = (text: string) => text.replace(/[0-9a-f]{4};rport/, '0000;rport');

describe('a response', () => {
  let it = setUp();
  beforeEach(() => {
    it = setUp();
    it.target.ping();
    assert.deepEqual([it.target.isBusy, it.transport.sent.length], [true, 1]);
  });

  test('with the branch, sent-by and method of the request ends the ping', () => {
    it.advance(25);
    it.take(answerTo(it.transport.sent[0]));
    assert.deepEqual(it.told.ends, [{ kind: 'answered', code: 200, rttMicros: 25_000 }]);
    assert.deepEqual([it.told.responses, it.told.unmatched, it.transport.rests], [1, 0, 1]);
    assert.equal(it.target.isBusy, false);
  });

  test('that is provisional ends nothing', () => {
    it.take(answerTo(it.transport.sent[0], '100 Trying'));
    assert.deepEqual([it.told.ends, it.told.unmatched, it.target.isBusy], [[], 0, true]);
    it.take(answerTo(it.transport.sent[0], '486 Busy Here'));
    assert.deepEqual(it.told.ends, [{ kind: 'answered', code: 486, rttMicros: 0 }]);
  });

  for (const [name, change] of [
    ['in compact form and other case', (t: string) => t.replace('Via: SIP', 'v:sip')],
    [
      'with what RFC 3581 fills in',
      (t: string) => t.replace(';rport', ';rport=1;received=1.2.3.4'),
    ],
    ['with the method in lower case', (t: string) => t.replace('1 OPTIONS', '1 options')],
    ['with blanks around the colon of its sent-by', (t: string) => t.replace(':40000', ' : 40000')],
  ] as const) {
    test(`${name} is taken`, () => {
      it.take(answerTo(it.transport.sent[0], '200 OK', change));
      assert.deepEqual([it.told.ends.length, it.told.unmatched], [1, 0]);
    });
  }

  for (const [name, change] of [
    ['another branch', OTHER_BRANCH],
    // RFC 3261 18.3: discarded.
    ['a body that is cut off', (t: string) => t.replace('Length: 0', 'Length: 10')],
    ['no branch', (t: string) => t.replace(/;branch=[^;]*/, '')],
    ['another method in its CSeq', (t: string) => t.replace('1 OPTIONS', '1 INVITE')],
    ['two Vias', (t: string) => t.replace('From:', 'Via: SIP/2.0/UDP b.example\r\nFrom:')],
    ['two Vias in one line', (t: string) => t.replace(';rport', ';rport, SIP/2.0/UDP b.example')],
    ['another host as sent-by', (t: string) => t.replace('192.0.2.99:', '192.0.2.98:')],
    ['another port as sent-by', (t: string) => t.replace(':40000', ':40001')],
    ['the number of no target', (t: string) => t.replace('z9hG4bK00000003', 'z9hG4bK00000004')],
    ['nonsense and another branch', (t: string) => OTHER_BRANCH(t).replace('CSeq', 'X')],
    ['nonsense and another sent-by', (t: string) => t.replace(':40000', '').replace('CSeq', 'X')],
    ['our branch by another name', (t: string) => t.replace(';branch=', ';xbranch=')],
  ] as const) {
    test(`with ${name} is counted as unmatched and ends nothing`, () => {
      it.take(answerTo(it.transport.sent[0], '200 OK', change));
      assert.deepEqual(it.told, { ends: [], lates: 0, unmatched: 1, keepalives: 0, responses: 0 });
      assert.equal(it.target.isBusy, true);
      it.take(answerTo(it.transport.sent[0]));
      assert.equal(it.told.ends.length, 1);
    });
  }

  for (const [name, reason, detail, change] of [
    [
      'another host as sent-by',
      'timeout',
      'the Via of the response has sent-by 192.0.2.98:40000; expected 192.0.2.99:40000',
      (t: string) => t.replace('192.0.2.99:', '192.0.2.98:'),
    ],
    [
      'a body that is cut off',
      'malformed',
      'the Content-Length of the response exceeds its body of 0 bytes',
      (t: string) => t.replace('Length: 0', 'Length: 10'),
    ],
    [
      'two Vias',
      'malformed',
      'the response has 2 Via values; expected 1',
      (t: string) => t.replace('From:', 'Via: SIP/2.0/UDP b.example\r\nFrom:'),
    ],
    [
      'the Via of another above ours',
      'malformed',
      'the response has 2 Via values; expected 1',
      (t: string) => t.replace('Via:', 'Via: SIP/2.0/UDP b.example;branch=z9hG4bKx\r\nVia:'),
    ],
    [
      'another method in its CSeq',
      'malformed',
      'the CSeq of the response has method INVITE; expected OPTIONS',
      (t: string) => t.replace('1 OPTIONS', '1 INVITE'),
    ],
    [
      'our branch by another name',
      'malformed',
      'the Via of the response has no branch',
      (t: string) => t.replace(';branch=', ';xbranch='),
    ],
  ] as const) {
    test(`with ${name} is the reason of the ping's failure, unless a valid one arrives in time`, () => {
      it.take(answerTo(it.transport.sent[0], '200 OK', change));
      it.advance(1000);
      assert.deepEqual(it.told.ends, [{ kind: 'failed', reason, detail }]);
      it.target.ping();
      it.advance(1000);
      assert.deepEqual(it.told.ends[1], { kind: 'failed', reason: 'timeout' }, 'of this ping only');
    });
  }

  for (const [name, change] of [
    ['blank lines in front', (t: string) => `\r\n\r\n${t}`],
    ['a NUL in front', (t: string) => `\r\n\0${t}`],
    ['its sent-by in other spelling', (t: string) => t.replace(':40000', ':040000')],
  ] as const) {
    test(`with ${name} is taken`, () => {
      it.take(answerTo(it.transport.sent[0], '200 OK', change));
      assert.deepEqual([it.told.ends.length, it.told.unmatched], [1, 0]);
      assert.equal(it.told.ends[0]?.kind, 'answered');
    });
  }

  for (const [name, status, fault, change] of [
    ['a status of no class', '999 Odd', 'invalid status line "SIP/2.0 999 Odd"', (t: string) => t],
    ['no CSeq', '200 OK', 'no CSeq header', (t: string) => t.replace('CSeq', 'X')],
    [
      'lines that end in LF',
      '200 OK',
      'line ends in LF, not in CR LF',
      (t: string) => t.replaceAll('\r\n', '\n'),
    ],
    [
      'headers that end in LF',
      '200 OK',
      'line ends in LF, not in CR LF',
      (t: string) => t.replaceAll('\r\n', '\n').replace('\n', '\r\n'),
    ],
    [
      'another version',
      '200 OK',
      'invalid status line "SIP/3.0 200 OK"',
      (t: string) => t.replace('SIP/2.0 200', 'SIP/3.0 200'),
    ],
    [
      'a byte order mark in front',
      '200 OK',
      'invalid status line "?SIP/2.0 200 OK"',
      (t: string) => `\xef\xbb\xbf${t}`,
    ],
    ['a blank in front', '200 OK', 'invalid status line " SIP/2.0 200 OK"', (t: string) => ` ${t}`],
    [
      'a status line of HTTP',
      '200 OK',
      'invalid status line "HTTP/1.1 200 OK"',
      (t: string) => t.replace('SIP/2.0 200', 'HTTP/1.1 200'),
    ],
  ] as const) {
    test(`with the branch of the request and ${name} ends the ping as malformed`, () => {
      it.take(answerTo(it.transport.sent[0], status, change));
      const detail = `malformed response: ${fault}`;
      assert.deepEqual(it.told.ends, [{ kind: 'failed', reason: 'malformed', detail }]);
      assert.deepEqual([it.told.unmatched, it.told.responses], [0, 0]);
    });
  }

  test('that arrives twice ends one ping', () => {
    it.take(answerTo(it.transport.sent[0]));
    it.take(answerTo(it.transport.sent[0]));
    assert.deepEqual([it.told.ends.length, it.told.lates], [1, 0]);
  });

  test('after the deadline is counted as late, once', () => {
    it.advance(1000);
    assert.deepEqual(it.told.ends, [{ kind: 'failed', reason: 'timeout' }]);
    it.take(answerTo(it.transport.sent[0]));
    it.take(answerTo(it.transport.sent[0]));
    assert.deepEqual([it.told.ends.length, it.told.lates], [1, 1]);
  });

  test('to the previous ping, while the next is pending, is counted as late, once', () => {
    it.advance(1000);
    it.target.ping();
    it.take(answerTo(it.transport.sent[0], '100 Trying'));
    assert.deepEqual([it.told.lates, it.told.unmatched], [0, 0]);
    it.take(answerTo(it.transport.sent[0]));
    assert.deepEqual([it.told.lates, it.told.unmatched, it.told.ends.length], [1, 0, 1]);
    it.take(answerTo(it.transport.sent[0]));
    assert.deepEqual([it.told.lates, it.told.unmatched, it.told.ends.length], [1, 1, 1]);
    it.take(answerTo(it.transport.sent.at(-1)));
    assert.equal(it.told.ends.length, 2);
  });

  test('that arrives again for an answered ping is not a late one', () => {
    it.take(answerTo(it.transport.sent[0]));
    it.target.ping();
    it.take(answerTo(it.transport.sent[0]));
    assert.deepEqual([it.told.lates, it.told.unmatched, it.told.ends.length], [0, 1, 1]);
  });

  test('to a target that was closed ends nothing', () => {
    it.target.close();
    it.take(answerTo(it.transport.sent[0]));
    it.advance(2000);
    assert.deepEqual([it.told.ends, it.told.lates, it.transport.isClosed], [[], 0, true]);
  });
});

describe('a target', () => {
  test('sends the same request again until it is answered, and a new one with the next ping', () => {
    const { target, transport, advance, take } = setUp();
    target.ping();
    advance(600);
    const [first, again] = transport.sent;
    assert.equal(again, first);
    take(answerTo(first));
    target.ping();
    assert.notEqual(transport.sent[2], first);
    assert.equal(transport.sent.length, 3);
  });

  test('waits for its flow, and counts the round trip from the send', () => {
    const { target, transport, advance, take, told } = setUp();
    transport.onPrepare = undefined;
    target.ping();
    advance(990);
    assert.deepEqual([target.isBusy, transport.sent, told.ends], [true, [], []]);
    transport.listener?.ready(transport.local);
    advance(7);
    take(answerTo(transport.sent[0]));
    assert.deepEqual(told.ends, [{ kind: 'answered', code: 200, rttMicros: 7000 }]);
  });

  test('waits for its flow up to the ping timeout, and then reports what it waited for', () => {
    const { target, transport, advance, told } = setUp();
    transport.onPrepare = undefined;
    target.ping();
    advance(500);
    transport.listener?.waitingFor('a connection');
    advance(600);
    transport.listener?.waitingFor('the TLS handshake');
    assert.deepEqual(told.ends, [], 'the deadline begins when the flow waits for the peer');
    advance(400);
    const detail = 'waited for the TLS handshake';
    assert.deepEqual(told.ends, [{ kind: 'failed', reason: 'timeout', detail }]);
    assert.deepEqual([target.isBusy, transport.sent, transport.rests], [false, [], 1]);
    transport.listener?.ready(transport.local);
    assert.deepEqual(
      [target.isBusy, transport.sent],
      [false, []],
      'a flow that is ready after the deadline sends nothing',
    );
  });

  test('whose connection was lost before a response sends its request again over another one', () => {
    const { target, transport, advance, take, told } = setUp();
    target.ping();
    advance(5);
    transport.listener?.connectionLost();
    advance(7);
    assert.equal(transport.sent.length, 2);
    take(answerTo(transport.sent[1]));
    assert.deepEqual(told.ends, [{ kind: 'answered', code: 200, rttMicros: 7000 }]);
  });

  test('that was closed while its flow prepared sends nothing', () => {
    const { target, transport } = setUp();
    transport.onPrepare = undefined;
    target.ping();
    target.close();
    transport.listener?.ready(transport.local);
    assert.deepEqual([target.isBusy, transport.sent], [false, []]);
  });

  test('whose flow fails to prepare ends its ping with the reason', () => {
    const { target, transport, told } = setUp();
    transport.onPrepare = (listener) => listener.failed({ reason: 'unreachable' });
    target.ping();
    assert.deepEqual(told.ends, [{ kind: 'failed', reason: 'unreachable' }]);
    assert.equal(target.isBusy, false);
  });

  test('whose transport fails during a ping ends it with the reason, once', () => {
    const { target, transport, told } = setUp();
    target.ping();
    transport.listener?.failed({ reason: 'refused' });
    transport.listener?.failed({ reason: 'refused' });
    assert.deepEqual(told.ends, [{ kind: 'failed', reason: 'refused' }]);
  });

  test('uses a new local address in the next request', () => {
    const { target, transport, take, told } = setUp();
    target.ping();
    take(answerTo(transport.sent[0]));
    transport.local = { address: '198.51.100.4', port: 41_000 };
    target.ping();
    assert.match(transport.sent[1] ?? '', /^Via: SIP\/2\.0\/UDP 198\.51\.100\.4:41000;/m);
    take(answerTo(transport.sent[1]));
    assert.equal(told.ends.length, 2);
  });
});

describe('a message that is not a response', () => {
  const request = (method: string) =>
    [
      `${method} sip:keepalive@192.0.2.99 SIP/2.0`,
      'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx;rport',
      'From: <sip:a@b>;tag=1',
      'To: <sip:c@d>',
      'Call-ID: 1',
      `CSeq: 1 ${method}`,
      '',
      '',
    ].join('\r\n');

  test('is answered over the same path when it is an OPTIONS', () => {
    const { take, told, receiver } = setUp();
    const answers: string[] = [];
    const answer = (message: Uint8Array) => answers.push(Buffer.from(message).toString('latin1'));
    take(request('OPTIONS'), { ...SOURCE, answer });
    assert.match(answers.join(''), /^SIP\/2\.0 200 OK\r\n[\s\S]*;tag=ourtag\r\n/);
    assert.deepEqual([answers.length, told.unmatched, receiver.received], [1, 0, 1]);
  });

  test('is dropped and counted when it is anything else', () => {
    const { take, told, receiver } = setUp();
    const answer = () => assert.fail('answered');
    const others = [
      request('INVITE'),
      request('OPTIONS').replace('CSeq', 'X'),
      request('OPTIONS').replace('\r\n\r\n', '\r\nContent-Length: 9\r\n\r\n'),
      ' ',
    ];
    for (const text of others) take(text, { ...SOURCE, answer });
    assert.deepEqual([told.unmatched, receiver.received], [others.length, others.length]);
  });

  test('is counted as a NAT keepalive, not as a stray, when it is no SIP at all', () => {
    const { take, told } = setUp();
    const stun = (type: string, length = 0) =>
      `${type}${String.fromCharCode(0, length)}\x21\x12\xa4\x42${'t'.repeat(12 + length)}`;
    const keepalives = [
      ...['', '\r\n', '\r\n\r\n', '\0', '\0\0\0\0', '\r\n\0'],
      ...[stun('\0\x01'), stun('\0\x11'), stun('\0\x01', 8), stun('\x01\x01')],
    ];
    for (const text of keepalives) take(text);
    assert.deepEqual([told.keepalives, told.unmatched], [keepalives.length, 0]);
    for (const text of ['\0\xff', '\x01', stun('\0\x01', 8).slice(1), 'x']) take(text);
    assert.deepEqual([told.keepalives, told.unmatched], [keepalives.length, 4]);
  });

  test('is never answered when it is a request of the exporter itself', () => {
    const { take, told, target, transport, advance } = setUp();
    const answer = () => assert.fail('answered');
    target.ping();
    take(transport.sent[0] ?? '', { ...SOURCE, answer });
    const detail = 'the request came back to the exporter itself';
    assert.deepEqual(told.ends, [{ kind: 'failed', reason: 'refused', detail }]);
    take(transport.sent[0] ?? '', { ...SOURCE, answer });
    target.ping();
    advance(1000);
    target.ping();
    take(transport.sent.at(-2) ?? '', { ...SOURCE, answer });
    assert.equal(told.unmatched, 0);
  });

  test('gets a 482 when it is a request of the exporter that a proxy sent back, and the ping is not alive', () => {
    const { take, told, target, transport } = setUp();
    const answers: string[] = [];
    const answer = (message: Uint8Array) => answers.push(Buffer.from(message).toString('latin1'));
    target.ping();
    const via = 'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKproxy\r\nVia:';
    take(transport.sent[0]?.replace('Via:', via) ?? '', { ...SOURCE, answer });
    assert.match(answers.join(), /^SIP\/2\.0 482 Loop Detected\r\n/);
    take(answerTo(transport.sent[0], '482 Loop Detected'));
    const detail = 'the request looped back through 192.0.2.1:5060';
    assert.deepEqual(told.ends, [{ kind: 'answered', code: 482, rttMicros: 0, detail }]);
  });

  test('is answered at most a hundred times a second', () => {
    const { take, told, clock } = setUp();
    let answers = 0;
    const from = { ...SOURCE, answer: () => answers++ };
    for (let i = 0; i < 150; i++) take(request('OPTIONS'), from);
    assert.deepEqual([answers, told.unmatched], [100, 50]);
    clock.advance(1000);
    take(request('OPTIONS'), from);
    assert.equal(answers, 101);
  });
});
