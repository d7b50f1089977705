/** The exporter itself: whether what it says can be relied on, and what that costs. */

import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { board, type Section } from './builders/board.js';
import { quantile, within } from './builders/expressions.js';
import * as looks from './builders/looks.js';
import { heat, lines, number, rowsTable } from './builders/panels.js';
import { buckets, latest, rows, series } from './builders/queries.js';
import * as variables from './builders/variables.js';

const { UNITS } = looks;
const EXPORTER = 'job=~"$job",instance=~"$instance"';
const NOT_SCRAPED = 'No exporter was scraped within the time range';
const LATENESS = 'sip_keepalive_pinger_lateness_seconds';

const each = (expr: string) => `max by (instance) (${expr})`;
const rate = (metric: string, by = 'instance') =>
  `sum by (${by}) (rate(${metric}{${EXPORTER}}[$__rate_interval]))`;

const now: Section = {
  title: 'Now',
  panels: [
    rowsTable({
      title: 'Exporters',
      description:
        'Each exporter: whether Prometheus reaches it, its version, its shard, how many destinations it watches, and its configuration. One that was not reached within the time range is not here.',
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
        ['Value #A', 'Reached', looks.worded(looks.YES_OR_NO)],
        ['version', 'Version'],
        ['ordinal', 'Shard'],
        ['total', 'of'],
        ['Value #D', 'Destinations', looks.unit(UNITS.count)],
        ['Value #E', 'Started', looks.unit(UNITS.ago)],
        ['Value #F', 'Last reload', looks.worded(looks.LOADED)],
        ['Value #G', 'Configuration of', looks.unit(UNITS.ago)],
      ],
      hidden: ['Value #B', 'Value #C'],
    }),
    number({
      ...{ title: 'Stalls', unit: UNITS.count, decimals: 0, span: 6, height: 4 },
      description:
        'Within the time range, how often the pinger thread stood still for more than 20 ms. What a stall hid is not counted as a time or a failure.',
      ...{ empty: NOT_SCRAPED, thresholds: looks.noneIsGood(looks.WARNING) },
      queries: [
        latest(within('sip_keepalive_pinger_stalls_total', EXPORTER, 'instance'), '{{instance}}'),
      ],
    }),
    number({
      ...{ title: 'Pinger restarts', unit: UNITS.count, decimals: 0, span: 6, height: 4 },
      description: 'Within the time range, how often the pinger thread had to be started again.',
      ...{ empty: NOT_SCRAPED, thresholds: looks.noneIsGood() },
      queries: [
        latest(within('sip_keepalive_pinger_restarts_total', EXPORTER, 'instance'), '{{instance}}'),
      ],
    }),
    number({
      ...{ title: 'Exporter restarts', unit: UNITS.count, decimals: 0, span: 6, height: 4 },
      description: 'Within the time range, how often the process was started again.',
      ...{ empty: NOT_SCRAPED, thresholds: looks.noneIsGood(looks.WARNING) },
      queries: [
        latest(each(`changes(process_start_time_seconds{${EXPORTER}}[$__range])`), '{{instance}}'),
      ],
    }),
    number({
      ...{ title: 'Unmatched messages', unit: UNITS.count, decimals: 0, span: 6, height: 4 },
      description:
        'Within the time range, messages that came in and belonged to no ping: strays, forgeries, malformed ones.',
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
      title: 'How late pings left',
      description:
        'Between the moment a ping was due and the moment it left, all exporters together. Late pings are not wrong ones: the round-trip time starts with the first send.',
      ...{ empty: 'No ping has left', span: 12, height: 8 },
      queries: [
        buckets(`sum by (le) (increase(${LATENESS}_bucket{${EXPORTER}}[$__rate_interval]))`),
      ],
    }),
    lines({
      title: 'How late pings left, quantiles',
      description: 'The median and the 99th percentile of each exporter, estimated from buckets.',
      ...{ empty: 'No ping has left', unit: UNITS.seconds, span: 12, height: 8 },
      queries: [0.5, 0.99].map((q) =>
        series(
          quantile(q, LATENESS, EXPORTER, 'instance', '$__rate_interval'),
          `{{instance}} p${q * 100}`,
        ),
      ),
    }),
    lines({
      title: 'Pings per second',
      description: 'Pings that ended, alive or not.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.perSecond, span: 8, height: 7 },
      queries: [series(rate('sip_keepalive_pings_total'), '{{instance}}')],
    }),
    lines({
      title: 'In flight',
      description: 'Pings that have begun and not ended, at each scrape.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.count, span: 8, height: 7 },
      queries: [series(each(`sip_keepalive_pinger_in_flight{${EXPORTER}}`), '{{instance}}')],
    }),
    lines({
      title: 'Stalls and unmatched messages',
      description:
        'By minute: times that the pinger thread stood still for more than 20 ms, and messages that belonged to no ping.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.perMinute, span: 8, height: 7 },
      queries: [
        series(`60 * ${rate('sip_keepalive_pinger_stalls_total')}`, '{{instance}} stalls'),
        series(`60 * ${rate('sip_keepalive_unmatched_messages_total')}`, '{{instance}} unmatched'),
      ],
    }),
  ],
};

