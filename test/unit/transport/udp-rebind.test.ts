import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { closedPort, skipOf, UdpPeer, UdpRig } from '../../support/udp-rig.js';

/** Pings in a row without an answer after which one is sent from another port. */
const SILENCES = [false, false, false];

for (const io of ['dgram', 'kernel'] as const) {
  describe(`a silent target over UDP by ${io}`, skipOf(io), () => {
    test('is pinged once from another port, and always if that ping is answered', async (t) => {
      const rig = new UdpRig(t, io);
      const peer = await UdpPeer.start(t);
      const { ping } = rig.open(peer.port);
      const [home, ...others] = SILENCES.map(ping);
      assert.deepEqual(others, [home, home]);
      const moved = ping(true);
      assert.notEqual(moved, home);
      assert.deepEqual([ping(true), ping(true)], [moved, moved]);
      await rig.until('all arrive', () => peer.received.length === 6);
      assert.deepEqual(
        peer.received.map(({ port }) => port),
        [home, home, home, moved, moved, moved],
      );
      assert.equal(rig.rebinds, 1);
      assert.deepEqual(
        rig.logged.map(({ event, fields }) => [event, fields]),
        [
          [
            'udp_port_changed',
            { address: `127.0.0.1:${peer.port}`, old_port: home, new_port: moved },
          ],
        ],
      );
    });

    test('moves new targets to its new port, but not targets that are answered', async (t) => {
      const rig = new UdpRig(t, io);
      const peer = await UdpPeer.start(t);
      const [silent, healthy] = [rig.open(peer.port), rig.open(peer.port)];
      const home = healthy.ping(true);
      SILENCES.map(silent.ping);
      const moved = silent.ping(true);
      assert.equal(healthy.ping(true), home);
      assert.equal(rig.open(peer.port).ping(true), moved);
      // A second target that moves to the same port is counted, but not logged.
      SILENCES.map(healthy.ping);
      assert.equal(healthy.ping(true), moved);
      assert.deepEqual([rig.rebinds, rig.logged.length], [2, 1]);
    });

    test('is pinged from its own port again if another one is not answered either', async (t) => {
      const rig = new UdpRig(t, io);
      const peer = await UdpPeer.start(t);
      const { ping } = rig.open(peer.port);
      const [home] = SILENCES.map(ping);
      const tried = ping(false);
      assert.notEqual(tried, home);
      assert.deepEqual(SILENCES.map(ping).slice(0, 2), [home, home]);
      assert.deepEqual([rig.rebinds, rig.logged], [0, []]);
    });

    test('is pinged from its own port while there are other signs of life', async (t) => {
      const rig = new UdpRig(t, io);
      const peer = await UdpPeer.start(t);
      const { ping } = rig.open(peer.port);
      const home = ping(false);
      const known = [false, true, false, false, undefined, true, false, false];
      assert.deepEqual(new Set(known.map(ping)), new Set([home]));
    });

    test('is pinged from its own port while it is known to be closed', async (t) => {
      const rig = new UdpRig(t, io);
      const { port, address } = await closedPort(t, 4);
      const { flow, locals, failures } = rig.open(port, 4, false, address);
      for (let i = 0; i < 6; i++) {
        flow.prepare();
        flow.send(Buffer.from('OPTIONS'));
        flow.resend(Buffer.from('OPTIONS'));
        const before = failures.length;
        await rig.until('it is refused', () => failures.length > before);
        flow.pingEnded(false);
      }
      assert.equal(new Set(locals.map((local) => local.port)).size, 1);
    });

    test('is pinged only from source_port if that is set', async (t) => {
      const free = await closedPort(t, 4);
      const rig = new UdpRig(t, io, { sourceAddress: '127.0.0.3', sourcePort: free.port });
      const peer = await UdpPeer.start(t);
      const { ping } = rig.open(peer.port);
      const ports = [...SILENCES, ...SILENCES, ...SILENCES].map(ping);
      assert.deepEqual(new Set(ports), new Set([free.port]));
    });
  });
}
