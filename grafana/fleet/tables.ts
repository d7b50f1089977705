/** The tables of the fleet dashboard: the worst first, alerts, groups, error budgets, Kamailio. */

import type { Section } from '../builders/board.js';
import { burnRate, monthOfMany } from '../builders/budget.js';
import { availability, recordedLoss, recordedP95, stateOf } from '../builders/expressions.js';
import { fromAlert, fromCell } from '../builders/links.js';
import * as looks from '../builders/looks.js';
import { rowsTable } from '../builders/panels.js';
import { rows } from '../builders/queries.js';
import { FLEET, NO_DESTINATION, NOT_RECORDED, STATE } from './selection.js';

const { UNITS } = looks;
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
  `and on (destination) (${STATE} > 1)`;

const lossCells = [...looks.unit(UNITS.share, 1), ...looks.coloured(looks.lowIsGood())];
const availabilityCells = [...looks.unit(UNITS.share, 2), ...looks.coloured(looks.highIsGood())];

const worst = rowsTable({
  title: 'Worst first',
  description:
    'All destinations, those that are down first. The reason is that of most failed pings in the last 5 minutes, shown while the destination is down; with longer ping intervals there is none. Loss, p95 and availability cover the time range up to five minutes ago, or up to an hour ago if it is longer than a day. p95 is the mean of the 95th percentiles of five minutes each, of answered pings. Select a name for details.',
  ...{ empty: NO_DESTINATION, span: 24, height: 11 },
  queries: [
    rows(STATE),
    rows(reasonNow),
    rows(
      `max by (destination) (sip_keepalive_last_state_change_timestamp_seconds{${FLEET}}) * 1000`,
    ),
    rows(recordedLoss(FLEET, 'destination', '$tile')),
    rows(recordedP95(FLEET, 'destination', '$tile')),
    rows(availability(FLEET, 'destination', '$__range', '$tile')),
  ],
  columns: [
    ['destination', 'Destination', [fromCell()]],
    ['Value #A', 'State', looks.mapped(looks.STATES)],
    ['reason', 'Current reason'],
    ['Value #C', 'Since', looks.unit(UNITS.ago)],
    ['Value #D', 'Loss', lossCells],
    ['Value #E', 'p95', looks.unit(UNITS.seconds)],
    ['Value #F', 'Availability', availabilityCells],
  ],
  hidden: ['Value #B'],
  sortBy: ['State', 'Loss'],
});

const alerts = rowsTable({
  title: 'Firing alerts',
  description:
    'Firing alerts of these destinations and of the selected exporters; the name of an alert leads to the runbook. Alerts whose rules drop a label are not found by that label.',
  ...{ empty: 'No firing alerts, or no alerting rules in Prometheus', span: 12, height: 9 },
  queries: [
    rows(
      `ALERTS{alertstate="firing",destination!="",${FLEET}} ` +
        'or ALERTS{alertstate="firing",alertname=~"SipKeepalive.+",destination="",instance=~"$instance|"}',
    ),
  ],
  columns: [
    ['alertname', 'Alert', [fromAlert()]],
    ['severity', 'Severity'],
    ['destination', 'Destination', [fromCell()]],
  ],
  hidden: ['__name__', 'alertstate', 'job', 'Value'],
});

const everywhere = `count by ($label) (sip_keepalive_is_alive{${FLEET}})`;
const downNow = stateOf(
  'sip_keepalive_is_alive',
  'sip_keepalive_draining',
  FLEET,
  '$label, instance, destination',
);

const byLabel = rowsTable({
  title: 'By $label',
  description:
    'Figures for each value of the selected label, for example a carrier or a site. Here a destination counts once for each exporter that monitors it.',
  ...{ empty: NO_DESTINATION, span: 12, height: 9 },
  queries: [
    rows(everywhere),
    rows(`count by ($label) (${downNow} == 2) or 0 * ${everywhere}`),
    rows(availability(FLEET, '$label', '$__range', '$tile')),
    rows(recordedLoss(FLEET, '$label', '$tile')),
  ],
  columns: [
    ['Value #A', 'Monitored', looks.unit(UNITS.count)],
    ['Value #B', 'Down', [...looks.unit(UNITS.count), ...looks.coloured(looks.noneIsGood())]],
    ['Value #C', 'Availability', availabilityCells],
    ['Value #D', 'Loss', lossCells],
  ],
  sortBy: ['Down', 'Loss'],
});

const month = monthOfMany(FLEET);

const budgets = rowsTable({
  title: 'Error budget of 30 days',
  description:
    'How long each destination was down in the last 30 days, and how long it may still be with the selected objective; below 0 the objective is missed. Draining is down. Time without a scrape or with an unknown state is neither up nor down: Known says how much of the 30 days is counted. Burn is the rate of the last day: 1 uses exactly the budget. The figures are recorded once an hour; those of one destination are up to date on its dashboard.',
  ...{ empty: `${NOT_RECORDED}, and an hour`, span: 12, height: 9 },
  queries: [
    rows(month.availability),
    rows(month.down),
    rows(month.left),
    rows(burnRate(FLEET, '1d')),
    rows(month.known),
  ],
  columns: [
    ['destination', 'Destination', [fromCell()]],
    ['Value #A', 'Availability', looks.unit(UNITS.share, 3)],
    ['Value #B', 'Down', looks.unit(UNITS.seconds)],
    ['Value #C', 'Left', [...looks.unit(UNITS.seconds), ...looks.coloured(looks.left())]],
    ['Value #D', 'Burn', [...looks.unit(UNITS.times, 1), ...looks.coloured(looks.burn())]],
    ['Value #E', 'Known', looks.unit(UNITS.share, 1)],
  ],
  sortBy: ['Down'],
});

const inKamailio = rowsTable({
  title: 'Kamailio disagrees',
  description:
    'Destinations to which a Kamailio routes although they are down, or which it leaves out although they are up, and for how long.',
  ...{ empty: 'No Kamailio disagrees, or none is read (kamailio_rpc)', span: 12, height: 9 },
  runbook: 'SipKeepaliveKamailioRoutesToDown',
  queries: [
    rows(
      `max by (destination, kamailio, setid, kind) (sip_keepalive_kamailio_disagreement_seconds{instance=~"$instance",destination=~"$destination"})`,
    ),
  ],
  columns: [
    ['destination', 'Destination', [fromCell()]],
    ['kamailio', 'Kamailio'],
    ['setid', 'Set'],
    ['kind', 'Disagreement'],
    ['Value', 'For', looks.unit(UNITS.seconds)],
  ],
  sortBy: ['For'],
});

export const tables: Section = {
  title: 'Destinations',
  panels: [worst, alerts, byLabel, budgets, inKamailio],
};
