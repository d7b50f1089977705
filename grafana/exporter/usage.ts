/** Resources that the exporter uses. */

import type { Section } from '../builders/board.js';
import * as looks from '../builders/looks.js';
import { lines } from '../builders/panels.js';
import { series } from '../builders/queries.js';
import { EXPORTER, each, gauge, NOT_SCRAPED, rate } from './selection.js';

const { UNITS } = looks;

/** The gauges of prom-client include the sampling interval, which the minimum shows. */
const maxDelay = each(
  `clamp_min(nodejs_eventloop_lag_max_seconds{${EXPORTER}} - nodejs_eventloop_lag_min_seconds{${EXPORTER}}, 0)`,
);

export const usage: Section = {
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
        series(gauge('process_resident_memory_bytes'), '{{instance}} resident'),
        series(gauge('nodejs_heap_size_used_bytes'), '{{instance}} heap'),
      ],
    }),
    lines({
      title: 'Event loop lag',
      description:
        'Of the main thread, which serves HTTP: at the scrape, and the maximum since the previous scrape. Pings run in their own thread and are not affected.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.seconds, span: 8, height: 7 },
      queries: [
        series(gauge('nodejs_eventloop_lag_seconds'), '{{instance}} at the scrape'),
        series(maxDelay, '{{instance}} maximum'),
      ],
    }),
    lines({
      title: 'Scrape duration',
      description: 'Time that Prometheus waits for /metrics.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.seconds, span: 8, height: 7 },
      queries: [series(gauge('scrape_duration_seconds'), '{{instance}}')],
    }),
    lines({
      title: 'Samples per scrape',
      description: 'Samples in /metrics: about forty for a destination over UDP.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.count, span: 8, height: 7 },
      queries: [series(gauge('scrape_samples_scraped'), '{{instance}}')],
    }),
    lines({
      title: 'Open files',
      description: 'Open file descriptors including sockets, and their limit.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.count, span: 8, height: 7 },
      queries: [
        series(gauge('process_open_fds'), '{{instance}} open'),
        series(gauge('process_max_fds'), '{{instance}} limit'),
      ],
    }),
  ],
};
