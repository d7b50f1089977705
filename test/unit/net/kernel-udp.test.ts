import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import type {
  Arrival,
  KernelPort,
  NetworkError,
  Sender,
} from '../../../src/pinger/net/kernel-port.js';
import { KernelUdp } from '../../../src/pinger/net/kernel-udp.js';
import { SO_RCVBUF, SO_TIMESTAMPING, SOL_SOCKET } from '../../../src/pinger/net/layout.js';
import { type Libc, LibcError, loadLibc } from '../../../src/pinger/net/libc.js';
import { sockaddr, sockaddrWords } from '../../../src/pinger/net/sockaddr.js';
import { Descriptors } from '../../../src/shared/ledger/descriptors.js';
import { createLedger, MAX_DESCRIPTORS } from '../../../src/shared/ledger/layout.js';

/** On Linux this must work; elsewhere the tests are skipped, and say so. */
function libcOf(t: TestContext): Libc | undefined {
  try {
    return loadLibc();
  } catch (error) {
    if (!(error instanceof LibcError) || process.platform === 'linux') throw error;
    t.skip(error.message);
    return undefined;
  }
}

interface Heard {
  readonly messages: { bytes: Buffer; address: string; port: number; atMs: number | undefined }[];
  readonly errors: NetworkError[];
}

function listener(heard: Heard) {
  return {
    message: (bytes: Buffer, { address, port, atMs }: Arrival) => {
      heard.messages.push({ bytes: Buffer.from(bytes), address, port, atMs });
    },
    networkError: (error: NetworkError) => heard.errors.push(error),
  };
}

class Recorded implements Sender {
  number = -1;
  handedOverAtMs = Number.NaN;
  stampedAtMs: number | undefined;
  code: string | undefined;

  handedOver(number: number, atMs: number): void {
    this.number = number;
    this.handedOverAtMs = atMs;
  }

  stamped(number: number, atMs: number): void {
    if (number === this.number) this.stampedAtMs = atMs;
  }

  failed(code: string): void {
    this.code = code;
  }
}

const LOOPBACK = { 4: '127.0.0.1', 6: '::1' } as const;

function setUp(t: TestContext) {
  const libc = libcOf(t);
  if (libc === undefined) return undefined;
  const descriptors = new Descriptors(createLedger());
  const dropped = { count: 0 };
  const storms = { count: 0 };
  const udp = new KernelUdp({
    libc,
    now: () => performance.now(),
    descriptors,
    onDropped: (count) => {
      dropped.count += count;
    },
    onQueued: () => {},
    onErrorStorm: () => storms.count++,
    onShortfall: () => {},
  });
  t.after(() => udp.closeAll());
  const heard: Heard = { messages: [], errors: [] };
  const port = (family: 4 | 6): KernelPort =>
    udp.open({ family, address: '', port: 0, dscp: 0, interfaceName: '' }, listener(heard));
  const send = (from: KernelPort, to: number, message: Buffer): Recorded => {
    const sender = new Recorded();
    const { family } = from.socket;
    udp.send(from, message, sockaddrWords(family, LOOPBACK[family], to), sender);
    return sender;
  };
  return { udp, libc, heard, port, send, descriptors, dropped, storms };
}

