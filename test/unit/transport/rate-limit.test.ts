import assert from 'node:assert/strict';
import type * as net from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { RateLimit } from '../../../src/pinger/transport/rate-limit.js';
import { StreamChannel } from '../../../src/pinger/transport/stream.js';
import type { TransportFailure } from '../../../src/shared/outcome.js';
import { FakeClock } from '../../support/fake-clock.js';

describe('the limit of a connection', () => {
  test('is 200 messages in each second', () => {
    const clock = new FakeClock();
    const bound = new RateLimit(clock);
    for (let second = 0; second < 3; second++) {
      for (let i = 0; i < 200; i++) assert.equal(bound.admit(1, 300), true);
      clock.advance(1000);
    }
    for (let i = 0; i < 200; i++) bound.admit(1, 300);
    assert.equal(bound.admit(1, 0), false);
    assert.equal(bound.error, 'the peer floods: more than 200 messages per second');
  });

  test('is 256 KiB per second, of any data', () => {
    const bound = new RateLimit(new FakeClock());
    assert.equal(bound.admit(0, 256 * 1024), true);
    assert.equal(bound.admit(0, 1), false);
    assert.equal(bound.error, 'the peer floods: more than 256 KiB per second');
  });
});

const ANSWER = 'SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n';
const TRYING = 'SIP/2.0 100 Trying\r\nContent-Length: 0\r\n\r\n';

describe('a stream of endless', () => {
  for (const [what, piece, most] of [
    ['answers', ANSWER, 200],
    ['100 Trying', TRYING, 200],
    ['CRLF CRLF', '\r\n\r\n', 0],
    ['CRLF', '\r\n', 0],
    ['NULs', '\0', 0],
  ] as const) {
    test(`${what} is closed within the chunk that exceeds the limit`, () => {
      const socket = new PassThrough();
      const ends: TransportFailure[] = [];
      let received = 0;
      const listener = {
        active: () => {},
        received: () => received++,
        closed: (failure: TransportFailure) => ends.push(failure),
      };
      new StreamChannel(
        socket as unknown as net.Socket,
        listener,
        new RateLimit(new FakeClock()),
        false,
      );
      const chunk = Buffer.from(piece.repeat(Math.ceil(64_000 / piece.length)));
      for (let i = 0; i < 10; i++) socket.emit('data', chunk);
      assert.equal(received, most);
      assert.equal(ends.length, 1);
      assert.equal(ends[0]?.reason, 'malformed');
      assert.match(ends[0]?.detail ?? '', /^the peer floods: more than \d+ \w+ per second$/);
      assert.equal(socket.destroyed, true);
    });
  }
});
