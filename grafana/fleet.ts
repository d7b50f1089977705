/** All destinations: which are up, which are worst, and why. */

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
import { latest, rows, series } from './builders/queries.js';
import * as variables from './builders/variables.js';

const { UNITS } = looks;
const BY_LABEL = 'instance=~"$instance",$label=~"$value"';
const FLEET = `${BY_LABEL},destination=~"$destination"`;
const STATE = state(FLEET);
const among = (isSo: string) => countOf(isSo, STATE);
const NO_DESTINATION = 'No destination matches what is chosen above';
/** Long enough for ten pings at the default interval, short enough to be about now. */
const NOW = '5m';

const failures = `sum by (destination, reason) (increase(sip_keepalive_ping_failures_total{${FLEET}}[${NOW}])) > 0`;
const nameFailures = `sum by (destination) (increase(sip_keepalive_resolution_failures_total{${FLEET}}[${NOW}])) > 0`;
/** Of those that are down: what most of their pings failed for, or that they have no address. */
const reasonNow =
  `(topk by (destination) (1, ${failures}) ` +
  `or label_replace((${nameFailures}) unless on (destination) (${failures}), "reason", "resolution", "", "")) ` +
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
      'Watched',
      'Destinations that match what is chosen above. One that several exporters watch counts once.',
      `count(${STATE})`,
    ),
    count(
      'Up',
      'Destinations that every exporter with a verdict finds up.',
      among(`${STATE} == 1`),
    ),
    count(
      'Down',
      'Destinations that at least one exporter finds down.',
      among(`${STATE} == 2`),
      looks.noneIsGood(),
    ),
    count(
      'Unknown',
      'Destinations without a verdict yet: no ping of theirs has ended since the exporter started. Unknown is never up.',
      among(`${STATE} == -1`),
      looks.noneIsGood(looks.UNKNOWN),
    ),
    count(
      'Degraded',
      'Destinations that are up while one of their addresses is not.',
      among(degraded),
      looks.noneIsGood(looks.WARNING),
    ),
    count(
      'Certificates ending',
      'Destinations with a certificate that expires within 30 days or has expired.',
      among(expiring),
      looks.noneIsGood(looks.WARNING),
    ),
    number({
      ...{ title: 'Availability', unit: UNITS.share, decimals: 2, span: 3, height: 4 },
      description:
        'Within the time range, the share of samples that were up, each destination weighing the same. Times without a verdict, or without a scrape, are not in it.',
      empty: 'No verdicts',
      thresholds: looks.highIsGood(),
      queries: [latest(`avg(${availability(FLEET, 'destination')})`, 'Availability')],
    }),
    number({
      ...{ title: 'Loss', unit: UNITS.share, decimals: 2, span: 3, height: 4 },
      description:
        'Within the time range, the share of all pings that nobody answered in time. An answer that does not count as alive is no loss.',
      empty: 'No ping has ended',
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
    'Every destination, those that are down first. The reason is what most pings of the last 5 minutes failed for, and only given while the destination is down; one that is pinged more rarely has none. Loss and p95 are of the time range; p95 is of answered pings alone. Choose a name to see more.',
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
    ['Value #A', 'State', looks.worded(looks.VERDICTS)],
    ['reason', 'Reason now'],
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
    'Alerts that Prometheus has firing for these destinations, and those of the exporters chosen above: an exporter that is down tells nothing of its destinations. An alert whose rule drops a label is not found by that label.',
  ...{ empty: 'No alert is firing, or Prometheus has no alerting rules', span: 12, height: 9 },
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
    'The same numbers for each value of the label chosen above: a carrier, a site, whatever labels your configuration gives. Here a destination counts once for each exporter that watches it.',
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
    ['Value #A', 'Watched', looks.unit(UNITS.count)],
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

/** Those that were down at some time: ten thousand lines that are all up tell nothing. */
const wereDown = `${STATE} and on (destination) (max by (destination) (max_over_time(sip_keepalive_is_alive{${FLEET}}[$__range] @ end())) == 2)`;

const time: Section = {
  title: 'Over time',
  panels: [
    timeline({
      title: 'States of those that were down',
      description:
        'Every destination that was down at some time within the time range. Where several exporters watch it, down at one is down.',
      empty: 'No destination was down within the time range',
      ...{ span: 24, height: 10, mappings: looks.VERDICTS, links: FROM_SERIES },
      queries: [series(wereDown, '{{destination}}')],
    }),
    lines({
      title: 'Destinations by state',
      description: 'How many destinations are up, down and unknown.',
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
        'Pings that ended not alive, by minute. A name that does not resolve has no pings and so no failures here.',
      ...{ empty: 'No ping failed', unit: UNITS.perMinute, span: 12, height: 8, isStacked: true },
      queries: [
        series(
          `${perMinute('sip_keepalive_ping_failures_total', FLEET, 'reason')} > 0`,
          '{{reason}}',
        ),
      ],
    }),
  ],
};

const latency: Section = {
  title: 'Latency',
  panels: [
    bars({
      title: 'Slowest, by p95',
      description:
        'The ten destinations with the highest 95th percentile of the round-trip time within the time range. Answered pings alone; estimated from buckets.',
      empty: 'No ping was answered',
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
      title: 'Round-trip time of the fleet',
      description: 'Quantiles over all answered pings of all destinations together.',
      ...{ empty: 'No ping was answered', unit: UNITS.seconds, span: 12, height: 9 },
      queries: [0.5, 0.95, 0.99].map((q) =>
        series(quantile(q, RTT, FLEET, '', '$__rate_interval'), `p${q * 100}`),
      ),
    }),
  ],
};

export const fleet = (): Dashboard =>
  board({
    name: 'fleet',
    description:
      'All SIP destinations: how many are up, which are worst, and why. Labels of your own: choose one under Label and its values beside it, and the table By label groups by it; more than one goes under Further filters, which Grafana puts into every query.',
    variables: [
      variables.datasource(),
      variables.instance(),
      variables.label(),
      variables.value(),
      variables.destinations(BY_LABEL),
      variables.filters(),
    ],
    annotations: [wentDown(FLEET), cameUp(FLEET).enable(false)],
    sections: [now, { title: 'Destinations', panels: [worst, alerts, byLabel] }, time, latency],
  });
