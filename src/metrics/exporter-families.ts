/** The metric families of the exporter itself; those of its pinger are in families.ts. */

import type { SourceHealth, WebhookHealth } from '../status/health.js';

/** The state of the exporter at one moment. */
export interface ExporterFacts {
  readonly version: string;
  readonly destinations: number;
  readonly pingerRestarts: number;
  readonly connections: ConnectionCounts;
  /** One of `total` shards, counted from 0. */
  readonly shard: { readonly ordinal: number; readonly total: number };
  /** Log lines that could not be written. */
  readonly logLinesDropped: number;
  /** Internal errors on the main thread. */
  readonly faults: number;
  readonly isLastReloadSuccessful: boolean;
  /** When the configuration in force was loaded, wall clock, milliseconds. */
  readonly configLoadedAtMs: number;
  readonly sources: readonly SourceHealth[];
  readonly webhooks: readonly WebhookHealth[];
}

/** Connections of the HTTP server. */
export interface ConnectionCounts {
  readonly open: number;
  readonly limit: number;
  /** Closed or refused because of the limit, or because no file descriptor was free. */
  readonly dropped: number;
}

export interface ExporterFamily {
  readonly name: string;
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
    help: 'The version of the exporter.',
    type: 'gauge',
    labels: ['version'],
    samples: ({ version }) => [[{ version }, 1]],
  },
  {
    name: 'sip_keepalive_exporter_destinations',
    help: 'Destinations that are watched.',
    type: 'gauge',
    labels: [],
    samples: single(({ destinations }) => destinations),
  },
  {
    name: 'sip_keepalive_exporter_shard',
    help: 'Which shard of the destinations this exporter watches, of how many.',
    type: 'gauge',
    labels: ['ordinal', 'total'],
    samples: ({ shard }) => [[{ ordinal: String(shard.ordinal), total: String(shard.total) }, 1]],
  },
  {
    name: 'sip_keepalive_exporter_config_last_reload_successful',
    help: 'Whether the last attempt to load the configuration succeeded.',
    type: 'gauge',
    labels: [],
    samples: single(({ isLastReloadSuccessful }) => (isLastReloadSuccessful ? 1 : 0)),
  },
  {
    name: 'sip_keepalive_exporter_config_last_reload_success_timestamp_seconds',
    help: 'When the configuration in force was loaded.',
    type: 'gauge',
    labels: [],
    samples: single(({ configLoadedAtMs }) => configLoadedAtMs / 1000),
  },
  {
    name: 'sip_keepalive_exporter_faults_total',
    help: 'Faults of the exporter on its main thread, each of which ended one piece of work; the log has their stacks.',
    type: 'counter',
    labels: [],
    samples: single(({ faults }) => faults),
  },
  {
    name: 'sip_keepalive_exporter_log_lines_dropped_total',
    help: 'Lines of the log that were dropped: they could not be written, or a slow reader left no room.',
    type: 'counter',
    labels: [],
    samples: single(({ logLinesDropped }) => logLinesDropped),
  },
  {
    name: 'sip_keepalive_exporter_http_connections',
    help: 'Connections to the HTTP server that are open.',
    type: 'gauge',
    labels: [],
    samples: single(({ connections }) => connections.open),
  },
  {
    name: 'sip_keepalive_exporter_http_connections_limit',
    help: 'How many connections to the HTTP server may be open: a quarter of the descriptors that the process may have, at most 1000.',
    type: 'gauge',
    labels: [],
    samples: single(({ connections }) => connections.limit),
  },
  {
    name: 'sip_keepalive_exporter_http_connections_dropped_total',
    help: 'Connections to the HTTP server that were closed or refused because of that limit, or for want of descriptors.',
    type: 'counter',
    labels: [],
    samples: single(({ connections }) => connections.dropped),
  },
  {
    name: 'sip_keepalive_pinger_restarts_total',
    help: 'How often the pinger thread had to be started again.',
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
    help: 'Whether the last look at a source of destinations found all that it should; what it said before stands meanwhile.',
    type: 'gauge',
    ...ofSources(({ isUp }) => (isUp ? 1 : 0)),
  },
  {
    name: 'sip_keepalive_discovery_destinations',
    help: 'Destinations that are watched because of the source.',
    type: 'gauge',
    ...ofSources(({ destinations }) => destinations),
  },
  {
    name: 'sip_keepalive_discovery_skipped',
    help: 'What the source has and is not watched, or not as it says; the log tells why.',
    type: 'gauge',
    ...ofSources(({ skipped }) => skipped),
  },
  {
    name: 'sip_keepalive_discovery_failures_total',
    help: 'Looks at the source that failed.',
    type: 'counter',
    ...ofSources(({ failures }) => failures),
  },
  {
    name: 'sip_keepalive_discovery_last_success_timestamp_seconds',
    help: 'When the source was last read without a fault; 0 for never.',
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
    help: 'Events that a webhook took.',
    type: 'counter',
    ...ofWebhooks(({ delivered }) => delivered),
  },
  {
    name: 'sip_keepalive_webhook_failures_total',
    help: 'Attempts to tell a webhook that failed.',
    type: 'counter',
    ...ofWebhooks(({ failures }) => failures),
  },
  {
    name: 'sip_keepalive_webhook_dropped_total',
    help: 'Events that a webhook never took.',
    type: 'counter',
    ...ofWebhooks(({ dropped }) => dropped),
  },
  {
    name: 'sip_keepalive_webhook_queued',
    help: 'Events that wait for a webhook.',
    type: 'gauge',
    ...ofWebhooks(({ queued }) => queued),
  },
];

export const EXPORTER_FAMILIES: readonly ExporterFamily[] = [
  ...PROCESS_FAMILIES,
  ...SOURCE_FAMILIES,
  ...WEBHOOK_FAMILIES,
];
