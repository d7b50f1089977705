import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startExporter } from '../support/exporter.js';
import { startKamailio } from '../support/kamailio.js';
import { freePort } from '../support/ports.js';
import { eventually } from '../support/process.js';
import { needs } from '../support/tools.js';

const INTERVAL = 5;
const TIMEOUT = 4.5;

test(
  'Kamailio is alive over IPv4 and IPv6, down when it is stopped, and alive again when it is started',
  needs('kamailio'),
  async (t) => {
    const port = await freePort();
    const sockets = [`udp:127.0.0.1:${port}`, `udp:[::1]:${port}`];
    const kamailio = await startKamailio(t, { sockets });
    const names = [`127.0.0.1:${port}`, `[::1]:${port}`];
    const exporter = await startExporter(t, {
      ping_interval: INTERVAL,
      ping_timeout: TIMEOUT,
      destinations: names,
    });
    const all = (code: number) => async () => {
      const codes = await Promise.all(names.map((name) => exporter.isAlive(name)));
      return codes.every((c) => c === code);
    };
    await eventually('both are alive', all(1));
    // An answer that arrived while this machine stalled counts, but has no round-trip time.
    const { server } = await eventually('a round-trip time', async () => {
      const described = await exporter.destination(`sip:127.0.0.1:${port}`);
      return (described.targets[0]?.rtt ?? 0) > 0 && described;
    });
    assert.match(server ?? '', /^kamailio/i);

    await kamailio.stop('SIGKILL');
    await eventually('both are down', all(2));
    const down = await exporter.destination(`sip:127.0.0.1:${port}`);
    assert.equal(down.reason, 'refused', 'an ICMP error reported the closed port');

    await startKamailio(t, { sockets });
    await eventually('both are alive again', all(1));
    assert.equal(await exporter.metric('sip_keepalive_state_changes_total'), 4);
  },
);
