import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Receiver } from '../../../src/pinger/receiver.js';
import { StallDetector } from '../../../src/pinger/time/stall-detector.js';
import { FakeClock } from '../../support/fake-clock.js';
import { noFaults, noGuard } from '../../support/faults.js';

/** A receiver without targets. Records its responses and the ports that they are sent to. */
function setUp() {
  const answers: { readonly text: string; readonly port: number }[] = [];
  const results = { unmatched: 0 };
  const clock = new FakeClock();
  const receiver = new Receiver({
    clock,
    targetAt: () => undefined,
    onUnmatched: () => results.unmatched++,
    onKeepalive: () => {},
    newTag: () => 'tag',
    faults: noFaults(),
    guard: noGuard(),
    stallDetector: new StallDetector(),
  });
  const take = (text: string, port = 4000) =>
    receiver.take(Buffer.from(text, 'latin1'), {
      address: '192.0.2.1',
      port,
      isConnection: false,
      answer: (message, to) => answers.push({ text: Buffer.from(message).toString(), port: to }),
    });
  return { answers, results, clock, take };
}

const options = (via: string, more = '') =>
  `OPTIONS sip:a SIP/2.0\r\nVia: ${via}\r\n${more}From: <sip:b>;tag=1\r\nTo: <sip:a>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n`;

test('an OPTIONS with rport is answered to its source port, another one to the port of its sent-by', () => {
  const it = setUp();
  it.take(options('SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;rport'));
  it.take(options('SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1'));
  it.take(options('SIP/2.0/UDP [2001:db8::1]:5080;branch=z9hG4bK1'));
  it.take(options('SIP/2.0/UDP host.example;branch=z9hG4bK1'));
  assert.deepEqual(
    it.answers.map(({ port }) => port),
    [4000, 5070, 5080, 5060],
  );
});

test('at most a hundred OPTIONS are answered per second, from all senders together', () => {
  const it = setUp();
  const ask = () => it.take(options('SIP/2.0/UDP a;branch=z9hG4bK1'));
  for (let i = 0; i < 150; i++) ask();
  assert.deepEqual([it.answers.length, it.results.unmatched], [100, 50]);
  it.clock.advance(1000);
  ask();
  assert.equal(it.answers.length, 101);
});

test('a request that is longer than any useful one is not answered', () => {
  const it = setUp();
  it.take(options('SIP/2.0/UDP a;branch=z9hG4bK1', 'v: x\r\n'.repeat(2000)));
  assert.deepEqual([it.answers.length, it.results.unmatched], [0, 1]);
});
