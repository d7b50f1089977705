/** Whether pings are sent on time, and what else arrives. */

import type { Section } from '../builders/board.js';
import { distribution, LATENESS, quantile } from '../builders/expressions.js';
import * as looks from '../builders/looks.js';
import { heat, lines } from '../builders/panels.js';
import { buckets, series } from '../builders/queries.js';
import { EXPORTER, gauge, NOT_SCRAPED, rate } from './selection.js';

const { UNITS } = looks;

export const pings: Section = {
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
      runbook: 'SipKeepalivePingerLate',
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
      queries: [series(gauge('sip_keepalive_pinger_in_flight'), '{{instance}}')],
    }),
    lines({
      title: 'Stalls and messages of others',
      description:
        'Per minute: pauses of the pinger thread of more than 20 ms, messages that belong to no ping, and NAT keepalives of others (empty datagrams, blank lines, STUN).',
      ...{ empty: NOT_SCRAPED, unit: UNITS.perMinute, span: 8, height: 7 },
      queries: [
        series(`60 * ${rate('sip_keepalive_pinger_stalls_total')}`, '{{instance}} stalls'),
        series(`60 * ${rate('sip_keepalive_unmatched_messages_total')}`, '{{instance}} unmatched'),
        series(`60 * ${rate('sip_keepalive_nat_keepalives_total')}`, '{{instance}} NAT keepalives'),
      ],
    }),
    lines({
      title: 'UDP',
      description:
        'Per minute: datagrams that the kernel dropped because a socket was full, responses without a time stamp of the kernel, and targets moved to another local port because their NAT binding was gone.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.perMinute, span: 24, height: 6 },
      queries: [
        series(`60 * ${rate('sip_keepalive_exporter_udp_dropped_total')}`, '{{instance}} dropped'),
        series(
          `60 * ${rate('sip_keepalive_exporter_udp_unstamped_total')}`,
          '{{instance}} without time stamp',
        ),
        series(`60 * ${rate('sip_keepalive_udp_rebinds_total')}`, '{{instance}} moved'),
      ],
    }),
  ],
};
