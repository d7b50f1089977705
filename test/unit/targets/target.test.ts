import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { answerTo, receiverRig } from '../../support/receiver-rig.js';

describe('a response with the branch of a ping', () => {
  let it = receiverRig();
  beforeEach(() => {
    it = receiverRig();
    it.target.ping();
    assert.deepEqual([it.target.isBusy, it.transport.sent.length], [true, 1]);
  });

  test('that is provisional ends nothing', () => {
    it.take(answerTo(it.transport.sent[0], '100 Trying'));
    assert.deepEqual([it.seen.ends, it.seen.unmatched, it.target.isBusy], [[], 0, true]);
    it.take(answerTo(it.transport.sent[0], '486 Busy Here'));
    assert.deepEqual(it.seen.ends, [{ kind: 'answered', code: 486, rttMicros: 0 }]);
  });

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
      assert.deepEqual(it.seen.ends, [{ kind: 'failed', reason, detail }]);
      it.target.ping();
      it.advance(1000);
      assert.deepEqual(it.seen.ends[1], { kind: 'failed', reason: 'timeout' }, 'of this ping only');
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
      assert.deepEqual(it.seen.ends, [{ kind: 'failed', reason: 'malformed', detail }]);
      assert.deepEqual([it.seen.unmatched, it.seen.responses], [0, 0]);
    });
  }

  test('that arrives twice ends one ping', () => {
    it.take(answerTo(it.transport.sent[0]));
    it.take(answerTo(it.transport.sent[0]));
    assert.deepEqual([it.seen.ends.length, it.seen.lates], [1, 0]);
  });

  test('after the deadline is counted as late, once', () => {
    it.advance(1000);
    assert.deepEqual(it.seen.ends, [{ kind: 'failed', reason: 'timeout' }]);
    it.take(answerTo(it.transport.sent[0]));
    it.take(answerTo(it.transport.sent[0]));
    assert.deepEqual([it.seen.ends.length, it.seen.lates], [1, 1]);
  });

  test('to the previous ping, while the next is pending, is counted as late, once', () => {
    it.advance(1000);
    it.target.ping();
    it.take(answerTo(it.transport.sent[0], '100 Trying'));
    assert.deepEqual([it.seen.lates, it.seen.unmatched], [0, 0]);
    it.take(answerTo(it.transport.sent[0]));
    assert.deepEqual([it.seen.lates, it.seen.unmatched, it.seen.ends.length], [1, 0, 1]);
    it.take(answerTo(it.transport.sent[0]));
    assert.deepEqual([it.seen.lates, it.seen.unmatched, it.seen.ends.length], [1, 1, 1]);
    it.take(answerTo(it.transport.sent.at(-1)));
    assert.equal(it.seen.ends.length, 2);
  });

  test('that arrives again for an answered ping is not a late one', () => {
    it.take(answerTo(it.transport.sent[0]));
    it.target.ping();
    it.take(answerTo(it.transport.sent[0]));
    assert.deepEqual([it.seen.lates, it.seen.unmatched, it.seen.ends.length], [0, 1, 1]);
  });

  test('to a target that was closed ends nothing', () => {
    it.target.close();
    it.take(answerTo(it.transport.sent[0]));
    it.advance(2000);
    assert.deepEqual([it.seen.ends, it.seen.lates, it.transport.isClosed], [[], 0, true]);
  });
});

describe('a target', () => {
  test('sends the same request again until it is answered, and a new one with the next ping', () => {
    const { target, transport, advance, take } = receiverRig();
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
    const { target, transport, advance, take, seen } = receiverRig();
    transport.onPrepare = undefined;
    target.ping();
    advance(990);
    assert.deepEqual([target.isBusy, transport.sent, seen.ends], [true, [], []]);
    transport.listener?.ready(transport.local);
    advance(7);
    take(answerTo(transport.sent[0]));
    assert.deepEqual(seen.ends, [{ kind: 'answered', code: 200, rttMicros: 7000 }]);
  });

  test('waits for its flow up to the ping timeout, and then reports what it waited for', () => {
    const { target, transport, advance, seen } = receiverRig();
    transport.onPrepare = undefined;
    target.ping();
    advance(500);
    transport.listener?.waitingFor('a connection');
    advance(600);
    transport.listener?.waitingFor('the TLS handshake');
    assert.deepEqual(seen.ends, [], 'the deadline begins when the flow waits for the peer');
    advance(400);
    const detail = 'waited for the TLS handshake';
    assert.deepEqual(seen.ends, [{ kind: 'failed', reason: 'timeout', detail }]);
    assert.deepEqual([target.isBusy, transport.sent, transport.rests], [false, [], 1]);
    transport.listener?.ready(transport.local);
    assert.deepEqual(
      [target.isBusy, transport.sent],
      [false, []],
      'a flow that is ready after the deadline sends nothing',
    );
  });

  test('whose connection was lost before a response sends its request again over another one', () => {
    const { target, transport, advance, take, seen } = receiverRig();
    target.ping();
    advance(5);
    transport.listener?.connectionLost();
    advance(7);
    assert.equal(transport.sent.length, 2);
    take(answerTo(transport.sent[1]));
    assert.deepEqual(seen.ends, [{ kind: 'answered', code: 200, rttMicros: 7000 }]);
  });

  test('that was closed while its flow prepared sends nothing', () => {
    const { target, transport } = receiverRig();
    transport.onPrepare = undefined;
    target.ping();
    target.close();
    transport.listener?.ready(transport.local);
    assert.deepEqual([target.isBusy, transport.sent], [false, []]);
  });

  test('whose flow fails to prepare ends its ping with the reason', () => {
    const { target, transport, seen } = receiverRig();
    transport.onPrepare = (listener) => listener.failed({ reason: 'unreachable' });
    target.ping();
    assert.deepEqual(seen.ends, [{ kind: 'failed', reason: 'unreachable' }]);
    assert.equal(target.isBusy, false);
  });

  test('whose transport fails during a ping ends it with the reason, once', () => {
    const { target, transport, seen } = receiverRig();
    target.ping();
    transport.listener?.failed({ reason: 'refused' });
    transport.listener?.failed({ reason: 'refused' });
    assert.deepEqual(seen.ends, [{ kind: 'failed', reason: 'refused' }]);
  });

  test('uses a new local address in the next request', () => {
    const { target, transport, take, seen } = receiverRig();
    target.ping();
    take(answerTo(transport.sent[0]));
    transport.local = { address: '198.51.100.4', port: 41_000 };
    target.ping();
    assert.match(transport.sent[1] ?? '', /^Via: SIP\/2\.0\/UDP 198\.51\.100\.4:41000;/m);
    take(answerTo(transport.sent[1]));
    assert.equal(seen.ends.length, 2);
  });
});
