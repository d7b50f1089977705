import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Authority } from '../support/certificates.js';
import { type Exporter, startExporter } from '../support/exporter.js';
import { startKamailio } from '../support/kamailio.js';
import { freePort } from '../support/ports.js';
import { eventually } from '../support/process.js';
import { needs } from '../support/tools.js';

const NOT_AFTER = 'sip_keepalive_tls_certificate_not_after_timestamp_seconds';

/** Waits for the states of these destinations. */
async function verdicts(exporter: Exporter, wanted: Readonly<Record<string, 1 | 2>>) {
  await eventually(`verdicts ${JSON.stringify(wanted)}`, async () => {
    const names = Object.keys(wanted);
    const codes = await Promise.all(names.map((name) => exporter.isAlive(name)));
    return codes.every((code, i) => code === wanted[names[i] ?? '']);
  });
}

test(
  'Kamailio is alive over TCP, TLS and WebSocket, and over TLS when it requires a client certificate',
  needs('kamailio/tls', 'kamailio/websocket', 'kamailio/auth', 'openssl'),
  async (t) => {
    const authority = Authority.root(t);
    const certificate = authority.issue({
      name: 'sip.example',
      alternative: 'URI:sip:sip.example,DNS:sip.example',
      untilDays: 42,
    });
    const ours = authority.issue({ name: 'monitor.example' });
    const [tcp, tls, mutual] = [await freePort(), await freePort(), await freePort()];
    await startKamailio(t, {
      sockets: [`tcp:127.0.0.1:${tcp}`, `tls:127.0.0.1:${tls}`],
      certificate,
      isWebSocket: true,
    });
    await startKamailio(t, {
      sockets: [`tls:127.0.0.1:${mutual}`],
      certificate,
      clientCaFile: authority.caFile,
    });
    const tlsConfig = { ca_file: authority.caFile, server_name: 'sip.example' };
    const withOurs = { ...tlsConfig, cert_file: ours.certFile, key_file: ours.keyFile };
    const exporter = await startExporter(t, {
      ping_interval: 5,
      tls_config: tlsConfig,
      destinations: [
        { name: 'tcp', uri: `127.0.0.1:${tcp};transport=tcp` },
        { name: 'tls', uri: `sips:127.0.0.1:${tls}` },
        { name: 'ws', uri: `127.0.0.1:${tcp};transport=ws` },
        { name: 'mutual', uri: `sips:127.0.0.1:${mutual}`, tls_config: withOurs },
        { name: 'mutual-without', uri: `sips:127.0.0.1:${mutual}` },
        { name: 'wrong-name', uri: `sips:127.0.0.1:${tls}`, tls_config: { server_name: 'a.b' } },
      ],
    });
    const up = { tcp: 1, tls: 1, ws: 1, mutual: 1 } as const;
    await verdicts(exporter, { ...up, 'mutual-without': 2, 'wrong-name': 2 });
    const reasonOf = async (name: string) => {
      const { reason, targets } = await exporter.destination(name);
      return [reason, targets[0]?.detail];
    };
    assert.deepEqual(await reasonOf('mutual-without'), [
      'tls',
      'the peer requires a client certificate',
    ]);
    assert.deepEqual(await reasonOf('wrong-name'), [
      'tls_certificate',
      'the certificate is for URI:sip:sip.example, DNS:sip.example, not for a.b',
    ]);
    const inDays =
      ((await exporter.metric(NOT_AFTER, { destination: 'tls' })) ?? 0) - Date.now() / 1000;
    assert.ok(Math.abs(inDays / 86_400 - 42) < 0.1, `it expires in ${inDays} s`);
    await eventually('several pings', async () => {
      const pings = await exporter.metric('sip_keepalive_pings_total', { destination: 'ws' });
      return (pings ?? 0) >= 3;
    });
    for (const name of Object.keys(up)) {
      const labels = { destination: name, phase: 'connect' };
      const connections = await exporter.metric('sip_keepalive_connect_seconds_count', labels);
      // A connection that is opened during a stall of the machine is not counted.
      assert.ok((connections ?? 0) <= 1, `${name} uses one connection`);
    }
  },
);

