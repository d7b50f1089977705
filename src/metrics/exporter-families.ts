/** The metric families of the exporter itself; those of its pinger are in families.ts. */

import type { FamilyName } from '../shared/family-names.js';
import type { KamailioHealth, SourceHealth, WebhookHealth } from '../status/health.js';

/** The state of the exporter at one moment. */
export interface ExporterFacts {
  readonly version: string;
  readonly destinations: number;
  readonly pingerRestarts: number;
  readonly connections: ConnectionCounts;
  /** One of `total` shards, counted from 0. */
  readonly shard: { readonly ordinal: number; readonly total: number };
  /** Number of dropped log lines. */
  readonly logLinesDropped: number;
  /** Number of internal errors on the main thread. */
  readonly faults: number;
  /** Number of incidents that were forgotten. */
  readonly incidentsDropped: number;
  readonly isLastReloadSuccessful: boolean;
  /** Time at which the current configuration was loaded: wall clock, milliseconds. */
  readonly configLoadedAtMs: number;
  readonly sources: readonly SourceHealth[];
  readonly webhooks: readonly WebhookHealth[];
  readonly kamailios: readonly KamailioHealth[];
}

/** Connections of the HTTP server. */
export interface ConnectionCounts {
  readonly open: number;
  readonly limit: number;
  /** Number closed or refused because of the limit or a lack of file descriptors. */
  readonly dropped: number;
}

export interface ExporterFamily {
  readonly name: FamilyName;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly labels: readonly string[];
  readonly samples: (facts: ExporterFacts) => Samples;
}

type Samples = readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];

const single =
  (value: (facts: ExporterFacts) => number) =>
  (facts: ExporterFacts): Samples => [[{}, value(facts)]];

const PROCESS_FAMILIES: readonly ExporterFamily[] = [
  {
    name: 'sip_keepalive_exporter_build_info',
    help: 'Always 1; the label is the version of the exporter.',
    type: 'gauge',
    labels: ['version'],
    samples: ({ version }) => [[{ version }, 1]],
  },
  {
    name: 'sip_keepalive_exporter_destinations',
    help: 'Destinations that the exporter pings.',
    type: 'gauge',
    labels: [],
    samples: single(({ destinations }) => destinations),
  },
  {
    name: 'sip_keepalive_exporter_shard',
    help: 'Always 1; the labels are the shard of the destinations that this exporter pings, counted from 0, and the number of shards.',
    type: 'gauge',
    labels: ['ordinal', 'total'],
    samples: ({ shard }) => [[{ ordinal: String(shard.ordinal), total: String(shard.total) }, 1]],
  },
  {
    name: 'sip_keepalive_exporter_config_last_reload_successful',
    help: '1 if the last reload of the configuration succeeded, else 0.',
    type: 'gauge',
    labels: [],
    samples: single(({ isLastReloadSuccessful }) => (isLastReloadSuccessful ? 1 : 0)),
  },
  {
    name: 'sip_keepalive_exporter_config_last_reload_success_timestamp_seconds',
    help: 'When the current configuration was loaded.',
    type: 'gauge',
    labels: [],
    samples: single(({ configLoadedAtMs }) => configLoadedAtMs / 1000),
  },
  {
    name: 'sip_keepalive_exporter_faults_total',
    help: 'Internal errors on the main thread; the log has their stack traces.',
    type: 'counter',
    labels: [],
    samples: single(({ faults }) => faults),
  },
  {
    name: 'sip_keepalive_exporter_incidents_dropped_total',
    help: 'Incidents that /api/v1/incidents no longer has, because 10000 newer ones have ended.',
    type: 'counter',
    labels: [],
    samples: single(({ incidentsDropped }) => incidentsDropped),
  },
  {
    name: 'sip_keepalive_exporter_log_lines_dropped_total',
    help: 'Log lines that were dropped because they could not be written or the reader was too slow.',
    type: 'counter',
    labels: [],
    samples: single(({ logLinesDropped }) => logLinesDropped),
  },
  {
    name: 'sip_keepalive_exporter_http_connections',
    help: 'Open connections to the HTTP server.',
    type: 'gauge',
    labels: [],
    samples: single(({ connections }) => connections.open),
  },
  {
    name: 'sip_keepalive_exporter_http_connections_limit',
    help: 'Maximum number of open connections to the HTTP server: a quarter of the file descriptors that the process may open, at most 1000.',
    type: 'gauge',
    labels: [],
    samples: single(({ connections }) => connections.limit),
  },
  {
    name: 'sip_keepalive_exporter_http_connections_dropped_total',
    help: 'Connections to the HTTP server that were closed or refused because of the limit or a lack of file descriptors.',
    type: 'counter',
    labels: [],
    samples: single(({ connections }) => connections.dropped),
  },
  {
    name: 'sip_keepalive_pinger_restarts_total',
    help: 'Restarts of the pinger thread after a crash.',
    type: 'counter',
    labels: [],
    samples: single(({ pingerRestarts }) => pingerRestarts),
  },
];

