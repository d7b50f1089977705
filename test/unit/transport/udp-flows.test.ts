import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bind } from '../../../src/pinger/net/udp.js';
import { closedPort, LOOPBACK, skipOf, UdpPeer, UdpRig } from '../../support/udp-rig.js';

const REQUEST = Buffer.from('OPTIONS');

/** Whether nothing is bound to the port. */
function isFree(family: 4 | 6, port: number): boolean {
  try {
    bind(family, '', port, false).close();
    return true;
  } catch {
    return false;
  }
}

for (const io of ['dgram', 'kernel'] as const) {
  for (const family of [4, 6] as const) {
    describe(`UDP over IPv${family} by ${io}`, skipOf(io), () => {
      test('carries a request from the reported address, and the response back', async (t) => {
        const rig = new UdpRig(t, io);
        const peer = await UdpPeer.start(t, family);
        const { flow, locals } = rig.open(peer.port, family);
        flow.prepare();
        flow.send(REQUEST);
        const [request] = await rig.until('it arrives', () => peer.received[0] && peer.received);
        assert.equal(request?.text, 'OPTIONS');
        assert.deepEqual(locals, [{ address: request.address, port: request.port }]);
        assert.equal(request.address, LOOPBACK[family]);
        peer.send('SIP/2.0 200 OK', request.port);
        const response = await rig.until('it is answered', () => rig.messages[0]);
        assert.deepEqual(
          [response.text, response.address, response.port],
          ['SIP/2.0 200 OK', LOOPBACK[family], peer.port],
        );
        assert.equal(flow.isReliable, false);
      });

      test(
        io === 'kernel'
          ? 'knows when the request left and when the response arrived'
          : 'does not know when a request left, nor when a response arrived',
        async (t) => {
          const rig = new UdpRig(t, io);
          const peer = await UdpPeer.start(t, family);
          const { flow } = rig.open(peer.port, family);
          flow.prepare();
          const beforeMs = performance.now();
          flow.send(REQUEST);
          const { port } = await rig.until('it arrives', () => peer.received[0]);
          peer.send('SIP/2.0 200 OK', port);
          const { arrivedAtMs } = await rig.until('it is answered', () => rig.messages[0]);
          if (io === 'dgram') {
            assert.deepEqual([flow.sentAtMs, arrivedAtMs], [undefined, undefined]);
            return;
          }
          const sentAtMs = flow.sentAtMs ?? Number.NaN;
          // The stamps are wall-clock time, which is known to a fraction of a millisecond.
          assert.ok(beforeMs - 1 <= sentAtMs, `${beforeMs} ${sentAtMs}`);
          assert.ok(sentAtMs < (arrivedAtMs ?? Number.NaN));
          assert.ok((arrivedAtMs ?? Number.NaN) <= performance.now() + 1);
        },
      );

      test('sends the pings of all targets from one port, and probes from their own', async (t) => {
        const rig = new UdpRig(t, io);
        const peer = await UdpPeer.start(t, family);
        const [a, b] = [rig.open(peer.port, family), rig.open(peer.port, family)] as const;
        const once = rig.open(peer.port, family, true);
        assert.equal(a.ping(true), b.ping(true));
        const own = once.ping(true);
        assert.notEqual(own, a.ping(true));
        await rig.until('all arrive', () => peer.received.length === 4);
        once.flow.close();
        await rig.until('its port is closed', () => isFree(family, own));
      });

      test('reports a closed port only to the targets with that port', async (t) => {
        const rig = new UdpRig(t, io);
        const peer = await UdpPeer.start(t, family);
        const { port, address } = await closedPort(t, family);
        const closed = [0, 1].map(() => rig.open(port, family, false, address));
        const healthy = rig.open(peer.port, family);
        for (const { flow } of [...closed, healthy]) {
          flow.prepare();
          flow.send(REQUEST);
        }
        await rig.until('the healthy one is reached', () => peer.received.length > 0);
        for (const { flow, failures } of closed) {
          flow.resend(REQUEST);
          await rig.until('it knows', () => failures.length > 0);
        }
        healthy.flow.resend(REQUEST);
        await rig.until('the healthy one is reached again', () => peer.received.length > 1);
        const name = family === 4 ? 'ICMP' : 'ICMPv6';
        const detail = io === 'kernel' ? { detail: `${name}: port unreachable` } : {};
        for (const { failures } of closed) {
          assert.deepEqual(failures[0], { reason: 'refused', ...detail });
        }
        assert.deepEqual(healthy.failures, []);
        peer.send('SIP/2.0 200 OK', peer.received[0]?.port ?? 0);
        await rig.until('it is answered', () => rig.messages.length > 0);
      });

      test('reports a closed port to the next ping at once if the last one was not answered', async (t) => {
        const rig = new UdpRig(t, io);
        const { port, address } = await closedPort(t, family);
        const { flow, failures, ping } = rig.open(port, family, false, address);
        ping(false);
        const before = failures.length;
        flow.prepare();
        flow.send(REQUEST);
        await rig.until('it knows', () => failures.length > before);
        assert.equal(failures.at(-1)?.reason, 'refused');
      });

      test('reports a message that is too long for a datagram', async (t) => {
        const rig = new UdpRig(t, io);
        const peer = await UdpPeer.start(t, family);
        const { flow, failures } = rig.open(peer.port, family);
        flow.prepare();
        flow.send(Buffer.alloc(70_000));
        await rig.until('it failed', () => failures.length > 0);
        assert.deepEqual(failures, [
          { reason: 'local', detail: 'EMSGSIZE: the message is too long for a datagram' },
        ]);
      });

      test('answers a request of the peer, and not one from port 0', async (t) => {
        const rig = new UdpRig(t, io, {
          onMessage: (from) => {
            assert.equal(from.isConnection, false);
            from.answer(Buffer.from('to nobody'), 0);
            from.answer(Buffer.from('SIP/2.0 405'), from.port);
          },
        });
        const peer = await UdpPeer.start(t, family);
        const { flow, locals } = rig.open(peer.port, family);
        flow.prepare();
        peer.send('INVITE', locals[0]?.port ?? 0);
        const { text, port } = await rig.until('it is answered', () => peer.received[0]);
        assert.deepEqual([text, port], ['SIP/2.0 405', locals[0]?.port]);
      });

      test('reports that this host refuses to send to an address', async (t) => {
        const rig = new UdpRig(t, io);
        // Broadcasts need a socket option, and link-local addresses an interface.
        const address = family === 4 ? '255.255.255.255' : 'fe80::77';
        const { flow, locals, failures } = rig.open(5060, family, false, address);
        flow.prepare();
        const detail =
          family === 4
            ? 'EACCES: not permitted by this host'
            : 'EINVAL: this host rejects such an address';
        const failure = io === 'kernel' ? { reason: 'local', detail } : { reason: 'unreachable' };
        assert.deepEqual([locals, failures], [[], [failure]]);
      });
    });
  }

  describe(`UDP by ${io}`, skipOf(io), () => {
    test('sends from the source address and port, and closes them with the last flow', async (t) => {
      const free = await closedPort(t, 4);
      const rig = new UdpRig(t, io, { sourceAddress: free.address, sourcePort: free.port });
      const peer = await UdpPeer.start(t);
      const flows = [rig.open(peer.port), rig.open(peer.port, 4, true)];
      for (const { ping } of flows) ping(true);
      const [a, b] = await rig.until('both arrive', () => peer.received[1] && peer.received);
      for (const request of [a, b]) {
        assert.deepEqual([request?.address, request?.port], [free.address, free.port]);
      }
      for (const { flow } of flows) flow.close();
      await rig.until('the port is free', () => {
        try {
          bind(4, free.address, free.port, false).close();
          return true;
        } catch {
          return false;
        }
      });
    });

    test('fails the pings of a family whose port is in use, and logs it once', async (t) => {
      const other = await UdpPeer.start(t);
      const rig = new UdpRig(t, io, { sourceAddress: '127.0.0.1', sourcePort: other.port });
      const flows = [rig.open(5060), rig.open(5060)];
      for (const { flow } of flows) flow.prepare();
      const detail = 'EADDRINUSE: the local address and port are in use';
      for (const { failures } of flows) assert.deepEqual(failures, [{ reason: 'local', detail }]);
      assert.deepEqual(
        rig.logged.map(({ event, fields }) => [event, fields['family'], fields['source_port']]),
        [['udp_socket_unavailable', 'ip4', other.port]],
      );
    });

    test('opens the socket of one family if that of the other cannot be opened', (t) => {
      const rig = new UdpRig(t, io, { sourceAddress: '127.0.0.1' });
      const flows = [rig.open(5060, 6), rig.open(5060, 6), rig.open(5060, 4)];
      for (const { flow } of flows) flow.prepare();
      assert.deepEqual(
        flows.map(({ failures }) => failures.map(({ reason }) => reason)),
        [['local'], ['local'], []],
      );
      assert.equal(flows[2]?.locals.length, 1);
      assert.equal(rig.logged.length, 1, 'the error is logged once');
    });

    test('keeps its port for half a minute after the last flow, for the next one', async (t) => {
      t.mock.timers.enable({ apis: ['setTimeout'] });
      const rig = new UdpRig(t, io);
      const peer = await UdpPeer.start(t);
      const first = rig.open(peer.port);
      const port = first.ping(true);
      first.flow.close();
      first.flow.close();
      t.mock.timers.tick(29_999);
      const next = rig.open(peer.port);
      assert.equal(next.ping(true), port);
      t.mock.timers.tick(60_000);
      assert.equal(isFree(4, port), false, 'a flow is open');
      next.flow.close();
      t.mock.timers.tick(29_999);
      assert.equal(isFree(4, port), false);
      t.mock.timers.tick(1);
      await rig.until('it is closed', () => isFree(4, port));
    });

    test('reports a timeout as a local error if the source address no longer exists', (t) => {
      const rig = new UdpRig(t, io, { sourceAddress: '192.0.2.77' });
      const { flow, failures } = rig.open(5060);
      flow.prepare();
      assert.equal(failures[0]?.reason, 'local');
      assert.equal(flow.explain({ kind: 'failed', reason: 'timeout' }).kind, 'failed');
      const { detail = '' } = flow.explain({ kind: 'failed', reason: 'timeout' });
      assert.match(detail, /^EADDRNOTAVAIL/);
    });
  });
}
