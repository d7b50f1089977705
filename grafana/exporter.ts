/** The exporter itself: whether its results can be trusted, and its resource usage. */

import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { board, type Section } from './builders/board.js';
import { distribution, LATENESS, quantile, RESOLUTION, within } from './builders/expressions.js';
import * as looks from './builders/looks.js';
import { heat, lines, number, rowsTable } from './builders/panels.js';
import { buckets, latest, rows, series } from './builders/queries.js';
import * as variables from './builders/variables.js';

const { UNITS } = looks;
const EXPORTER = 'job=~"$job",instance=~"$instance"';
const NOT_SCRAPED = 'No exporter was scraped in the time range';

const each = (expr: string) => `max by (instance) (${expr})`;
const rate = (metric: string, by = 'instance') =>
  `sum by (${by}) (rate(${metric}{${EXPORTER}}[$__rate_interval]))`;

const now: Section = {
  title: 'Now',
  panels: [
    rowsTable({
      title: 'Exporters',
      description:
        'Each exporter with its version, shard, destinations and configuration. Exporters that Prometheus has not scraped in the time range are missing.',
      ...{ empty: NOT_SCRAPED, span: 24, height: 6 },
      queries: [
        rows(each(`up{${EXPORTER}}`)),
        rows(`max by (instance, version) (sip_keepalive_exporter_build_info{${EXPORTER}})`),
        rows(`max by (instance, ordinal, total) (sip_keepalive_exporter_shard{${EXPORTER}})`),
        rows(each(`sip_keepalive_exporter_destinations{${EXPORTER}}`)),
        rows(`${each(`process_start_time_seconds{${EXPORTER}}`)} * 1000`),
        rows(each(`sip_keepalive_exporter_config_last_reload_successful{${EXPORTER}}`)),
        rows(
          `${each(`sip_keepalive_exporter_config_last_reload_success_timestamp_seconds{${EXPORTER}}`)} * 1000`,
        ),
      ],
      columns: [
        ['instance', 'Exporter'],
        ['Value #A', 'Scraped', looks.mapped(looks.YES_OR_NO)],
        ['version', 'Version'],
        ['ordinal', 'Shard'],
        ['total', 'of'],
        ['Value #D', 'Destinations', looks.unit(UNITS.count)],
        ['Value #E', 'Started', looks.unit(UNITS.ago)],
        ['Value #F', 'Last reload', looks.mapped(looks.LOADED)],
        ['Value #G', 'Configuration age', looks.unit(UNITS.ago)],
      ],
      hidden: ['Value #B', 'Value #C'],
    }),
    number({
      ...{ title: 'Stalls', unit: UNITS.count, decimals: 0, span: 6, height: 4 },
      description:
        'Pauses of the pinger thread of more than 20 ms in the time range. Pings whose result was lost to a pause are not counted.',
      ...{ empty: NOT_SCRAPED, thresholds: looks.noneIsGood(looks.WARNING) },
      queries: [
        latest(within('sip_keepalive_pinger_stalls_total', EXPORTER, 'instance'), '{{instance}}'),
      ],
    }),
    number({
      ...{ title: 'Pinger restarts', unit: UNITS.count, decimals: 0, span: 6, height: 4 },
      description: 'Restarts of the pinger thread in the time range.',
      ...{ empty: NOT_SCRAPED, thresholds: looks.noneIsGood() },
      queries: [
        latest(within('sip_keepalive_pinger_restarts_total', EXPORTER, 'instance'), '{{instance}}'),
      ],
    }),
    number({
      ...{ title: 'Exporter restarts', unit: UNITS.count, decimals: 0, span: 6, height: 4 },
      description: 'Restarts of the process in the time range.',
      ...{ empty: NOT_SCRAPED, thresholds: looks.noneIsGood(looks.WARNING) },
      queries: [
        latest(each(`changes(process_start_time_seconds{${EXPORTER}}[$__range])`), '{{instance}}'),
      ],
    }),
    number({
      ...{ title: 'Unmatched messages', unit: UNITS.count, decimals: 0, span: 6, height: 4 },
      description:
        'Received messages in the time range that belong to no ping: stray, forged or malformed.',
      ...{ empty: NOT_SCRAPED, thresholds: looks.noneIsGood(looks.WARNING) },
      queries: [
        latest(
          within('sip_keepalive_unmatched_messages_total', EXPORTER, 'instance'),
          '{{instance}}',
        ),
      ],
    }),
  ],
};

