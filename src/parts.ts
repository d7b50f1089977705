/** Wires the parts of the process, except for the HTTP server. */

import { ActiveConfig } from './active-config.js';
import type { ConfigSources } from './config/config.js';
import type { Loaded } from './config/load.js';
import type { SourceSettings } from './config/source-settings.js';
import { Discovery } from './discovery/discovery.js';
import type { Findings } from './discovery/found.js';
import { Reconciler } from './discovery/reconciler.js';
import { createEngine, type Engine } from './engine.js';
import { Connections, connectionLimit } from './http/server/connections.js';
import { Incidents, type IncidentsOptions } from './incidents/incidents.js';
import { Kamailios, type KamailiosOptions } from './kamailio/kamailios.js';
import { ledgerSettings } from './ledger-settings.js';
import { requester } from './platform/http-client.js';
import type { Log } from './platform/log.js';
import { openFileLimit } from './platform/open-files.js';
import { RuntimeDestinations } from './registry/runtime-destinations.js';
import type { Clock } from './shared/clock.js';
import type { State } from './shared/state.js';
import { find } from './status/find.js';
import { destinationState, type StatusContext } from './status/freshness.js';
import { Histories } from './status/history.js';
import { Startup } from './status/startup.js';
import { createUpstream, type Upstream } from './upstream/upstream.js';
import { Webhooks } from './webhooks/webhooks.js';

export interface PartsOptions {
  readonly version: string;
  /** Read again at each reload. */
  readonly sources: ConfigSources;
  readonly loaded: Loaded;
  readonly log: Log;
}

export interface Parts extends Engine {
  readonly activeConfig: ActiveConfig;
  readonly reconciler: Reconciler;
  readonly discovery: Discovery;
  readonly kamailios: Kamailios;
  readonly status: StatusContext;
  readonly runtimeDestinations: RuntimeDestinations;
  readonly webhooks: Webhooks;
  readonly upstream: Upstream;
  readonly histories: Histories;
  readonly incidents: Incidents;
  readonly startup: Startup;
  readonly connections: Connections;
}

/** Creates the parts. The caller must start them. */
export function joinParts({ version, sources, loaded, log }: PartsOptions, clock: Clock): Parts {
  const { config } = loaded;
  const { write } = log;
  const files = () => activeConfig.files;
  const engine = createEngine({
    ...{ dns: config.dns, udpIo: config.udpIo, files, log: write, clock },
    logDebug: log.writeAlways,
    logSettings: () => activeConfig.config,
    ledgerSettings: () => ledgerSettings(activeConfig.config.metrics),
    onRemoved: (removed) => parts.incidents.removed(removed),
  });
  const { registry, ledger, faults } = engine;
  const activeConfig: ActiveConfig = new ActiveConfig({
    ...{ sources, loaded, clock, log, faults },
    parts: () => parts,
  });
  const request = requester({ userAgent: `sip-keepalive-exporter/${version}`, files, clock });
  const reconciler = new Reconciler(registry, config, (...reconciled) =>
    parts.discovery.report(...reconciled),
  );
  const status: StatusContext = { ledger, registry, now: () => clock.epoch() };
  const options = { request, log: write, clock, faults };
  const kamailios = createKamailios(() => parts, status, options);
  const incidents = createIncidents(() => parts, {
    ...{ directory: config.stateDir, log: write, clock },
  });
  const parts: Parts = {
    ...{ ...engine, activeConfig, reconciler, kamailios, incidents },
    status: { ...status, beliefs: kamailios, incidents },
    discovery: new Discovery({
      ...{ request, log: write, clock },
      onFindings: (settings, findings) => reconcile(parts, settings, findings),
    }),
    runtimeDestinations: new RuntimeDestinations({
      ...{ registry, directory: config.stateDir, readEntry: config.readEntry },
      ...{ log: write, clock },
    }),
    webhooks: new Webhooks({ request, file: (path) => files().get(path) ?? '', log: write, clock }),
    upstream: createUpstream({
      ...{ registry, request, clock, settings: () => activeConfig.config.upstream },
    }),
    histories: new Histories({
      ...{ ledger, registry, clock },
      onError: (error) => faults.report('sampling of the last hour', error),
    }),
    startup: new Startup({ ledger, registry }, clock),
    connections: new Connections(connectionLimit(openFileLimit()), () => clock.now()),
  };
  return parts;
}

function createKamailios(
  parts: () => Pick<Parts, 'discovery'>,
  status: StatusContext,
  options: Pick<KamailiosOptions, 'request' | 'log' | 'clock' | 'faults'>,
): Kamailios {
  return new Kamailios({
    ...options,
    verdict: (name) => verdictOn(status, name),
    nameOf: (uri) => nameOf(status, uri),
    refresh: (source) => parts().discovery.readNow(source),
  });
}

function createIncidents(
  parts: () => Pick<Parts, 'registry' | 'startup' | 'discovery'>,
  options: Pick<IncidentsOptions, 'directory' | 'log' | 'clock'>,
): Incidents {
  return new Incidents({
    ...options,
    uriOf: (name) => parts().registry.named(name)?.destination.uri,
    // A source that has not been read since the start may name the destinations that are missing.
    isListComplete: () =>
      parts().startup.isRead &&
      parts()
        .discovery.health()
        .every(({ lastSuccessMs }) => lastSuccessMs > 0),
  });
}

async function reconcile(
  { reconciler, kamailios }: Pick<Parts, 'reconciler' | 'kamailios'>,
  settings: SourceSettings,
  findings: Findings,
): Promise<void> {
  const reconciled = await reconciler.apply(settings, findings);
  if (reconciled !== undefined) kamailios.listed(settings.name, findings, reconciled.names);
}

function verdictOn(status: StatusContext, name: string): State {
  const registered = status.registry.named(name);
  return registered === undefined ? 'unknown' : destinationState(status, registered);
}

/** The name of the only destination with this URI; undefined if there is none, or if it is no URI. */
function nameOf(status: StatusContext, uri: string): string | undefined {
  try {
    const [one, ...others] = find(status, uri);
    return others.length === 0 ? one?.destination.name : undefined;
  } catch {
    return undefined;
  }
}
