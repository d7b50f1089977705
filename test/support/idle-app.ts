/** The dependencies of the HTTP routes, of an exporter without destinations. */

import type { AppOptions, HttpSettings } from '../../src/http/app.js';
import type { ExporterStatus } from '../../src/http/routes/status.js';
import type { ExporterFacts } from '../../src/metrics/exporter-families.js';
import { exporterMetrics } from '../../src/metrics/exporter-metrics.js';
import { createLedger } from '../../src/shared/ledger/layout.js';
import { LedgerReader } from '../../src/shared/ledger/reader.js';
import { StateChangeLog } from '../../src/status/state-change-log.js';
import { UpstreamError } from '../../src/upstream/upstream-error.js';
import { FakeClock } from './fake-clock.js';

export const IDLE_SETTINGS: HttpSettings = {
  names: { externalUrl: '', hostNames: [] },
  isAdminEnabled: false,
  isLifecycleEnabled: true,
  probe: { isEnabled: true, allow: [], modules: {} },
  metrics: {
    ...{ histograms: 'both', isCreatedShown: false, hasExemplars: true },
    ...{ disabled: [], keptLabels: undefined, droppedLabels: undefined },
  },
};

export const IDLE_FACTS: ExporterFacts = {
  ...{ version: '1.2.3', destinations: 0, pingerRestarts: 2, logLinesDropped: 0, faults: 0 },
  incidentsDropped: 0,
  connections: { open: 0, limit: 100, dropped: 0 },
  shard: { ordinal: 0, total: 1 },
  isLastReloadSuccessful: true,
  configLoadedAtMs: 1_600_000_000_500,
  ...{ sources: [], webhooks: [], kamailios: [] },
};

export const IDLE_STATUS: ExporterStatus = {
  ...{ version: '1.2.3', started_at: '2023-11-14T22:13:20.000Z' },
  pinger: { healthy: true, restarts: 2 },
  reload: { ok: true, at: '2020-09-13T12:26:40.500Z' },
  sources: [],
  web: { admin: false, prometheus: false, alertmanager: false, links: {} },
};

export function idleApp(change: Partial<AppOptions> = {}): AppOptions {
  const reject = () => Promise.reject(new Error('there is none'));
  const notSet = () => Promise.reject(new UpstreamError(501, 'it is not set'));
  return {
    status: {
      ledger: new LedgerReader(createLedger()),
      registry: {
        size: 0,
        all: () => [],
        named: () => undefined,
        at: () => undefined,
        withUri: () => [],
      },
      now: () => 0,
    },
    histories: { of: () => ({ rtt: [], failed: [], step: 60 }) },
    changes: new StateChangeLog(1_000),
    incidents: {
      list: () => ({ incidents: [], total: 0, dropped: 0, oldest: null, next: null }),
    },
    pinger: { isReady: true, probe: reject, explanation: reject },
    upstream: {
      longSpans: { availability: notSet, range: notSet },
      silences: { list: notSet, create: notSet, end: notSet },
    },
    runtimeDestinations: { add: reject, remove: reject, flush: reject },
    exporterMetrics: exporterMetrics(() => IDLE_FACTS),
    exporterStatus: () => IDLE_STATUS,
    startup: { isDone: true },
    paths: { routePrefix: '/', telemetry: '/metrics' },
    settings: () => IDLE_SETTINGS,
    reload: async () => undefined,
    configText: () => '',
    moduleText: () => '',
    maxConnections: 100,
    clock: new FakeClock(),
    onError: () => {},
    ...change,
  };
}