function ofSources(value: (health: SourceHealth) => number) {
  return {
    labels: ['source'],
    samples: (facts: ExporterFacts): Samples =>
      facts.sources.map((health) => [{ source: health.source }, value(health)]),
  };
}

const SOURCE_FAMILIES: readonly ExporterFamily[] = [
  {
    name: 'sip_keepalive_discovery_up',
    help: '1 if the last refresh of the source succeeded, else 0; on failure its previous destinations are kept.',
    type: 'gauge',
    ...ofSources(({ isUp }) => (isUp ? 1 : 0)),
  },
  {
    name: 'sip_keepalive_discovery_destinations',
    help: 'Destinations from the source.',
    type: 'gauge',
    ...ofSources(({ destinations }) => destinations),
  },
  {
    name: 'sip_keepalive_discovery_skipped',
    help: 'Entries of the source that are skipped or only partly applied; see the log.',
    type: 'gauge',
    ...ofSources(({ skipped }) => skipped),
  },
  {
    name: 'sip_keepalive_discovery_failures_total',
    help: 'Failed refreshes of the source.',
    type: 'counter',
    ...ofSources(({ failures }) => failures),
  },
  {
    name: 'sip_keepalive_discovery_last_success_timestamp_seconds',
    help: 'When the source was last refreshed successfully; 0 for never.',
    type: 'gauge',
    ...ofSources(({ lastSuccessMs }) => lastSuccessMs / 1000),
  },
];

function ofWebhooks(value: (health: WebhookHealth) => number) {
  return {
    labels: ['webhook'],
    samples: (facts: ExporterFacts): Samples =>
      facts.webhooks.map((health) => [{ webhook: health.webhook }, value(health)]),
  };
}

const WEBHOOK_FAMILIES: readonly ExporterFamily[] = [
  {
    name: 'sip_keepalive_webhook_deliveries_total',
    help: 'Events delivered to the webhook.',
    type: 'counter',
    ...ofWebhooks(({ delivered }) => delivered),
  },
  {
    name: 'sip_keepalive_webhook_failures_total',
    help: 'Failed delivery attempts.',
    type: 'counter',
    ...ofWebhooks(({ failures }) => failures),
  },
  {
    name: 'sip_keepalive_webhook_dropped_total',
    help: 'Events dropped without being delivered.',
    type: 'counter',
    ...ofWebhooks(({ dropped }) => dropped),
  },
  {
    name: 'sip_keepalive_webhook_queued',
    help: 'Events waiting for delivery.',
    type: 'gauge',
    ...ofWebhooks(({ queued }) => queued),
  },
];

function ofKamailios(value: (health: KamailioHealth) => number) {
  return {
    labels: ['kamailio'],
    samples: ({ kamailios }: ExporterFacts): Samples =>
      kamailios.map((health) => [{ kamailio: health.kamailio }, value(health)]),
  };
}

const KAMAILIO_FAMILIES: readonly ExporterFamily[] = [
  {
    name: 'sip_keepalive_kamailio_ping_interval_seconds',
    help: 'How often this Kamailio pings its destinations, according to the setting ping_interval of kamailio_rpc.',
    type: 'gauge',
    ...ofKamailios(({ pingIntervalMs }) => pingIntervalMs / 1000),
  },
  {
    name: 'sip_keepalive_kamailio_set_state_total',
    help: 'States that were set in the dispatcher of this Kamailio.',
    type: 'counter',
    labels: ['kamailio', 'state'],
    samples: ({ kamailios }) =>
      kamailios.flatMap(({ kamailio, statesSet }) =>
        Object.entries(statesSet).map(([state, count]) => [{ kamailio, state }, count] as const),
      ),
  },
  {
    name: 'sip_keepalive_kamailio_set_state_failures_total',
    help: 'Failed attempts to set a state in this Kamailio; each is made again at the next refresh.',
    type: 'counter',
    ...ofKamailios(({ failures }) => failures),
  },
];

export const EXPORTER_FAMILIES: readonly ExporterFamily[] = [
  ...PROCESS_FAMILIES,
  ...SOURCE_FAMILIES,
  ...WEBHOOK_FAMILIES,
  ...KAMAILIO_FAMILIES,
];
