/** The figures at the top of the destination dashboard. */

import type { Section } from '../builders/board.js';
import { burnRate, monthOfOne } from '../builders/budget.js';
import { availability, certificateLeft, loss, state, within } from '../builders/expressions.js';
import { ON_PAGE } from '../builders/links.js';
import * as looks from '../builders/looks.js';
import { lines, number, rowsTable } from '../builders/panels.js';
import { latest, rows, series } from '../builders/queries.js';
import { NO_PINGS, ONE } from './selection.js';

const { UNITS } = looks;
const NOT_MONITORED = 'Not monitored';
const STATE_UNKNOWN = 'State unknown';
const NOT_RECORDED = 'Nothing recorded yet: Prometheus needs rules/sip-keepalive-recording.yml';

const interval = (kind: string) =>
  `max by (destination) (sip_keepalive_${kind}_interval_seconds{${ONE}})`;

const details = rowsTable({
  title: 'Details',
  description:
    'One row for each exporter that monitors the destination. Server is the Server or User-Agent header of the peer. Labels of your configuration have columns of their own.',
  ...{ empty: NOT_MONITORED, span: 24, height: 4 },
  queries: [rows(`sip_keepalive_destination_info{${ONE}}`)],
  columns: [
    ['uri', 'URI'],
    ['module', 'Module'],
    ['owners', 'Owners'],
    ['server', 'Server'],
    ['instance', 'Exporter'],
  ],
  hidden: ['__name__', 'job', 'destination', 'Value'],
});

export const now: Section = {
  title: 'Now',
  panels: [
    number({
      ...{ title: 'State', unit: UNITS.count, span: 3, height: 4, mappings: looks.STATES },
      description:
        'Unknown until a ping has completed since the exporter started. With several exporters, down at one is down.',
      ...{ empty: NOT_MONITORED, runbook: 'SipKeepaliveDestinationDown', panelLinks: [ON_PAGE] },
      queries: [latest(state(ONE), 'state')],
    }),
    number({
      ...{ title: 'Since', unit: UNITS.ago, span: 3, height: 4 },
      description: 'Time of the last change of state.',
      empty: STATE_UNKNOWN,
      queries: [
        latest(
          `max by (destination) (sip_keepalive_last_state_change_timestamp_seconds{${ONE}}) * 1000`,
          'since',
        ),
      ],
    }),
    number({
      ...{ title: 'Availability', unit: UNITS.share, decimals: 2, span: 3, height: 4 },
      description:
        'Share of the time up in the time range, up to five minutes ago. Times with an unknown state or without a scrape are left out.',
      ...{ empty: NOT_RECORDED, thresholds: looks.highIsGood() },
      queries: [latest(availability(ONE, 'destination', '$__range', '5m'), 'availability')],
    }),
    number({
      ...{ title: 'Loss', unit: UNITS.share, decimals: 2, span: 3, height: 4 },
      description:
        'Share of pings in the time range without a response in time. A response that does not count as alive is not loss.',
      ...{ empty: NO_PINGS, thresholds: looks.lowIsGood(), runbook: 'SipKeepaliveLoss' },
      queries: [latest(loss(ONE, 'destination', '$__range'), 'loss')],
    }),
    number({
      ...{ title: 'State changes', unit: UNITS.count, decimals: 0, span: 3, height: 4 },
      description: 'Changes between up and down in the time range, at all exporters together.',
      ...{ empty: NOT_MONITORED, runbook: 'SipKeepaliveFlapping' },
      queries: [latest(within('sip_keepalive_state_changes_total', ONE, 'destination'), 'changes')],
    }),
    number({
      ...{ title: 'Addresses', unit: UNITS.count, span: 3, height: 4 },
      description: 'Current addresses, and how many of them are up.',
      empty: NOT_MONITORED,
      queries: [
        latest(`max by (destination) (sip_keepalive_targets{${ONE}})`, 'all'),
        latest(`min by (destination) (sip_keepalive_targets_up{${ONE}})`, 'up'),
      ],
    }),
    number({
      ...{ title: 'Ping interval', unit: UNITS.seconds, span: 3, height: 4 },
      description:
        'Time between two pings of one address; while a failure or a recovery is not confirmed, and while the address is down, if these are set.',
      empty: NOT_MONITORED,
      queries: [
        latest(interval('ping'), 'interval'),
        latest(interval('retry'), 'to confirm'),
        latest(interval('down'), 'while down'),
      ],
    }),
    number({
      ...{ title: 'Certificate', unit: UNITS.days, decimals: 1, span: 3, height: 4 },
      description:
        'Days until the first certificate of the chain expires; below 0 it has expired. Includes rejected certificates.',
      ...{ empty: 'No certificate', thresholds: looks.daysLeft() },
      runbook: 'SipKeepaliveCertificateExpiring',
      queries: [
        latest(
          `(${certificateLeft(ONE, 'destination', 'certificate_chain')}) / 86400`,
          'days left',
        ),
      ],
    }),
    details,
  ],
};

const month = monthOfOne(ONE);

export const budget: Section = {
  title: 'Error budget of 30 days',
  panels: [
    number({
      ...{ title: 'Availability of 30 days', unit: UNITS.share, decimals: 3, span: 6, height: 5 },
      description:
        'Time up divided by time with a known state, in the last 30 days, up to five minutes ago. Draining is down. Time without a scrape or with an unknown state is neither up nor down; the second figure says how much of the 30 days is counted.',
      ...{ empty: NOT_RECORDED, thresholds: looks.plain() },
      queries: [latest(month.availability, 'availability'), latest(month.known, 'known')],
    }),
    number({
      ...{ title: 'Budget left', unit: UNITS.seconds, span: 6, height: 5 },
      description:
        'How long the destination may still be down with the selected objective for 30 days (99.9%: 43 minutes); below 0 the objective is missed. The second figure is the time that it was down. With several exporters, the mean of their views.',
      ...{ empty: NOT_RECORDED, thresholds: looks.left() },
      queries: [latest(month.left, 'left'), latest(month.down, 'down')],
    }),
    number({
      ...{ title: 'Burn rate', unit: UNITS.times, decimals: 1, span: 4, height: 5 },
      description:
        'How fast the budget was used in the last hour and in the last day: 1 uses exactly all of it in 30 days.',
      ...{ empty: NOT_RECORDED, thresholds: looks.burn() },
      queries: [latest(burnRate(ONE, '1h'), 'last hour'), latest(burnRate(ONE, '1d'), 'last day')],
    }),
    lines({
      title: 'Budget left over time',
      description:
        'At each time, the budget left of the 30 days before it. It rises when an outage becomes older than 30 days.',
      ...{ empty: NOT_RECORDED, unit: UNITS.seconds, span: 8, height: 5, isSigned: true },
      queries: [series(month.left, 'left')],
    }),
  ],
};
