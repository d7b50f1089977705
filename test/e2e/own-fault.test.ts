import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import {
  IS_INSIDE,
  mayMakeNamespaces,
  raiseLoopback,
  runInNamespace,
} from '../support/namespace.js';
import { eventually, runToEnd } from '../support/process.js';
import { needs } from '../support/tools.js';
import { EACH_UDP_IO } from '../support/udp-io.js';

/** Seconds; long enough for answers on a busy machine. */
const INTERVAL = 2;

function nft(command: string): void {
  const { status, output } = runToEnd('nft', command.split(' '));
  assert.equal(status, 0, output);
}

/** The tests, inside a network namespace. */
async function testInside(suite: TestContext): Promise<void> {
  raiseLoopback();
  for (const [io, options] of EACH_UDP_IO) {
    await suite.test(`(${io})`, options, (t) => testBy(t, [`--udp.io=${io}`]));
  }
}

async function testBy(suite: TestContext, args: readonly string[]): Promise<void> {
  // UDP only: over TCP a SYN dropped by a rule is retransmitted as if it were lost, without an error.
  await suite.test(
    'with a local firewall rule that drops pings, the state is kept until it is stale, then unknown, never down',
    async (t) => {
      const peer = await startFarEnd(t, 'udp', (_request, good) => [good]);
      const destinations = [{ name: 'd', uri: `127.0.0.1:${peer.port}` }];
      const exporter = await startExporter(t, { ping_interval: INTERVAL, destinations }, args);
      await eventually('it is up', async () => (await exporter.isAlive('d')) === 1);
      nft('add table inet rules');
      t.after(() => nft('delete table inet rules'));
      nft('add chain inet rules out { type filter hook output priority 0 ; }');
      nft(`add rule inet rules out udp dport ${peer.port} drop`);

      const local = { destination: 'd', reason: 'local' };
      const failures = async () =>
        (await exporter.metric('sip_keepalive_ping_failures_total', local)) ?? 0;
      await eventually('pings fail locally', async () => (await failures()) >= 3);
      const { targets } = await exporter.destination('d');
      assert.equal(targets[0]?.reason, 'local');
      assert.match(targets[0]?.detail ?? '', /EPERM/);
      assert.match(await exporter.get('/-/ready'), /cannot ping/);
      await eventually('it is unknown', async () => (await exporter.isAlive('d')) === -1);
      assert.equal((await exporter.destination('d')).reason, 'local');
      assert.equal(await exporter.metric('sip_keepalive_state_changes_total'), 0, 'never down');

      nft('flush chain inet rules out');
      await eventually('it is up again', async () => (await exporter.isAlive('d')) === 1);
      assert.equal(await exporter.get('/-/ready'), 'Ready\n');
      assert.equal(await exporter.metric('sip_keepalive_state_changes_total'), 0);
    },
  );

  await suite.test('a source address that does not exist is not a verdict either', async (t) => {
    const peer = await startFarEnd(t, 'udp', (_request, good) => [good]);
    const destinations = [
      { name: 'over udp', uri: `127.0.0.1:${peer.port}` },
      { name: 'over tcp', uri: `127.0.0.1:${peer.port};transport=tcp` },
    ];
    const settings = { ping_interval: INTERVAL, source_address: '192.0.2.77' };
    const exporter = await startExporter(t, { ...settings, destinations }, args);
    for (const destination of ['over udp', 'over tcp']) {
      const labels = { destination, reason: 'local' };
      await eventually('pings fail locally', async () => {
        return ((await exporter.metric('sip_keepalive_ping_failures_total', labels)) ?? 0) >= 2;
      });
      assert.equal(await exporter.isAlive(destination), -1);
    }
  });

  await suite.test(
    'a source address that is removed while pings run is not a verdict',
    async (t) => {
      const source = '10.77.0.2';
      const ip = (...args: string[]) => {
        const { status, output } = runToEnd('ip', args);
        assert.equal(status, 0, output);
      };
      ip('address', 'add', `${source}/32`, 'dev', 'lo');
      t.after(() => ip('address', 'del', `${source}/32`, 'dev', 'lo'));
      const names = ['udp', 'tcp', 'ws'] as const;
      const peers = await Promise.all(
        names.map((transport) => startFarEnd(t, transport, (_request, good) => [good])),
      );
      const destinations = names.map((name, i) => ({
        ...{ name, uri: `127.0.0.1:${peers[i]?.port};transport=${name}` },
      }));
      const settings = { ping_interval: INTERVAL, source_address: source };
      const exporter = await startExporter(t, { ...settings, destinations }, args);
      for (const name of names) {
        await eventually('it is up', async () => (await exporter.isAlive(name)) === 1);
      }
      ip('address', 'del', `${source}/32`, 'dev', 'lo');
      for (const destination of names) {
        const local = { destination, reason: 'local' };
        await eventually(
          `${destination} fails locally`,
          async () =>
            ((await exporter.metric('sip_keepalive_ping_failures_total', local)) ?? 0) > 1,
        );
        const { targets } = await exporter.destination(destination);
        assert.match(targets[0]?.detail ?? '', /EADDRNOTAVAIL/);
      }
      assert.equal(await exporter.metric('sip_keepalive_state_changes_total'), 0, 'never down');
      ip('address', 'add', `${source}/32`, 'dev', 'lo');
      for (const name of names) {
        await eventually('it is up again', async () => (await exporter.isAlive(name)) === 1);
      }
    },
  );
}

test('local errors, in a network namespace', needs('unshare', 'ip', 'nft'), async (t) => {
  if (IS_INSIDE) return testInside(t);
  const { skip } = mayMakeNamespaces();
  if (skip !== false) return t.skip(skip);
  const { status, output } = runInNamespace(fileURLToPath(import.meta.url));
  assert.equal(status, 0, output);
  assert.match(output, /^. pass 9$/m, output);
});
