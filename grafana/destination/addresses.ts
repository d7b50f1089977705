/** The addresses of one destination, and the name that they come from. */

import type { Section } from '../builders/board.js';
import { loss, perMinute, quantile, RTT } from '../builders/expressions.js';
import * as looks from '../builders/looks.js';
import { lines, number, rowsTable, timeline } from '../builders/panels.js';
import { latest, rows, series } from '../builders/queries.js';
import { ONE, TARGET } from './selection.js';

const { UNITS } = looks;
const NO_NAME = 'The URI has an IP address: there is no name to resolve';

const last = (what: string) =>
  rows(`max by (${TARGET}) (sip_keepalive_last_${what}_timestamp_seconds{${ONE}}) * 1000`);

export const addresses: Section = {
  title: 'Addresses',
  panels: [
    timeline({
      title: 'State by address',
      description:
        'Each pinged address with its transport. The line of an address that DNS no longer returns ends.',
      ...{ empty: 'No address has a known state', span: 12, height: 8, mappings: looks.UP_OR_DOWN },
      runbook: 'SipKeepaliveTargetDown',
      queries: [
        series(`min by (${TARGET}) (sip_keepalive_target_up{${ONE}})`, '{{transport}} {{address}}'),
      ],
    }),
    rowsTable({
      title: 'Address details',
      description:
        'Loss and p95 cover the time range. Priority and weight are from the SRV record of the address, if it has one.',
      ...{ empty: 'No addresses', span: 12, height: 8 },
      queries: [
        rows(`min by (${TARGET}) (sip_keepalive_target_up{${ONE}})`),
        last('up'),
        rows(loss(ONE, TARGET, '$__range')),
        rows(quantile(0.95, RTT, ONE, TARGET, '$__range')),
        rows(`max by (${TARGET}, priority, weight) (sip_keepalive_target_info{${ONE}})`),
        last('ping'),
        last('down'),
      ],
      columns: [
        ['transport', 'Transport'],
        ['address', 'Address'],
        ['Value #A', 'State', looks.mapped(looks.UP_OR_DOWN)],
        ['Value #F', 'Last ping', looks.unit(UNITS.ago)],
        ['Value #B', 'Last up', looks.unit(UNITS.ago)],
        ['Value #G', 'Last down', looks.unit(UNITS.ago)],
        ['Value #C', 'Loss', [...looks.unit(UNITS.share, 1), ...looks.coloured(looks.lowIsGood())]],
        ['Value #D', 'p95', looks.unit(UNITS.seconds)],
        ['priority', 'Priority'],
        ['weight', 'Weight'],
      ],
      hidden: ['Value #E'],
    }),
  ],
};

export const dns: Section = {
  title: 'DNS',
  panels: [
    number({
      ...{ title: 'Last DNS result', unit: UNITS.count, span: 4, height: 7 },
      description: 'Stale: the last lookup failed, and the addresses of an earlier one are pinged.',
      ...{ empty: NO_NAME, mappings: looks.STALE, runbook: 'SipKeepaliveResolutionStale' },
      queries: [latest(`max by (destination) (sip_keepalive_resolution_stale{${ONE}})`, 'result')],
    }),
    number({
      ...{ title: 'Last resolved', unit: UNITS.ago, span: 4, height: 7 },
      description: 'Time of the last successful lookup.',
      empty: 'No name to resolve, or no successful lookup yet',
      queries: [
        latest(
          `min by (destination) (sip_keepalive_last_resolution_timestamp_seconds{${ONE}}) * 1000`,
          'last resolved',
        ),
      ],
    }),
    number({
      ...{ title: 'Not pinged (over max_targets)', unit: UNITS.count, span: 4, height: 7 },
      description: 'Addresses that are not pinged because the name has more than max_targets.',
      ...{ empty: NO_NAME, thresholds: looks.noneIsGood(looks.WARNING) },
      queries: [
        latest(`max by (destination) (sip_keepalive_targets_truncated{${ONE}})`, 'not pinged'),
      ],
    }),
    lines({
      title: 'Lookups',
      description: 'Failed lookups by reason, and changes of the addresses, per minute.',
      ...{ empty: NO_NAME, unit: UNITS.perMinute, span: 12, height: 7 },
      runbook: 'SipKeepaliveResolutionFailing',
      queries: [
        series(
          perMinute('sip_keepalive_resolution_failures_total', ONE, 'reason'),
          'failed: {{reason}}',
        ),
        series(perMinute('sip_keepalive_resolution_changes_total', ONE), 'addresses changed'),
      ],
    }),
  ],
};
