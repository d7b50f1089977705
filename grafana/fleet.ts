/** All destinations: their states, the worst first, and the reasons. */

import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { cameUp, wentDown } from './builders/annotations.js';
import { board, type Section } from './builders/board.js';
import {
  availability,
  certificateLeft,
  countOf,
  loss,
  perMinute,
  quantile,
  RTT,
  state,
} from './builders/expressions.js';
import { FROM_SERIES, fromCell } from './builders/links.js';
import * as looks from './builders/looks.js';
import { bars, lines, number, rowsTable, timeline } from './builders/panels.js';
import { latest, rows, series, withExemplars } from './builders/queries.js';
import * as variables from './builders/variables.js';

const { UNITS } = looks;
const BY_LABEL = 'instance=~"$instance",$label=~"$value"';
const FLEET = `${BY_LABEL},destination=~"$destination"`;
const STATE = state(FLEET);
const among = (isSo: string) => countOf(isSo, STATE);
const NO_DESTINATION = 'No destination matches the selection';
/** Long enough for ten pings at the default interval, short enough for the current reason. */
const NOW = '5m';

const failures = `sum by (destination, reason) (increase(sip_keepalive_ping_failures_total{${FLEET}}[${NOW}])) > 0`;
const nameFailures = `sum by (destination) (increase(sip_keepalive_resolution_failures_total{${FLEET}}[${NOW}])) > 0`;
const draining = `label_replace(max by (destination) (sip_keepalive_draining{${FLEET}}) == 1, "reason", "draining", "", "")`;
/**
 * For destinations that are down: draining, the reason of most failed pings, or `resolution` without an
 * address.
 */
const reasonNow =
  `(${draining} or topk by (destination) (1, ${failures}) unless on (destination) (${draining}) ` +
  `or label_replace((${nameFailures}) unless on (destination) (${failures} or ${draining}), "reason", "resolution", "", "")) ` +
  `and on (destination) (${STATE} == 2)`;

const count = (title: string, description: string, expr: string, thresholds = looks.plain()) =>
  number({
    ...{ title, description, thresholds, unit: UNITS.count, span: 3, height: 4 },
    empty: 'No destinations',
    queries: [latest(expr, title)],
  });

const degraded =
  `max by (destination) (sip_keepalive_targets{${FLEET}} - sip_keepalive_targets_up{${FLEET}}) > 0 ` +
  `and on (destination) (${STATE} == 1)`;
const expiring = `${certificateLeft(FLEET, 'destination', 'certificate_chain')} < 30 * 86400`;

const now: Section = {
  title: 'Now',
  panels: [
    count(
      'Monitored',
      'Destinations that match the selection. One that several exporters monitor counts once.',
      `count(${STATE})`,
    ),
    count(
      'Up',
      'Destinations that are up at every exporter that knows their state.',
      among(`${STATE} == 1`),
    ),
    count(
      'Down',
      'Destinations that are down at one exporter or more.',
      among(`${STATE} == 2`),
      looks.noneIsGood(),
    ),
    count(
      'Unknown',
      'Destinations whose state is not known yet or is stale. Unknown is never up.',
      among(`${STATE} == -1`),
      looks.noneIsGood(looks.UNKNOWN),
    ),
    count(
      'Degraded',
      'Destinations that are up while at least one of their addresses is down.',
      among(degraded),
      looks.noneIsGood(looks.WARNING),
    ),
    count(
      'Certificates expiring',
      'Destinations with a certificate that has expired or expires within 30 days.',
      among(expiring),
      looks.noneIsGood(looks.WARNING),
    ),
    number({
      ...{ title: 'Availability', unit: UNITS.share, decimals: 2, span: 3, height: 4 },
      description:
        'Share of samples in the time range that were up, averaged over the destinations. Times with an unknown state or without a scrape are left out.',
      empty: 'No known states',
      thresholds: looks.highIsGood(),
      queries: [latest(`avg(${availability(FLEET, 'destination')})`, 'Availability')],
    }),
    number({
      ...{ title: 'Loss', unit: UNITS.share, decimals: 2, span: 3, height: 4 },
      description:
        'Share of all pings in the time range without a response in time. A response that does not count as alive is not loss.',
      empty: 'No completed pings',
      thresholds: looks.lowIsGood(),
      queries: [
        latest(
          `sum(increase(sip_keepalive_ping_failures_total{${FLEET},reason="timeout"}[$__range])) / (sum(increase(sip_keepalive_pings_total{${FLEET}}[$__range])) > 0)`,
          'Loss',
        ),
      ],
    }),
  ],
};

