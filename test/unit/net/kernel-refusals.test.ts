/** Sockets when the kernel refuses a call. */

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { KernelSocketOptions } from '../../../src/pinger/net/kernel-socket.js';
import { KernelUdp } from '../../../src/pinger/net/kernel-udp.js';
import {
  IP_RECVERR,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVERR,
  IPV6_TCLASS,
  SO_RCVBUF,
  SO_RXQ_OVFL,
  SO_SNDBUF,
  SO_TIMESTAMPING,
} from '../../../src/pinger/net/layout.js';
import { type Libc, LibcError, loadLibc } from '../../../src/pinger/net/libc.js';
import { Descriptors } from '../../../src/shared/ledger/descriptors.js';
import { createLedger } from '../../../src/shared/ledger/layout.js';
import { skipOf } from '../../support/udp-rig.js';

const [EPERM, EMFILE, ENOPROTOOPT] = [1, 24, 92];

/** The system's libc, in which a test can make calls fail. */
class Refusing {
  readonly libc: Libc;
  /** Descriptors that are open. */
  readonly open = new Set<number>();
  /** Called before each call; if it returns an error number, the call fails with that. */
  refuse: (call: string, option: number) => number | undefined = () => undefined;
  #errno: number | undefined;

  constructor() {
    const real = loadLibc();
    const call =
      <Args extends unknown[]>(name: string, work: (...args: Args) => number) =>
      (...args: Args): number => {
        this.#errno = this.refuse(name, Number(args[2]));
        return this.#errno === undefined ? work(...args) : -1;
      };
    this.libc = {
      ...real,
      socket: call('socket', (...args: Parameters<Libc['socket']>) => {
        const fd = real.socket(...args);
        this.open.add(fd);
        return fd;
      }),
      close: (fd) => {
        this.open.delete(fd);
        return real.close(fd);
      },
      setsockopt: call('setsockopt', real.setsockopt),
      getsockopt: call('getsockopt', real.getsockopt),
      getsockname: call('getsockname', real.getsockname),
      recvmmsg: call('recvmmsg', real.recvmmsg),
      errno: () => this.#errno ?? real.errno(),
    };
  }
}

function setUp(t: TestContext) {
  const refusing = new Refusing();
  const shortfalls: string[] = [];
  const openUdp = () =>
    new KernelUdp({
      libc: refusing.libc,
      now: () => performance.now(),
      descriptors: new Descriptors(createLedger()),
      ...{ onDropped: () => {}, onQueued: () => {}, onErrorStorm: () => {} },
      onShortfall: ({ option }) => shortfalls.push(option),
    });
  const udp = openUdp();
  t.after(() => udp.closeAll());
  shortfalls.length = 0;
  const before = refusing.open.size;
  const openSocket = (change: Partial<KernelSocketOptions> = {}) =>
    udp.open(
      { family: 4, address: '', port: 0, dscp: 0, interfaceName: '', ...change },
      { message: () => {}, networkError: () => {} },
    ).socket;
  const leaked = () => refusing.open.size - before;
  return { refusing, shortfalls, udp, openUdp, openSocket, leaked };
}

describe('a kernel socket', skipOf('kernel'), () => {
  for (const [family, refused, option] of [
    [4, IP_RECVERR, 'IP_RECVERR'],
    [6, IPV6_RECVERR, 'IP_RECVERR'],
    [4, SO_RXQ_OVFL, 'SO_RXQ_OVFL'],
  ] as const) {
    test(`over IPv${family} works without ${option} when the kernel refuses it, and reports it`, (t) => {
      const { refusing, shortfalls, openSocket } = setUp(t);
      refusing.refuse = (call, name) =>
        call === 'setsockopt' && name === refused ? ENOPROTOOPT : undefined;
      assert.ok(openSocket({ family }).port > 0);
      assert.equal(shortfalls.includes(option), true);
    });
  }

  test('works with smaller buffers than requested, and reports it', (t) => {
    const { refusing, shortfalls, openSocket } = setUp(t);
    refusing.refuse = (call, name) =>
      call === 'setsockopt' && (name === SO_RCVBUF || name === SO_SNDBUF) ? EPERM : undefined;
    openSocket();
    for (const option of ['SO_RCVBUF', 'SO_SNDBUF']) {
      assert.ok(shortfalls.includes(option), option);
    }
  });

  for (const [title, refused, code] of [
    ['while the process has no descriptor left', { call: 'socket' }, EMFILE],
    ['that is not stamped', { call: 'setsockopt', option: SO_TIMESTAMPING }, ENOPROTOOPT],
    ['whose buffers are unknown', { call: 'getsockopt' }, EPERM],
    ['whose port is unknown', { call: 'getsockname' }, EPERM],
  ] as const satisfies readonly (readonly [string, { call: string; option?: number }, number])[]) {
    test(`${title} is not opened, and no descriptor is left open`, (t) => {
      const { refusing, openSocket, leaked } = setUp(t);
      const { call: refusedCall } = refused;
      refusing.refuse = (call, option) =>
        call === refusedCall && (!('option' in refused) || refused.option === option)
          ? code
          : undefined;
      assert.throws(() => openSocket(), {
        name: 'SystemCallError',
        code: { [EPERM]: 'EPERM', [EMFILE]: 'EMFILE', [ENOPROTOOPT]: 'ENOPROTOOPT' }[code],
      });
      assert.equal(leaked(), 0);
    });
  }

  test('for an address that this host does not have is not opened', (t) => {
    const { openSocket, leaked } = setUp(t);
    assert.throws(() => openSocket({ address: '192.0.2.77' }), { code: 'EADDRNOTAVAIL' });
    assert.equal(leaked(), 0);
  });

  test('for an interface that does not exist is not opened', (t) => {
    const { openSocket, leaked } = setUp(t);
    assert.throws(() => openSocket({ interfaceName: 'nowhere0' }), { code: /^ENODEV|EPERM$/ });
    assert.equal(leaked(), 0);
  });

  for (const [family, level, option] of [
    [4, IPPROTO_IP, IP_TOS],
    [6, IPPROTO_IPV6, IPV6_TCLASS],
  ] as const) {
    test(`over IPv${family} marks its packets with the code point (RFC 2474 3)`, (t) => {
      const { refusing, openSocket } = setUp(t);
      const { fd } = openSocket({ family, dscp: 46 });
      const [value, length] = [Buffer.alloc(4), Buffer.alloc(4)];
      length.writeUInt32LE(4);
      assert.equal(refusing.libc.getsockopt(fd, level, option, value, length), 0);
      assert.equal(value.readUInt8(), 46 << 2);
    });
  }
});

test(
  'UDP of the kernel is not used where arrivals or departures are not stamped',
  skipOf('kernel'),
  (t) => {
    const { refusing, openUdp, leaked } = setUp(t);
    refusing.refuse = (call) => (call === 'recvmmsg' ? EPERM : undefined);
    assert.throws(openUdp, (error) => {
      assert.ok(error instanceof LibcError);
      assert.match(error.message, /^the kernel does not stamp sends and arrivals/);
      return true;
    });
    assert.equal(leaked(), 0);
  },
);