for (const family of [4, 6] as const) {
  describe(`the kernel's UDP sockets over IPv${family}`, () => {
    test('carry a datagram, and say when it left and when it arrived', (t) => {
      const it = setUp(t);
      if (it === undefined) return;
      const [from, to] = [it.port(family), it.port(family)];
      const before = performance.now();
      const sender = it.send(from, to.socket.port, Buffer.from('OPTIONS'));
      it.udp.flush();
      it.udp.drain();
      const [message] = it.heard.messages;
      assert.equal(message?.bytes.toString(), 'OPTIONS');
      assert.deepEqual([message.address, message.port], [LOOPBACK[family], from.socket.port]);
      const sentAtMs = sender.stampedAtMs ?? Number.NaN;
      assert.ok(before <= sender.handedOverAtMs && sender.handedOverAtMs <= sentAtMs + 0.01);
      assert.ok((message.atMs ?? Number.NaN) >= sentAtMs);
      assert.ok((message.atMs ?? Number.NaN) <= performance.now());
    });

    test('report a closed port, with the address that it is of, and send on to others', (t) => {
      const it = setUp(t);
      if (it === undefined) return;
      const from = it.port(family);
      const gone = it.port(family);
      const closed = gone.socket.port;
      it.udp.close(gone);
      it.send(from, closed, Buffer.from('closed'));
      it.udp.flush();
      const next = it.send(from, from.socket.port, Buffer.from('open'));
      it.udp.flush();
      it.udp.drain();
      const [error] = it.heard.errors;
      assert.deepEqual(
        [error?.address, error?.port, error?.code],
        [LOOPBACK[family], closed, 'ECONNREFUSED'],
      );
      assert.equal(next.code, undefined, 'the error is not that of the next datagram');
      assert.equal(it.heard.messages.at(-1)?.bytes.toString(), 'open');
    });

    test('refuse a datagram that is too long, and keep the numbers of those after it right', (t) => {
      const it = setUp(t);
      if (it === undefined) return;
      const port = it.port(family);
      const before = it.send(port, port.socket.port, Buffer.from('before'));
      const long = it.send(port, port.socket.port, Buffer.alloc(65_536));
      const after = Array.from({ length: 100 }, (_, i) =>
        it.send(port, port.socket.port, Buffer.from(`after ${i}`)),
      );
      it.udp.flush();
      it.udp.drain();
      assert.equal(long.code, 'EMSGSIZE');
      for (const sender of [before, ...after]) {
        assert.equal(sender.code, undefined);
        assert.ok((sender.stampedAtMs ?? Number.NaN) >= sender.handedOverAtMs - 0.01);
      }
      const texts = it.heard.messages.map(({ bytes }) => bytes.toString());
      assert.deepEqual(texts, ['before', ...after.map((_, i) => `after ${i}`)]);
    });

    test('carry datagrams of every length there is', (t) => {
      const it = setUp(t);
      if (it === undefined) return;
      const port = it.port(family);
      const lengths = [0, 1, 63, 64, 65, 1500, 2047, 2048, 2049, 4096, 30_000, 65_000];
      for (const length of lengths) it.send(port, port.socket.port, Buffer.alloc(length, 0x61));
      it.udp.flush();
      it.udp.drain();
      assert.deepEqual(
        it.heard.messages.map(({ bytes }) => bytes.length),
        lengths,
      );
      assert.ok(it.heard.messages.every(({ bytes }) => bytes.every((byte) => byte === 0x61)));
    });
  });
}

test('a peer is reached from the address that the routes choose, each anew', (t) => {
  const it = setUp(t);
  if (it === undefined) return;
  assert.equal(it.udp.addressTowards(4, '', sockaddr(4, '127.0.0.1', 5060)), '127.0.0.1');
  assert.equal(it.udp.addressTowards(6, '', sockaddr(6, '::1', 5060)), '::1');
  assert.equal(it.udp.addressTowards(4, '', sockaddr(4, '127.8.8.8', 5060)), '127.0.0.1');
});

test("a port that another program has is not shared, and one of the exporter's own is", async (t) => {
  const it = setUp(t);
  if (it === undefined) return;
  const other = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  t.after(() => other.close());
  await once(other, 'listening');
  const options = { family: 4, address: '127.0.0.1', dscp: 0, interfaceName: '' } as const;
  const taken = (other.address() as AddressInfo).port;
  assert.throws(() => it.udp.open({ ...options, port: taken }, listener(it.heard)), {
    code: 'EADDRINUSE',
  });
  const gone = it.port(4);
  const free = gone.socket.port;
  it.udp.close(gone);
  for (let i = 0; i < 2; i++) it.udp.open({ ...options, port: free }, listener(it.heard));
});

