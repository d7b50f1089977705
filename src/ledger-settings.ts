/** The settings of metrics that the pinger thread needs. */

import type { Config } from './config/config.js';
import type { LedgerSettings } from './shared/protocol.js';

export function ledgerSettings(metrics: Config['metrics']): LedgerSettings {
  const { rttBuckets, connectBuckets, hasExemplars } = metrics;
  return {
    rttBoundsMicros: rttBuckets.map(micros),
    connectBoundsMicros: connectBuckets.map(micros),
    hasExemplars,
  };
}

function micros(seconds: number): number {
  return Math.round(seconds * 1e6);
}

/** The histograms whose classic buckets differ; they begin again. */
export function restartedHistograms(
  before: Config['metrics'],
  after: Config['metrics'],
): readonly string[] {
  const differs = (a: readonly number[], b: readonly number[]) => a.join(' ') !== b.join(' ');
  return [
    ...(differs(before.rttBuckets, after.rttBuckets) ? ['sip_keepalive_rtt_seconds'] : []),
    ...(differs(before.connectBuckets, after.connectBuckets)
      ? ['sip_keepalive_connect_seconds']
      : []),
  ];
}
