import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../../src/pinger/net/arena.js';
import { KernelPort, type Sender } from '../../../src/pinger/net/kernel-port.js';
import type { KernelSocket } from '../../../src/pinger/net/kernel-socket.js';
import type { Libc } from '../../../src/pinger/net/libc.js';
import { Outgoing } from '../../../src/pinger/net/outgoing.js';
import { sockaddrWords } from '../../../src/pinger/net/sockaddr.js';

const [EPERM, EAGAIN, EHOSTUNREACH, ECONNREFUSED] = [1, 11, 113, 111];
const PEER = sockaddrWords(4, '127.0.0.1', 5060);

/** A fake kernel that answers each call with the number of datagrams that it accepts, or an error. */
function rig(answers: (number | { readonly errno: number })[]) {
  let errno = 0;
  const calls = { sends: 0, renumbered: 0, queued: 0 };
  const libc = {
    address: () => 0n,
    sendmmsg: (_fd: number, _headers: Buffer, count: number) => {
      calls.sends++;
      const answer = answers.shift() ?? count;
      if (typeof answer === 'number') return Math.min(answer, count);
      ({ errno } = answer);
      return -1;
    },
    errno: () => errno,
  } as unknown as Libc;
  const outgoing = new Outgoing({
    ...{ libc, arena: new Arena(libc, Outgoing.bytes), now: () => 1 },
    readStamps: () => {},
    onQueued: () => calls.queued++,
  });
  const socket = { fd: 3, restartNumbers: () => calls.renumbered++ } as unknown as KernelSocket;
  const port = new KernelPort(socket, { message: () => {}, networkError: () => {} });
  const ends: string[] = [];
  const add = (name: string) => {
    const sender: Sender = {
      handedOver: (number) => ends.push(`${name} sent as ${number}`),
      stamped: () => {},
      failed: (code) => ends.push(`${name} ${code}`),
    };
    outgoing.add(port, Buffer.from(name), PEER, sender);
  };
  return { outgoing, add, ends, calls };
}

test('an error of an earlier datagram is not reported for the next one, even several in a row', () => {
  const { outgoing, add, ends } = rig([
    1,
    { errno: ECONNREFUSED },
    { errno: EHOSTUNREACH },
    { errno: ECONNREFUSED },
  ]);
  add('a');
  add('b');
  outgoing.flush();
  assert.deepEqual(ends, ['a sent as 0', 'b sent as 1']);
});

test('a repeated error is that of the datagram, and the datagrams after it are sent', () => {
  const { outgoing, add, ends, calls } = rig(new Array(8).fill({ errno: EHOSTUNREACH }));
  add('a');
  add('b');
  outgoing.flush();
  assert.deepEqual(ends, ['a EHOSTUNREACH', 'b sent as 0']);
  assert.equal(calls.renumbered, 1, 'numbers begin again on both sides');
});

test('a datagram that the kernel does not permit fails at once', () => {
  const { outgoing, add, ends, calls } = rig([{ errno: EPERM }]);
  add('a');
  outgoing.flush();
  assert.deepEqual([ends, calls.sends], [['a EPERM'], 1]);
});

test('a datagram for which the kernel has no room is sent with the next flush', () => {
  const { outgoing, add, ends, calls } = rig([1, { errno: EAGAIN }]);
  add('a');
  add('b');
  outgoing.flush();
  assert.deepEqual(ends, ['a sent as 0']);
  outgoing.flush();
  assert.deepEqual(ends, ['a sent as 0', 'b sent as 1']);
  assert.equal(calls.queued, 1, 'it was said once that something waits');
});
