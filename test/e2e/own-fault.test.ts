import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { IS_INSIDE, needsNamespace, runInNamespace } from '../support/namespace.js';
import { eventually } from '../support/process.js';
import { pathOf } from '../support/tools.js';

const INTERVAL = 0.5;

function nft(command: string): void {
  const { status, stderr } = spawnSync(pathOf('nft'), command.split(' '), { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

if (IS_INSIDE) {
  describe('a fault of our own host', () => {
    // Over TCP the kernel keeps it to itself: a SYN that a rule drops is sent again, as if it were lost.
    test('a firewall rule that drops what we send: the verdict stands until it is stale, is unknown then, and never down', async (t) => {
      const peer = await startFarEnd(t, 'udp', (_request, good) => [good]);
      const exporter = await startExporter(t, {
        ping_interval: INTERVAL,
        destinations: [{ name: 'd', uri: `127.0.0.1:${peer.port}` }],
      });
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
    });

    test('a source address that is not there is no verdict either', async (t) => {
      const peer = await startFarEnd(t, 'udp', (_request, good) => [good]);
      const exporter = await startExporter(t, {
        ...{ ping_interval: INTERVAL, source_address: '192.0.2.77' },
        destinations: [
          { name: 'over udp', uri: `127.0.0.1:${peer.port}` },
          { name: 'over tcp', uri: `127.0.0.1:${peer.port};transport=tcp` },
        ],
      });
      for (const destination of ['over udp', 'over tcp']) {
        const labels = { destination, reason: 'local' };
        await eventually('pings fail locally', async () => {
          return ((await exporter.metric('sip_keepalive_ping_failures_total', labels)) ?? 0) >= 2;
        });
        assert.equal(await exporter.isAlive(destination), -1);
      }
    });
  });
} else {
  test('faults of our own host, each in a network of its own', needsNamespace('nft'), () => {
    const { status, output } = runInNamespace(fileURLToPath(import.meta.url));
    assert.equal(status, 0, output);
    assert.match(output, /^. pass 2$/m, output);
  });
}