const worst = rowsTable({
  title: 'Worst first',
  description:
    'All destinations, those that are down first. The reason is that of most failed pings in the last 5 minutes, shown while the destination is down; with longer ping intervals there is none. Loss and p95 cover the time range; p95 covers answered pings only. Select a name for details.',
  ...{ empty: NO_DESTINATION, span: 24, height: 11 },
  queries: [
    rows(STATE),
    rows(reasonNow),
    rows(
      `max by (destination) (sip_keepalive_last_state_change_timestamp_seconds{${FLEET}}) * 1000`,
    ),
    rows(loss(FLEET, 'destination', '$__range')),
    rows(quantile(0.95, RTT, FLEET, 'destination', '$__range')),
    rows(availability(FLEET, 'destination')),
  ],
  columns: [
    ['destination', 'Destination', [fromCell()]],
    ['Value #A', 'State', looks.mapped(looks.STATES)],
    ['reason', 'Current reason'],
    ['Value #C', 'Since', looks.unit(UNITS.ago)],
    ['Value #D', 'Loss', [...looks.unit(UNITS.share, 1), ...looks.coloured(looks.lowIsGood())]],
    ['Value #E', 'p95', looks.unit(UNITS.seconds)],
    [
      'Value #F',
      'Availability',
      [...looks.unit(UNITS.share, 2), ...looks.coloured(looks.highIsGood())],
    ],
  ],
  hidden: ['Value #B'],
  sortBy: ['State', 'Loss'],
});

const alerts = rowsTable({
  title: 'Firing alerts',
  description:
    'Firing alerts of these destinations and of the selected exporters. Alerts whose rules drop a label are not found by that label.',
  ...{ empty: 'No firing alerts, or no alerting rules in Prometheus', span: 12, height: 9 },
  queries: [
    rows(
      `ALERTS{alertstate="firing",destination!="",${FLEET}} ` +
        'or ALERTS{alertstate="firing",alertname=~"SipKeepalive.+",destination="",instance=~"$instance|"}',
    ),
  ],
  columns: [
    ['alertname', 'Alert'],
    ['severity', 'Severity'],
    ['destination', 'Destination', [fromCell()]],
  ],
  hidden: ['__name__', 'alertstate', 'job', 'Value'],
});

const byLabel = rowsTable({
  title: 'By $label',
  description:
    'Figures for each value of the selected label, for example a carrier or a site. Here a destination counts once for each exporter that monitors it.',
  ...{ empty: NO_DESTINATION, span: 12, height: 9 },
  queries: [
    rows(`count by ($label) (sip_keepalive_is_alive{${FLEET}})`),
    rows(
      `count by ($label) (sip_keepalive_is_alive{${FLEET}} == 2) or 0 * count by ($label) (sip_keepalive_is_alive{${FLEET}})`,
    ),
    rows(availability(FLEET, '$label')),
    rows(loss(FLEET, '$label', '$__range')),
  ],
  columns: [
    ['Value #A', 'Monitored', looks.unit(UNITS.count)],
    ['Value #B', 'Down', [...looks.unit(UNITS.count), ...looks.coloured(looks.noneIsGood())]],
    [
      'Value #C',
      'Availability',
      [...looks.unit(UNITS.share, 2), ...looks.coloured(looks.highIsGood())],
    ],
    ['Value #D', 'Loss', [...looks.unit(UNITS.share, 1), ...looks.coloured(looks.lowIsGood())]],
  ],
  sortBy: ['Down', 'Loss'],
});

