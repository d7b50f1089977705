/** A healthy peer beside those of a test: no ping of it may be lost, whatever the others do. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Exporter } from './exporter.js';
import { startFarEnd } from './far-end.js';

/** A busy machine answers late, which is no loss. */
const LIVE = { name: 'live', ping_interval: 5, ping_timeout: 4.9 };

/** Starts it; `destination` goes into the configuration. */
export async function startLivePeer(t: Pick<TestContext, 'after'>) {
  const farEnd = await startFarEnd(t, 'udp', (_request, good) => [good]);
  return {
    destination: { ...LIVE, uri: `127.0.0.1:${farEnd.port}` },
    /** Throws where a ping of it was lost, or where the pinger had to be started again. */
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
