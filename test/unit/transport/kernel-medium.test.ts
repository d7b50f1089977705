import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type {
  Arrival,
  KernelPort,
  NetworkError,
  PortListener,
  Sender,
} from '../../../src/pinger/net/kernel-port.js';
import type { KernelUdp } from '../../../src/pinger/net/kernel-udp.js';
import { ORIGIN_ICMP, ORIGIN_ICMP6, ORIGIN_LOCAL } from '../../../src/pinger/net/layout.js';
import { type SockaddrWords, sockaddrWords } from '../../../src/pinger/net/sockaddr.js';
import { CarriersByPeer, KernelMedium } from '../../../src/pinger/transport/kernel-medium.js';
import type { Source } from '../../../src/pinger/transport/transport.js';
import type { TransportFailure } from '../../../src/shared/outcome.js';

/** A fake kernel that records sent datagrams, whose results the test decides. */
class FakeKernel {
  clockSteps = 0;
  readonly listeners: PortListener[] = [];
  readonly sent: { text: string; peer: SockaddrWords; sender: Sender | undefined }[] = [];

  open({ family }: { readonly family: 4 | 6 }, listener: PortListener): KernelPort {
    this.listeners.push(listener);
    return { socket: { family, port: 40_000 + this.listeners.length } } as unknown as KernelPort;
  }

  send(
    _port: KernelPort,
    message: Uint8Array,
    peer: SockaddrWords,
    sender: Sender | undefined,
  ): void {
    const text = Buffer.from(message).toString();
    this.sent.push({ text, peer, sender });
  }

  addressTowards(): string | undefined {
    return '192.0.2.10';
  }

  close(): void {}
}

function setUp() {
  const kernel = new FakeKernel();
  const carriers = new CarriersByPeer();
  const unstamped = { count: 0 };
  const sources: Source[] = [];
  const medium = () =>
    new KernelMedium({
      ...{ udp: kernel as unknown as KernelUdp, carriers },
      ...{ sourceAddress: '', sourcePort: 0, dscp: 0, interfaceName: '' },
      onMessage: (_bytes, from) => sources.push(from) > 0,
      onUnstamped: () => unstamped.count++,
    });
  /** A carrier of a new medium, and the port that it sends from. */
  const open = (address: string, family: 4 | 6 = 4, port = 5060) => {
    const failures: TransportFailure[] = [];
    const of = medium();
    const endpoint = { address, port, family, domain: address };
    const carrier = of.carrier(endpoint, false, { failed: (failure) => failures.push(failure) });
    const socket = of.open(family);
    const send = (isRetransmission = false): Sender => {
      carrier.send(socket, Buffer.from('OPTIONS'), isRetransmission);
      return kernel.sent.at(-1)?.sender ?? assert.fail('nothing was sent');
    };
    return { carrier, socket, send, failures, endpoint };
  };
  const report = (error: Partial<NetworkError>, at = 0) =>
    kernel.listeners[at]?.networkError({
      ...{ address: '192.0.2.1', port: 5060, code: 'EHOSTUNREACH', origin: ORIGIN_ICMP },
      ...{ icmpType: 3, icmpCode: 1, info: 0, ...error },
    });
  return { kernel, open, report, unstamped, sources };
}

describe('the send time of a request', () => {
  test('is the time of the system call, until the kernel has stamped it', () => {
    const { open } = setUp();
    const { carrier, send } = open('192.0.2.1');
    assert.deepEqual(carrier.sentAtMs, Number.NaN);
    const sender = send();
    sender.handedOver(7, 100);
    assert.equal(carrier.sentAtMs, 100);
    sender.stamped(7, 100.25);
    assert.equal(carrier.sentAtMs, 100.25);
  });

  test('is its first time stamp that is not older than the request', () => {
    const { open } = setUp();
    const { carrier, send } = open('192.0.2.1');
    const sender = send();
    sender.handedOver(7, 100);
    sender.stamped(6, 100.1);
    // From before the kernel restarted its numbers.
    sender.stamped(7, 90);
    assert.equal(carrier.sentAtMs, 100);
    sender.stamped(7, 100.25);
    sender.stamped(7, 300);
    assert.equal(carrier.sentAtMs, 100.25);
  });

  test('is the time of the first transmission', () => {
    const { open } = setUp();
    const { carrier, send } = open('192.0.2.1');
    send().handedOver(7, 100);
    const again = send(true);
    again.handedOver(8, 600);
    again.stamped(8, 600.25);
    assert.equal(carrier.sentAtMs, 100);
    send().handedOver(9, 30_000);
    assert.equal(carrier.sentAtMs, 30_000);
  });

  test('is unknown once the wall clock was set', () => {
    const { kernel, open } = setUp();
    const { carrier, send } = open('192.0.2.1');
    send().handedOver(7, 100);
    kernel.clockSteps++;
    assert.deepEqual(carrier.sentAtMs, Number.NaN);
    send().handedOver(8, 200);
    assert.equal(carrier.sentAtMs, 200);
  });

  test('is counted as missing if a ping was answered and its request was not stamped', () => {
    const { open, unstamped } = setUp();
    const { carrier, send } = open('192.0.2.1');
    const stamped = send();
    stamped.handedOver(7, 100);
    stamped.stamped(7, 100.25);
    carrier.rest(true);
    send().handedOver(8, 200);
    carrier.rest(false);
    carrier.rest(undefined);
    assert.equal(unstamped.count, 0);
    carrier.rest(true);
    assert.equal(unstamped.count, 1);
  });
});

