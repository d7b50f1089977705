import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { answerTo, receiverRig, SOURCE } from '../../support/receiver-rig.js';

const OTHER_BRANCH = (text: string) => text.replace(/[0-9a-f]{4};rport/, '0000;rport');

describe('a response', () => {
  let it = receiverRig();
  beforeEach(() => {
    it = receiverRig();
    it.target.ping();
    assert.deepEqual([it.target.isBusy, it.transport.sent.length], [true, 1]);
  });

  test('with the branch, sent-by and method of the request ends the ping', () => {
    it.advance(25);
    it.take(answerTo(it.transport.sent[0]));
    assert.deepEqual(it.seen.ends, [{ kind: 'answered', code: 200, rttMicros: 25_000 }]);
    assert.deepEqual([it.seen.responses, it.seen.unmatched, it.transport.rests], [1, 0, 1]);
    assert.equal(it.target.isBusy, false);
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
      assert.deepEqual([it.seen.ends.length, it.seen.unmatched], [1, 0]);
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
      assert.deepEqual(it.seen, { ends: [], lates: 0, unmatched: 1, keepalives: 0, responses: 0 });
      assert.equal(it.target.isBusy, true);
      it.take(answerTo(it.transport.sent[0]));
      assert.equal(it.seen.ends.length, 1);
    });
  }

  for (const [name, change] of [
    ['blank lines in front', (t: string) => `\r\n\r\n${t}`],
    ['a NUL in front', (t: string) => `\r\n\0${t}`],
    ['its sent-by in other spelling', (t: string) => t.replace(':40000', ':040000')],
  ] as const) {
    test(`with ${name} is taken`, () => {
      it.take(answerTo(it.transport.sent[0], '200 OK', change));
      assert.deepEqual([it.seen.ends.length, it.seen.unmatched], [1, 0]);
      assert.equal(it.seen.ends[0]?.kind, 'answered');
    });
  }
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
    const { take, seen, receiver } = receiverRig();
    const answers: string[] = [];
    const answer = (message: Uint8Array) => answers.push(Buffer.from(message).toString('latin1'));
    take(request('OPTIONS'), { ...SOURCE, answer });
    assert.match(answers.join(''), /^SIP\/2\.0 200 OK\r\n[\s\S]*;tag=ourtag\r\n/);
    assert.deepEqual([answers.length, seen.unmatched, receiver.received], [1, 0, 1]);
  });

  test('is dropped and counted when it is anything else', () => {
    const { take, seen, receiver } = receiverRig();
    const answer = () => assert.fail('answered');
    const others = [
      request('INVITE'),
      request('OPTIONS').replace('CSeq', 'X'),
      request('OPTIONS').replace('\r\n\r\n', '\r\nContent-Length: 9\r\n\r\n'),
      ' ',
    ];
    for (const text of others) take(text, { ...SOURCE, answer });
    assert.deepEqual([seen.unmatched, receiver.received], [others.length, others.length]);
  });

  test('is counted as a NAT keepalive, not as a stray, when it is no SIP at all', () => {
    const { take, seen } = receiverRig();
    const stun = (type: string, length = 0) =>
      `${type}${String.fromCharCode(0, length)}\x21\x12\xa4\x42${'t'.repeat(12 + length)}`;
    const keepalives = [
      ...['', '\r\n', '\r\n\r\n', '\0', '\0\0\0\0', '\r\n\0'],
      ...[stun('\0\x01'), stun('\0\x11'), stun('\0\x01', 8), stun('\x01\x01')],
    ];
    for (const text of keepalives) take(text);
    assert.deepEqual([seen.keepalives, seen.unmatched], [keepalives.length, 0]);
    for (const text of ['\0\xff', '\x01', stun('\0\x01', 8).slice(1), 'x']) take(text);
    assert.deepEqual([seen.keepalives, seen.unmatched], [keepalives.length, 4]);
  });

  test('is never answered when it is a request of the exporter itself', () => {
    const { take, seen, target, transport, advance } = receiverRig();
    const answer = () => assert.fail('answered');
    target.ping();
    take(transport.sent[0] ?? '', { ...SOURCE, answer });
    const detail = 'the request came back to the exporter itself';
    assert.deepEqual(seen.ends, [{ kind: 'failed', reason: 'refused', detail }]);
    take(transport.sent[0] ?? '', { ...SOURCE, answer });
    target.ping();
    advance(1000);
    target.ping();
    take(transport.sent.at(-2) ?? '', { ...SOURCE, answer });
    assert.equal(seen.unmatched, 0);
  });

  test('gets a 482 when it is a request of the exporter that a proxy sent back, and the ping is not alive', () => {
    const { take, seen, target, transport } = receiverRig();
    const answers: string[] = [];
    const answer = (message: Uint8Array) => answers.push(Buffer.from(message).toString('latin1'));
    target.ping();
    const via = 'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKproxy\r\nVia:';
    take(transport.sent[0]?.replace('Via:', via) ?? '', { ...SOURCE, answer });
    assert.match(answers.join(), /^SIP\/2\.0 482 Loop Detected\r\n/);
    take(answerTo(transport.sent[0], '482 Loop Detected'));
    const detail = 'the request looped back through 192.0.2.1:5060';
    assert.deepEqual(seen.ends, [{ kind: 'answered', code: 482, rttMicros: 0, detail }]);
  });

  test('is answered at most a hundred times a second', () => {
    const { take, seen, clock } = receiverRig();
    let answers = 0;
    const from = { ...SOURCE, answer: () => answers++ };
    for (let i = 0; i < 150; i++) take(request('OPTIONS'), from);
    assert.deepEqual([answers, seen.unmatched], [100, 50]);
    clock.advance(1000);
    take(request('OPTIONS'), from);
    assert.equal(answers, 101);
  });
});