test(
  'Kamailio with an expired certificate is down with that reason, and the expiry is still exported',
  needs('kamailio/tls', 'kamailio/auth', 'openssl'),
  async (t) => {
    const authority = Authority.root(t);
    const certificate = authority.issue({
      name: 'localhost',
      alternative: 'DNS:localhost',
      fromDays: -10,
      untilDays: -2,
    });
    const port = await freePort();
    await startKamailio(t, { sockets: [`tls:127.0.0.1:${port}`], certificate });
    const exporter = await startExporter(t, {
      ping_interval: 5,
      tls_config: { ca_file: authority.caFile },
      destinations: [{ name: 'expired', uri: `sips:localhost:${port}` }],
    });
    await verdicts(exporter, { expired: 2 });
    const { reason, targets } = await exporter.destination('expired');
    assert.equal(reason, 'tls_certificate');
    assert.match(targets[0]?.detail ?? '', /expired/);
    const notAfter = (await exporter.metric(NOT_AFTER, { destination: 'expired' })) ?? 0;
    const daysAgo = (Date.now() / 1000 - notAfter) / 86_400;
    assert.ok(Math.abs(daysAgo - 2) < 0.1, `it expired ${daysAgo} days ago`);
    assert.equal(await exporter.metric('sip_keepalive_tls_certificate_verified'), 0);
    await exporter.logged(/"reason":"tls_certificate","why":"[^"]*expired/);
  },
);

for (const algorithm of ['MD5', 'SHA-256'] as const) {
  test(
    `Kamailio that requires digest authentication by ${algorithm} is alive only with the right password`,
    needs('kamailio/auth'),
    async (t) => {
      const port = await freePort();
      await startKamailio(t, {
        sockets: [`udp:127.0.0.1:${port}`, `tcp:127.0.0.1:${port}`],
        digest: { realm: 'a realm', password: 'secret', algorithm },
      });
      const auth = { username: 'monitor', password: 'secret' };
      const exporter = await startExporter(t, {
        ping_interval: 5,
        destinations: [
          { name: 'udp', uri: `127.0.0.1:${port}`, auth },
          { name: 'tcp', uri: `127.0.0.1:${port};transport=tcp`, auth },
          { name: 'wrong', uri: `127.0.0.1:${port}`, auth: { ...auth, password: 'guess' } },
          { name: 'none', uri: `127.0.0.1:${port}` },
        ],
      });
      await verdicts(exporter, { udp: 1, tcp: 1, wrong: 2, none: 2 });
      const reasonOf = async (name: string) => {
        const { reason, targets } = await exporter.destination(name);
        return [reason, targets[0]?.detail];
      };
      assert.deepEqual(await reasonOf('wrong'), ['auth', 'the credentials were rejected']);
      assert.deepEqual(await reasonOf('none'), ['auth', 'no credentials are configured']);
      await eventually('several pings', async () => {
        const pings = await exporter.metric('sip_keepalive_pings_total', { destination: 'udp' });
        return (pings ?? 0) >= 4;
      });
      const challenges = await exporter.metric('sip_keepalive_challenges_total', {
        destination: 'udp',
      });
      assert.equal(challenges, 1, 'a steady ping costs one round trip');
    },
  );
}

const MANY = 300;

/** Established TCP connections over IPv4 to this port of this machine. */
function connectionsTo(port: number): number {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
  return rows.filter((row) => {
    const [, , to = '', state] = row.trim().split(/\s+/);
    return to.endsWith(remote) && state === '01';
  }).length;
}

test(
  `${MANY} TCP targets at one Kamailio have one connection each, and no descriptor leaks`,
  process.platform === 'linux' ? needs('kamailio') : { skip: 'reads /proc' },
  async (t) => {
    const port = await freePort();
    await startKamailio(t, { sockets: [`tcp:127.0.0.1:${port}`] });
    const uri = `127.0.0.1:${port};transport=tcp`;
    const exporter = await startExporter(t, {
      ping_interval: 5,
      destinations: Array.from({ length: MANY }, (_, i) => ({ name: `t${i}`, uri })),
    });
    const descriptors = () => readdirSync(`/proc/${exporter.child.pid}/fd`).length;
    const pings = async () => (await exporter.metric('sip_keepalive_pings_total')) ?? 0;
    await eventually('all are up', async () => {
      return (await exporter.metric('sip_keepalive_up')) === MANY;
    });
    const before = descriptors();
    const first = await pings();
    await eventually('two more pings of each', async () => (await pings()) >= first + 2 * MANY);
    // The requests of the test use a few descriptors.
    assert.ok(Math.abs(descriptors() - before) <= 8, `${before}, then ${descriptors()}`);
    // The kernel may leave lines out while other sockets come and go.
    await eventually('one connection each', () => connectionsTo(port) === MANY);
    assert.equal(await exporter.metric('sip_keepalive_ping_failures_total'), 0);
  },
);