const pings: Section = {
  title: 'Pings',
  panels: [
    heat({
      title: 'Send delay',
      description:
        'Delay between when pings were due and when they were sent, all exporters together. Late pings still have correct round-trip times, which start at the first send.',
      ...{ empty: 'No pings sent', span: 12, height: 8 },
      queries: [buckets(distribution(LATENESS, EXPORTER))],
    }),
    lines({
      title: 'Send delay quantiles',
      description: 'Median and 99th percentile for each exporter, estimated from buckets.',
      ...{ empty: 'No pings sent', unit: UNITS.seconds, span: 12, height: 8 },
      queries: [0.5, 0.99].map((q) =>
        series(
          quantile(q, LATENESS, EXPORTER, 'instance', '$__rate_interval'),
          `{{instance}} p${q * 100}`,
        ),
      ),
    }),
    lines({
      title: 'Pings per second',
      description: 'Completed pings, alive or not.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.perSecond, span: 8, height: 7 },
      queries: [series(rate('sip_keepalive_pings_total'), '{{instance}}')],
    }),
    lines({
      title: 'In flight',
      description: 'Pings in progress at each scrape.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.count, span: 8, height: 7 },
      queries: [series(each(`sip_keepalive_pinger_in_flight{${EXPORTER}}`), '{{instance}}')],
    }),
    lines({
      title: 'Stalls and unmatched messages',
      description:
        'Pauses of the pinger thread of more than 20 ms, and messages that belong to no ping, per minute.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.perMinute, span: 8, height: 7 },
      queries: [
        series(`60 * ${rate('sip_keepalive_pinger_stalls_total')}`, '{{instance}} stalls'),
        series(`60 * ${rate('sip_keepalive_unmatched_messages_total')}`, '{{instance}} unmatched'),
      ],
    }),
  ],
};

const sources: Section = {
  title: 'Discovery and DNS',
  panels: [
    rowsTable({
      title: 'Sources',
      description:
        'Result of the last refresh of each source, its destinations, and its entries that are skipped or only partly applied; the log has the reasons.',
      ...{ empty: 'No discovery sources', span: 12, height: 8 },
      queries: [
        rows(`max by (instance, source) (sip_keepalive_discovery_up{${EXPORTER}})`),
        rows(`max by (instance, source) (sip_keepalive_discovery_destinations{${EXPORTER}})`),
        rows(`max by (instance, source) (sip_keepalive_discovery_skipped{${EXPORTER}})`),
      ],
      columns: [
        ['instance', 'Exporter'],
        ['source', 'Source'],
        ['Value #A', 'Last refresh OK', looks.mapped(looks.YES_OR_NO)],
        ['Value #B', 'Destinations', looks.unit(UNITS.count)],
        [
          'Value #C',
          'Skipped',
          [...looks.unit(UNITS.count), ...looks.coloured(looks.noneIsGood(looks.WARNING))],
        ],
      ],
    }),
    lines({
      title: 'DNS lookup time',
      description:
        'Median and 99th percentile of complete lookups, with all their queries. Not part of the round-trip time.',
      ...{ empty: 'No DNS lookups', unit: UNITS.seconds, span: 12, height: 8 },
      queries: [0.5, 0.99].map((q) =>
        series(
          quantile(q, RESOLUTION, EXPORTER, 'instance', '$__rate_interval'),
          `{{instance}} p${q * 100}`,
        ),
      ),
    }),
  ],
};

/** The gauges of prom-client include the sampling interval, which the minimum shows. */
const maxDelay = each(
  `clamp_min(nodejs_eventloop_lag_max_seconds{${EXPORTER}} - nodejs_eventloop_lag_min_seconds{${EXPORTER}}, 0)`,
);

const usage: Section = {
  title: 'Resource usage',
  panels: [
    lines({
      title: 'CPU',
      description: 'All threads together: 100% is one core.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.share, span: 8, height: 7 },
      queries: [series(rate('process_cpu_seconds_total'), '{{instance}}')],
    }),
    lines({
      title: 'Memory',
      description:
        'Resident memory of the process, and the JavaScript heap in use on the main thread.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.bytes, span: 8, height: 7 },
      queries: [
        series(each(`process_resident_memory_bytes{${EXPORTER}}`), '{{instance}} resident'),
        series(each(`nodejs_heap_size_used_bytes{${EXPORTER}}`), '{{instance}} heap'),
      ],
    }),
    lines({
      title: 'Event loop lag',
      description:
        'Of the main thread, which serves HTTP: at the scrape, and the maximum since the previous scrape. Pings run in their own thread and are not affected.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.seconds, span: 8, height: 7 },
      queries: [
        series(each(`nodejs_eventloop_lag_seconds{${EXPORTER}}`), '{{instance}} at the scrape'),
        series(maxDelay, '{{instance}} maximum'),
      ],
    }),
    lines({
      title: 'Scrape duration',
      description: 'Time that Prometheus waits for /metrics.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.seconds, span: 8, height: 7 },
      queries: [series(each(`scrape_duration_seconds{${EXPORTER}}`), '{{instance}}')],
    }),
    lines({
      title: 'Samples per scrape',
      description: 'Samples in /metrics: about forty for a destination over UDP.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.count, span: 8, height: 7 },
      queries: [series(each(`scrape_samples_scraped{${EXPORTER}}`), '{{instance}}')],
    }),
    lines({
      title: 'Open files',
      description: 'Open file descriptors including sockets, and their limit.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.count, span: 8, height: 7 },
      queries: [
        series(each(`process_open_fds{${EXPORTER}}`), '{{instance}} open'),
        series(each(`process_max_fds{${EXPORTER}}`), '{{instance}} limit'),
      ],
    }),
  ],
};

export const exporter = (): Dashboard =>
  board({
    name: 'exporter',
    description:
      'The exporter itself: send delay, pauses, restarts, discovery, DNS and resource usage.',
    variables: [variables.datasource(), ...variables.exporters(), variables.histograms(LATENESS)],
    annotations: [],
    sections: [now, pings, sources, usage],
  });
