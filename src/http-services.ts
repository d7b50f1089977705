/** Provides the HTTP server with what it needs of the process. */

import { hostname } from 'node:os';
import type { Config } from './config/config.js';
import { showConfig, showModule } from './config/show.js';
import type { AppOptions } from './http/app.js';
import type { ExporterStatus } from './http/routes/status.js';
import type { ExporterFacts } from './metrics/exporter-families.js';
import { exporterMetrics } from './metrics/exporter-metrics.js';
import type { Parts } from './parts.js';
import type { Clock } from './shared/clock.js';
import { isoTime } from './status/iso-time.js';

export interface HttpServicesOptions {
  readonly version: string;
  /** The output of the log. */
  readonly logOutput: { readonly dropped: number };
  readonly clock: Clock;
}

/** The options of the HTTP application. Its functions read the current configuration at each call. */
export function httpServices(
  parts: Parts,
  options: HttpServicesOptions,
): Omit<AppOptions, 'guards' | 'onError'> {
  const { status, supervisor, changes, activeConfig } = parts;
  const { clock } = options;
  const config = () => activeConfig.config;
  const startedAtMs = clock.epoch();
  return {
    ...{ status, changes, pinger: supervisor, clock, startup: parts.startup },
    histories: parts.histories,
    upstream: parts.upstream,
    incidents: parts.incidents,
    runtimeDestinations: parts.runtimeDestinations,
    exporterMetrics: exporterMetrics(() => exporterFacts(parts, options)),
    exporterStatus: () => exporterStatus(parts, options.version, startedAtMs),
    paths: pathsOf(config().web),
    settings: () => {
      const { web, isProbeEnabled, probeAllow, modules, metrics } = config();
      const { externalUrl, isAdminEnabled, isLifecycleEnabled } = web;
      return {
        names: { externalUrl, hostNames: [hostname()] },
        ...{ isAdminEnabled, isLifecycleEnabled, metrics },
        probe: { isEnabled: isProbeEnabled, allow: probeAllow, modules },
      };
    },
    reload: () => activeConfig.reload(),
    configText: () => showConfig(config()),
    moduleText: (module) => showModule(config(), module),
    maxConnections: parts.connections.limit,
  };
}

/** The prefix is that of the external URL if no other is set, as in Prometheus. */
function pathsOf({ externalUrl, routePrefix, telemetryPath }: Config['web']) {
  const { pathname } = new URL(externalUrl || 'http://localhost/');
  const prefix = routePrefix ?? (pathname.replace(/\/+$/, '') || '/');
  return { routePrefix: prefix, telemetry: telemetryPath };
}

function exporterStatus(
  { supervisor, activeConfig, discovery }: Parts,
  version: string,
  startedAtMs: number,
): ExporterStatus {
  const { web, upstream } = activeConfig.config;
  return {
    version,
    started_at: isoTime(startedAtMs) ?? '',
    pinger: { healthy: supervisor.isReady, restarts: supervisor.restarts },
    reload: {
      ok: activeConfig.isLastReloadSuccessful,
      at: isoTime(activeConfig.loadedAtMs) ?? '',
    },
    sources: discovery.health().map((health) => ({
      name: health.source,
      kind: health.kind,
      ok: health.isUp,
      destinations: health.lastSuccessMs === 0 ? null : health.destinations,
      last_success: isoTime(health.lastSuccessMs),
      error: health.error || null,
    })),
    web: {
      admin: web.isAdminEnabled,
      prometheus: upstream.prometheus !== undefined,
      alertmanager: upstream.alertmanager !== undefined,
      links: web.links,
    },
  };
}

function exporterFacts(parts: Parts, { version, logOutput }: HttpServicesOptions): ExporterFacts {
  const { registry, supervisor, faults, activeConfig, connections } = parts;
  return {
    ...{ version, connections },
    destinations: registry.size,
    pingerRestarts: supervisor.restarts,
    shard: activeConfig.config.shard,
    logLinesDropped: logOutput.dropped,
    faults: faults.count,
    incidentsDropped: parts.incidents.dropped,
    isLastReloadSuccessful: activeConfig.isLastReloadSuccessful,
    configLoadedAtMs: activeConfig.loadedAtMs,
    sources: parts.discovery.health(),
    webhooks: parts.webhooks.health(),
    kamailios: parts.kamailios.health(),
  };
}
