/** The figures at the top of the fleet dashboard. */

import type { Section } from '../builders/board.js';
import { monthOfMany } from '../builders/budget.js';
import { availability, certificateLeft, countOf, recordedLoss } from '../builders/expressions.js';
import * as looks from '../builders/looks.js';
import { number } from '../builders/panels.js';
import { latest } from '../builders/queries.js';
import { FLEET, NOT_RECORDED, STATE } from './selection.js';

const { UNITS } = looks;

const among = (isSo: string) => countOf(isSo, STATE);

interface Count {
  readonly title: string;
  readonly description: string;
  readonly expr: string;
  readonly color?: string;
  readonly runbook?: string;
}

const count = ({ title, description, expr, color, runbook }: Count) =>
  number({
    ...{ title, description, unit: UNITS.count, span: 3, height: 4, empty: 'No destinations' },
    thresholds: color === undefined ? looks.plain() : looks.noneIsGood(color),
    ...(runbook === undefined ? {} : { runbook }),
    queries: [latest(expr, title)],
  });

const degraded =
  `max by (destination) (sip_keepalive_targets{${FLEET}} - sip_keepalive_targets_up{${FLEET}}) > 0 ` +
  `and on (destination) (${STATE} == 1)`;
const expiring = `${certificateLeft(FLEET, 'destination', 'certificate_chain')} < 30 * 86400`;

const counts: readonly Count[] = [
  {
    title: 'Monitored',
    description:
      'Destinations that match the selection. One that several exporters monitor counts once.',
    expr: `count(${STATE})`,
  },
  {
    title: 'Up',
    description: 'Destinations that are up at every exporter that knows their state.',
    expr: among(`${STATE} == 1`),
  },
  {
    title: 'Down',
    description: 'Destinations that are down at one exporter or more, and not draining.',
    expr: among(`${STATE} == 2`),
    color: looks.BAD,
    runbook: 'SipKeepaliveDestinationDown',
  },
  {
    title: 'Draining',
    description: 'Destinations that answer that they must not be used for now.',
    expr: among(`${STATE} == 1.5`),
    color: looks.DRAINING,
    runbook: 'SipKeepaliveDestinationDraining',
  },
  {
    title: 'Unknown',
    description: 'Destinations whose state is not known yet or is stale. Unknown is never up.',
    expr: among(`${STATE} == -1`),
    color: looks.UNKNOWN,
    runbook: 'SipKeepaliveVerdictUnknown',
  },
  {
    title: 'Degraded',
    description: 'Destinations that are up while at least one of their addresses is down.',
    expr: among(degraded),
    color: looks.WARNING,
    runbook: 'SipKeepaliveTargetDown',
  },
  {
    title: 'Certificates expiring',
    description: 'Destinations with a certificate that has expired or expires within 30 days.',
    expr: among(expiring),
    color: looks.WARNING,
    runbook: 'SipKeepaliveCertificateExpiring',
  },
  {
    title: 'Alerts',
    description: 'Firing alerts of these destinations; the table below has them.',
    expr: countOf(`ALERTS{alertstate="firing",destination!="",${FLEET}}`, STATE),
    color: looks.BAD,
  },
];

const month = monthOfMany(FLEET);

export const now: Section = {
  title: 'Now',
  panels: [
    ...counts.map(count),
    number({
      ...{ title: 'Availability', unit: UNITS.share, decimals: 2, span: 6, height: 4 },
      description:
        'Share of the time up in the time range, averaged over the destinations. Times with an unknown state or without a scrape are left out.',
      ...{ empty: NOT_RECORDED, thresholds: looks.highIsGood() },
      queries: [
        latest(`avg(${availability(FLEET, 'destination', '$__range', '$tile')})`, 'Availability'),
      ],
    }),
    number({
      ...{ title: 'Loss', unit: UNITS.share, decimals: 2, span: 6, height: 4 },
      description:
        'Share of all pings in the time range without a response in time. A response that does not count as alive is not loss.',
      ...{ empty: NOT_RECORDED, thresholds: looks.lowIsGood(), runbook: 'SipKeepaliveLoss' },
      queries: [latest(recordedLoss(FLEET, '', '$tile'), 'Loss')],
    }),
    number({
      ...{ title: 'Availability of 30 days', unit: UNITS.share, decimals: 3, span: 6, height: 4 },
      description:
        'Share of the time up in the last 30 days, averaged over the destinations, recorded once an hour. Times with an unknown state or without a scrape are left out.',
      ...{ empty: `${NOT_RECORDED}, and an hour`, thresholds: looks.highIsGood() },
      queries: [latest(`avg(${month.availability})`, 'Availability')],
    }),
    number({
      ...{ title: 'Objective missed', unit: UNITS.count, span: 6, height: 4 },
      description:
        'Destinations that were down for longer in the last 30 days than the selected objective allows.',
      ...{ empty: `${NOT_RECORDED}, and an hour`, thresholds: looks.noneIsGood() },
      queries: [latest(countOf(`${month.left} < 0`, month.left), 'Objective missed')],
    }),
  ],
};
