/** A destination as JSON, the same in every answer that shows one. */

import type { Watched } from '../shared/destination.js';
import { inWords } from '../shared/outcome.js';
import { isAliveCode } from '../shared/state.js';
import { type Exporter, tellable } from './exporter.js';

/** Times are ISO 8601, null for never; durations are seconds. */
export function describe(exporter: Exporter, watched: Watched) {
  const { ledger } = exporter;
  const { destination, owners, server, slot } = watched;
  const row = ledger.destination(slot);
  const state = tellable(exporter, watched, row?.state);
  return {
    destination: destination.name,
    uri: destination.uri,
    code: isAliveCode(state),
    state,
    since: time(row?.sinceMs),
    reason: row?.reason ?? null,
    reason_in_words: row?.reason === undefined ? null : inWords(row.reason),
    module: destination.module,
    owners,
    labels: destination.labels,
    server: server === '' ? null : server,
    ping_interval: destination.settings.intervalMs / 1000,
    ping_timeout: destination.settings.timeoutMs / 1000,
    targets: watched.targets.map((target) => {
      const targetRow = ledger.target(target.slot);
      return {
        transport: target.transport,
        address: target.address,
        state: tellable(exporter, watched, targetRow?.state),
        since: time(targetRow?.sinceMs),
        reason: targetRow?.lastReason ?? null,
        code: targetRow?.lastCode || null,
        pings: targetRow?.pings ?? 0,
        last_ping: time(targetRow?.lastPingMs),
        last_up: time(targetRow?.lastUpMs),
        last_down: time(targetRow?.lastDownMs),
        last_rtt: targetRow?.lastRttMicros ? targetRow.lastRttMicros / 1e6 : null,
      };
    }),
  };
}

function time(ms: number | undefined): string | null {
  return ms === undefined || ms === 0 ? null : new Date(ms).toISOString();
}