/** Only those that were down at some time: ten thousand lines that are always up show nothing. */
const wereDown = `${STATE} and on (destination) (max by (destination) (max_over_time(sip_keepalive_is_alive{${FLEET}}[$__range] @ end())) == 2)`;

const time: Section = {
  title: 'Over time',
  panels: [
    timeline({
      title: 'Destinations that were down',
      description:
        'State over time of each destination that was down in the time range. With several exporters, down at one is down.',
      empty: 'No destination was down in the time range',
      ...{ span: 24, height: 10, mappings: looks.STATES, links: FROM_SERIES },
      queries: [series(wereDown, '{{destination}}')],
    }),
    lines({
      title: 'Destinations by state',
      description: 'Number of destinations that are up, down and unknown.',
      ...{ empty: NO_DESTINATION, unit: UNITS.count, span: 12, height: 8, isStacked: true },
      queries: [
        series(among(`${STATE} == 1`), 'up'),
        series(among(`${STATE} == 2`), 'down'),
        series(among(`${STATE} == -1`), 'unknown'),
      ],
    })
      .overrideByName('up', looks.fixed(looks.GOOD))
      .overrideByName('down', looks.fixed(looks.BAD))
      .overrideByName('unknown', looks.fixed(looks.UNKNOWN)),
    lines({
      title: 'Failures by reason',
      description:
        'Failed pings per minute. A name that does not resolve has no pings, and so no failures here.',
      ...{ empty: 'No failed pings', unit: UNITS.perMinute, span: 12, height: 8, isStacked: true },
      queries: [
        withExemplars(
          `${perMinute('sip_keepalive_ping_failures_total', FLEET, 'reason')} > 0`,
          '{{reason}}',
        ),
      ],
    }).overrideByName('draining', looks.fixed(looks.DRAINING)),
  ],
};

const latency: Section = {
  title: 'Latency',
  panels: [
    bars({
      title: 'Slowest, by p95',
      description:
        'The ten destinations with the highest 95th percentile of the round-trip time in the time range. Answered pings only, estimated from buckets.',
      empty: 'No answered pings',
      ...{
        unit: UNITS.seconds,
        thresholds: looks.plain(),
        span: 12,
        height: 9,
        links: FROM_SERIES,
      },
      queries: [
        latest(
          `sort_desc(topk(10, ${quantile(0.95, RTT, FLEET, 'destination', '$__range')}))`,
          '{{destination}}',
        ),
      ],
    }),
    lines({
      title: 'RTT of the fleet',
      description: 'Quantiles over all answered pings of all destinations.',
      ...{ empty: 'No answered pings', unit: UNITS.seconds, span: 12, height: 9 },
      queries: [0.5, 0.95, 0.99].map((q) =>
        withExemplars(quantile(q, RTT, FLEET, '', '$__rate_interval'), `p${q * 100}`),
      ),
    }),
  ],
};

export const fleet = (): Dashboard =>
  board({
    name: 'fleet',
    description:
      'All SIP destinations: states, the worst first, and the reasons. To filter by one of your own labels, select it under Label and its values under Label value; the table By label groups by it. Add more labels under Further filters, which Grafana adds to every query.',
    variables: [
      variables.datasource(),
      variables.instance(),
      variables.label(),
      variables.value(),
      variables.destinations(BY_LABEL),
      variables.histograms(RTT),
      variables.filters(),
    ],
    annotations: [wentDown(FLEET), cameUp(FLEET).enable(false)],
    sections: [now, { title: 'Destinations', panels: [worst, alerts, byLabel] }, time, latency],
  });
