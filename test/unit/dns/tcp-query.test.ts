/** DNS over TCP (RFC 1035 4.2.2, RFC 7766): truncated answers, and servers that send garbage. */

import assert from 'node:assert/strict';
import type * as net from 'node:net';
import { test } from 'node:test';
import type * as packet from 'dns-packet';
import { DnsClient } from '../../../src/pinger/dns/client.js';
import { queryOverTcp } from '../../../src/pinger/dns/tcp-query.js';
import { address, answering, FLAGS, fakeDns, prefixed, reply } from '../../support/dns-server.js';
import { FakeClock } from '../../support/fake-clock.js';
import { eventually } from '../../support/process.js';

const MIB = 1024 * 1024;

/** Truncated over UDP; over TCP by the script. The clock does not move. */
async function ask(
  t: Parameters<typeof fakeDns>[0],
  overTcp: Parameters<typeof fakeDns>[1],
  onConnection?: (socket: net.Socket) => void,
) {
  const dns = await fakeDns(
    t,
    (query) => (query.isOverTcp ? overTcp(query) : [reply(query, { flags: FLAGS.TRUNCATED })]),
    onConnection,
  );
  const client = new DnsClient({ servers: () => [dns], timeoutMs: 2000, clock: new FakeClock() });
  const answer = await client.query('a.test', 'A');
  const said = answer.kind === 'failed' ? answer.detail.replace(dns.label, 'DNS') : answer.kind;
  return { dns, answer, said };
}

test('a truncated answer is repeated over TCP', async (t) => {
  const many = Array.from({ length: 1500 }, (_, i) => address('a.test', `192.0.2.${i % 250}`));
  const { answer, dns } = await ask(t, (query) => [reply(query, { answers: many })]);
  assert.equal(answer.kind === 'records' && answer.records.length, 1500);
  assert.deepEqual(
    dns.queries.map(({ isOverTcp }) => isOverTcp),
    [false, true],
  );
});

test('an answer in single bytes is assembled, and later bytes are not read', async (t) => {
  const { said } = await ask(t, answering, (socket) => {
    socket.once('data', (chunk) => {
      const query = chunk.subarray(2);
      const bytes = prefixed(Buffer.concat([query.subarray(0, 2), header(), query.subarray(12)]));
      for (const byte of bytes) socket.write(Buffer.from([byte]));
      socket.write(Buffer.alloc(MIB));
    });
  });
  assert.match(said, /^no such record from DNS over TCP$/);
  /** Response, no error, one question, and the OPT record of the query. */
  function header(): Buffer {
    return Buffer.from([0x80, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
  }
});

for (const [what, first, said] of [
  ['a length of 0', Buffer.alloc(2), 'a message without a header from DNS over TCP'],
  ['less than a header', Buffer.from([0, 11]), 'a message without a header from DNS over TCP'],
  ['no DNS', prefixed(Buffer.alloc(600, 'x')), 'an answer to another query from DNS over TCP'],
] as const) {
  test(`a server that sends ${what} and then endless bytes is cut off`, async (t) => {
    let written = 0;
    let isClosed = false;
    const { said: heard } = await ask(t, answering, (socket) => {
      const chunk = Buffer.alloc(MIB);
      const flood = () => {
        if (written > 512 * MIB || socket.destroyed) return;
        written += chunk.length;
        socket.write(chunk, () => setImmediate(flood));
      };
      socket.on('close', () => {
        isClosed = true;
      });
      socket.write(first);
      flood();
    });
    assert.equal(heard, said);
    await eventually('the connection is closed', () => isClosed);
    // At most as much as the socket buffers of the kernel hold.
    assert.ok(written < 64 * MIB, `${written} bytes`);
  });
}

test('no more than the announced length is kept', async (t) => {
  const dns = await fakeDns(t, answering, (socket) => {
    socket.write(Buffer.from([0, 20]));
    socket.write(Buffer.alloc(4 * MIB, 'x'));
  });
  const message = await new Promise((resolve) =>
    queryOverTcp(dns, Buffer.alloc(12), (heard) => {
      resolve(heard.kind === 'message' ? heard.bytes.buffer.byteLength : heard.kind);
    }),
  );
  assert.equal(message, 20);
});

test('an answer that is truncated over TCP too is a failure at once', async (t) => {
  const { said } = await ask(t, (query) => [reply(query, { flags: FLAGS.TRUNCATED })]);
  assert.equal(said, 'a truncated answer from DNS over TCP');
});

test('an answer to another question over TCP is a failure at once', async (t) => {
  const { said, answer } = await ask(t, (query) => {
    const questions: packet.Question[] = [{ type: 'A', name: 'b.test' }];
    return [reply(query, { questions, answers: [address('a.test')] })];
  });
  assert.equal(said, 'messages that do not answer the query from DNS over TCP');
  assert.equal(answer.kind === 'failed' && answer.reason, 'servfail');
});

test('a server that closes the connection is a failure at once', async (t) => {
  const { said } = await ask(t, answering, (socket) => socket.end());
  assert.match(said, /^(?:a connection closed too early from|connection reset by) DNS over TCP$/);
});

test('a server that is silent over TCP is a timeout, within the timeout of one server', async (t) => {
  const clock = new FakeClock();
  let connections = 0;
  const dns = await fakeDns(
    t,
    (query) => [reply(query, { flags: FLAGS.TRUNCATED })],
    () => {
      connections++;
    },
  );
  const client = new DnsClient({ servers: () => [dns], timeoutMs: 2000, clock });
  const asking = client.query('a.test', 'A');
  for (const round of [1, 2]) {
    await eventually('it is queried over TCP', () => connections === round);
    await clock.advanceSettling(2000);
  }
  const answer = await asking;
  assert.deepEqual(answer, {
    ...{ kind: 'failed', reason: 'timeout' },
    detail: `no answer from ${dns.label} over TCP within 2 s`,
  });
});
