/** A healthy peer besides those of a test: none of its pings may be lost, whatever the others do. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Exporter } from './exporter.js';
import { startFarEnd } from './far-end.js';

/** The timeout is long: a late answer of a busy machine is not a loss. */
const LIVE = { name: 'live', ping_interval: 5, ping_timeout: 4.9 };

/** Starts the peer; `destination` is its entry in the configuration. */
export async function startLivePeer(t: Pick<TestContext, 'after'>) {
  const farEnd = await startFarEnd(t, 'udp', (_request, good) => [good]);
  return {
    destination: { ...LIVE, uri: `127.0.0.1:${farEnd.port}` },
    /** @throws when one of its pings was lost, or the pinger thread was restarted. */
    holds: async (exporter: Exporter) => {
      const live = { destination: LIVE.name };
      const text = await exporter.get('/metrics');
      assert.equal(exporter.crashes(), 0);
      assert.equal(await exporter.metric('sip_keepalive_ping_failures_total', live), 0, text);
      assert.ok(((await exporter.metric('sip_keepalive_pings_total', live)) ?? 0) > 0);
      assert.equal(await exporter.isAlive(LIVE.name), 1);
    },
  };
}
