/** An exporter that watches nothing, for tests of what the HTTP side makes of one. */

import type { Exporter } from '../../src/http/exporter.js';
import { createLedger } from '../../src/shared/ledger/layout.js';
import { LedgerReader } from '../../src/shared/ledger/reader.js';

export function idleExporter(change: Partial<Exporter> = {}): Exporter {
  const no = () => Promise.reject(new Error('there is none'));
  return {
    version: '1.2.3',
    ledger: new LedgerReader(createLedger()),
    registry: { size: 0, all: () => [], named: () => undefined, withUri: () => [] },
    pinger: { isReady: true, restarts: 2, probe: no, explanation: no },
    changes: {
      ...{ newest: 0, oldest: 1, numberOf: () => 0, after: () => [] },
      subscribe: () => () => {},
    },
    runtimeDestinations: { add: no, remove: no, flush: no },
    names: { externalUrl: '', hostNames: [] },
    connections: { open: 0, limit: 100, dropped: 0 },
    history: { of: () => ({ rtt: [], failed: [], step: 60 }) },
    isAdminEnabled: false,
    sources: () => [],
    webhooks: () => [],
    shard: { ordinal: 0, total: 1 },
    reload: async () => undefined,
    modules: {},
    moduleText: () => '',
    probes: { isEnabled: true, allow: [] },
    configText: () => '',
    logLinesDropped: 0,
    faults: 0,
    isConfigRight: true,
    configLoadedAtMs: 1_600_000_000_500,
    now: () => 0,
    ...change,
  };
}