const sources: Section = {
  title: 'Where destinations come from',
  panels: [
    rowsTable({
      title: 'Sources',
      description:
        'Whether the last look at each source found all that it should, how many destinations are watched because of it, and what it has that is not watched as it says; the log tells why.',
      ...{ empty: 'The exporter has no sources of destinations', span: 12, height: 8 },
      queries: [
        rows(`max by (instance, source) (sip_keepalive_discovery_up{${EXPORTER}})`),
        rows(`max by (instance, source) (sip_keepalive_discovery_destinations{${EXPORTER}})`),
        rows(`max by (instance, source) (sip_keepalive_discovery_skipped{${EXPORTER}})`),
      ],
      columns: [
        ['instance', 'Exporter'],
        ['source', 'Source'],
        ['Value #A', 'In order', looks.worded(looks.YES_OR_NO)],
        ['Value #B', 'Destinations', looks.unit(UNITS.count)],
        [
          'Value #C',
          'Skipped',
          [...looks.unit(UNITS.count), ...looks.coloured(looks.noneIsGood(looks.WARNING))],
        ],
      ],
    }),
    lines({
      title: 'Look-ups of names',
      description:
        'How long a look-up takes with all that it leads to: the median and the 99th percentile. No part of the round-trip time.',
      ...{ empty: 'No name was looked up', unit: UNITS.seconds, span: 12, height: 8 },
      queries: [0.5, 0.99].map((q) =>
        series(
          quantile(q, 'sip_keepalive_resolution_seconds', EXPORTER, 'instance', '$__rate_interval'),
          `{{instance}} p${q * 100}`,
        ),
      ),
    }),
  ],
};

/** The gauges of prom-client hold the time between two looks; the shortest of them had no delay. */
const longestDelay = each(
  `clamp_min(nodejs_eventloop_lag_max_seconds{${EXPORTER}} - nodejs_eventloop_lag_min_seconds{${EXPORTER}}, 0)`,
);

const cost: Section = {
  title: 'What it costs',
  panels: [
    lines({
      title: 'CPU',
      description: 'Of one core, all threads together: 100% is one core.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.share, span: 8, height: 7 },
      queries: [series(rate('process_cpu_seconds_total'), '{{instance}}')],
    }),
    lines({
      title: 'Memory',
      description:
        'Resident is what the system counts for the process; heap is what JavaScript of the main thread uses of it.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.bytes, span: 8, height: 7 },
      queries: [
        series(each(`process_resident_memory_bytes{${EXPORTER}}`), '{{instance}} resident'),
        series(each(`nodejs_heap_size_used_bytes{${EXPORTER}}`), '{{instance}} heap'),
      ],
    }),
    lines({
      title: 'Event loop lag',
      description:
        'Of the main thread, which serves HTTP: at the scrape, and the longest since the one before. Pings have a thread of their own and do not wait for this one.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.seconds, span: 8, height: 7 },
      queries: [
        series(each(`nodejs_eventloop_lag_seconds{${EXPORTER}}`), '{{instance}} at the scrape'),
        series(longestDelay, '{{instance}} longest'),
      ],
    }),
    lines({
      title: 'Scrape duration',
      description: 'How long Prometheus waits for /metrics.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.seconds, span: 8, height: 7 },
      queries: [series(each(`scrape_duration_seconds{${EXPORTER}}`), '{{instance}}')],
    }),
    lines({
      title: 'Samples per scrape',
      description: 'Samples in /metrics. A destination over UDP has some forty.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.count, span: 8, height: 7 },
      queries: [series(each(`scrape_samples_scraped{${EXPORTER}}`), '{{instance}}')],
    }),
    lines({
      title: 'Open files',
      description: 'Open file descriptors, sockets among them, and how many the system allows.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.count, span: 8, height: 7 },
      queries: [
        series(each(`process_open_fds{${EXPORTER}}`), '{{instance}} open'),
        series(each(`process_max_fds{${EXPORTER}}`), '{{instance}} allowed'),
      ],
    }),
  ],
};

export const exporter = (): Dashboard =>
  board({
    name: 'exporter',
    description:
      'The exporter itself: whether its pings leave in time, whether it stood still, where its destinations come from, and what it costs.',
    variables: [variables.datasource(), ...variables.exporters()],
    annotations: [],
    sections: [now, pings, sources, cost],
  });