test('hostile datagrams cost nothing but themselves, and no descriptor is left', async (t) => {
  const it = setUp(t);
  if (it === undefined) return;
  const before = readdirSync('/proc/self/fd').length;
  const port = it.port(4);
  const attacker = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  t.after(() => attacker.close());
  await once(attacker, 'listening');
  const attacks = [Buffer.alloc(0), randomBytes(1), randomBytes(1400), Buffer.alloc(65_507, 0xff)];
  for (let round = 0; round < 1000; round++) {
    for (let i = 0; i < 100; i++) {
      attacker.send(attacks[i % attacks.length] ?? '', port.socket.port, '127.0.0.1', () => {});
    }
    await new Promise((resolve) => setImmediate(resolve));
    it.udp.drain();
    it.heard.messages.length = 0;
  }
  const sender = it.send(port, port.socket.port, Buffer.from('still here'));
  it.udp.flush();
  // What the attack left in the socket comes first.
  for (let i = 0; i < 100 && it.heard.messages.at(-1)?.bytes.toString() !== 'still here'; i++) {
    it.udp.drain();
  }
  assert.equal(it.heard.messages.at(-1)?.bytes.toString(), 'still here');
  assert.ok(sender.stampedAtMs !== undefined);
  assert.ok(it.descriptors.all().length > 0);
  it.udp.closeAll();
  assert.deepEqual(it.descriptors.all(), []);
  assert.ok(readdirSync('/proc/self/fd').length <= before + 1, 'the attacker has the other one');
});

test('datagrams that the kernel drops because a socket is full are all counted', async (t) => {
  const it = setUp(t);
  if (it === undefined) return;
  const [from, to] = [it.port(4), it.port(4)];
  const size = Buffer.from(new ArrayBuffer(4));
  size.writeInt32LE(4096);
  assert.equal(it.libc.setsockopt(to.socket.fd, SOL_SOCKET, SO_RCVBUF, size, 4), 0);
  for (let i = 0; i < 500; i++) it.send(from, to.socket.port, Buffer.alloc(200));
  it.udp.flush();
  it.udp.drain();
  // The count comes with the next datagram.
  it.send(from, to.socket.port, Buffer.from('next'));
  it.udp.flush();
  it.udp.drain();
  assert.ok(it.dropped.count > 0);
  assert.equal(it.heard.messages.length + it.dropped.count, 501);
});

test('a socket for which the list of descriptors has no room is not opened', (t) => {
  const it = setUp(t);
  if (it === undefined) return;
  const before = readdirSync('/proc/self/fd').length;
  const { cells } = it.descriptors;
  for (let i = 0; i < MAX_DESCRIPTORS; i++) if (cells[i] === 0) cells[i] = 1_000_000;
  assert.throws(() => it.port(4), { code: 'EMFILE' });
  assert.equal(readdirSync('/proc/self/fd').length, before);
});

test('a socket is not opened for an interface that does not exist', (t) => {
  const it = setUp(t);
  if (it === undefined) return;
  const before = readdirSync('/proc/self/fd').length;
  const options = {
    family: 4,
    address: '',
    port: 0,
    dscp: 0,
    interfaceName: 'no-such-one',
  } as const;
  const error = { code: 'ENODEV', syscall: 'SO_BINDTODEVICE' };
  assert.throws(() => it.udp.open(options, listener(it.heard)), error);
  assert.throws(() => it.udp.addressTowards(4, 'no-such-one', sockaddr(4, '127.0.0.1', 1)), error);
  assert.equal(readdirSync('/proc/self/fd').length, before);
});

test('a storm of network errors is ignored for a while, and does not delay what arrives', (t) => {
  const it = setUp(t);
  if (it === undefined) return;
  const [port, gone] = [it.port(4), it.port(4)];
  const closed = gone.socket.port;
  it.udp.close(gone);
  // Timestamps would share the limit of one drain.
  const off = Buffer.from(new ArrayBuffer(4));
  it.libc.setsockopt(port.socket.fd, SOL_SOCKET, SO_TIMESTAMPING, off, 4);
  for (let i = 0; i < 700; i++) it.send(port, closed, Buffer.from('closed'));
  it.udp.flush();
  it.udp.drain();
  assert.equal(it.storms.count, 1);
  const before = it.heard.errors.length;
  it.send(port, closed, Buffer.from('closed'));
  it.send(port, port.socket.port, Buffer.from('open'));
  it.udp.flush();
  it.udp.drain();
  assert.equal(it.heard.errors.length, before);
  assert.equal(it.heard.messages.at(-1)?.bytes.toString(), 'open');
});