describe('an error', () => {
  test('of the kernel when a request is sent fails the ping', () => {
    const { open } = setUp();
    const { send, failures } = open('192.0.2.1');
    send().failed('EPERM');
    const detail = 'EPERM: not permitted; check the firewall rules of this host';
    assert.deepEqual(failures, [{ reason: 'local', detail }]);
  });

  for (const [family, origin, address, icmp, detail] of [
    [
      4,
      ORIGIN_ICMP,
      '192.0.2.1',
      { icmpType: 3, icmpCode: 13 },
      'ICMP: administratively prohibited',
    ],
    [6, ORIGIN_ICMP6, '2001:db8::1', { icmpType: 1, icmpCode: 3 }, 'ICMPv6: address unreachable'],
  ] as const) {
    test(`of the network over IPv${family} fails all pings of the peer, from any port, and no others`, () => {
      const { open, report } = setUp();
      const [a, b] = [open(address, family), open(address, family)] as const;
      const otherPort = open(address, family, 5062);
      const other = open(family === 4 ? '192.0.2.2' : '2001:db8::2', family);
      // The kernel reports it at the socket that sends next.
      report({ address, origin, ...icmp }, 3);
      for (const { failures } of [a, b]) {
        assert.deepEqual(failures, [{ reason: 'unreachable', detail }]);
      }
      assert.deepEqual([otherPort.failures, other.failures], [[], []]);
    });
  }

  test('of a peer fails the pings of its remaining targets', () => {
    const { open, report } = setUp();
    const [a, b] = [open('192.0.2.1'), open('192.0.2.1')];
    a.carrier.close();
    report({});
    b.carrier.close();
    report({});
    assert.deepEqual([a.failures.length, b.failures.length], [0, 1]);
  });

  test('about a packet that was too big is ignored: the kernel has learnt the MTU', () => {
    const { open, report } = setUp();
    const { failures } = open('192.0.2.1');
    report({ code: 'EMSGSIZE', icmpCode: 4, info: 1400 });
    assert.deepEqual(failures, []);
  });

  test('of this host is ignored, because the send has reported it', () => {
    const { open, report } = setUp();
    const { failures } = open('192.0.2.1');
    report({ code: 'ECONNREFUSED', origin: ORIGIN_LOCAL });
    assert.deepEqual(failures, []);
  });

  test('with an unknown sender has no detail', () => {
    const { open, report } = setUp();
    const { failures } = open('192.0.2.1');
    report({ origin: 99 });
    assert.deepEqual(failures, [{ reason: 'unreachable' }]);
  });
});

test('a message has its source address and arrival time, and its answer is sent to that address', () => {
  const { kernel, open, sources } = setUp();
  open('192.0.2.1');
  const arrival: Arrival = { address: '192.0.2.9', port: 5070, atMs: 12.5 };
  kernel.listeners[0]?.message(Buffer.from('INVITE'), arrival);
  const [from] = sources;
  assert.deepEqual(
    [from?.address, from?.port, from?.arrivedAtMs, from?.isConnection],
    ['192.0.2.9', 5070, 12.5, false],
  );
  from?.answer(Buffer.from('SIP/2.0 405'), 5071);
  from?.answer(Buffer.from('to nobody'), 0);
  const peer = sockaddrWords(4, '192.0.2.9', 5071);
  assert.deepEqual(kernel.sent, [{ text: 'SIP/2.0 405', peer, sender: undefined }]);
});

test('targets with the same local address share one object', () => {
  const { open } = setUp();
  const { socket, endpoint } = open('192.0.2.1');
  const local = socket.localAddressTowards(endpoint);
  assert.deepEqual(local, { address: '192.0.2.10', port: 40_001 });
  assert.equal(socket.localAddressTowards({ ...endpoint, address: '192.0.2.2' }), local);
});
