/** One destination: outcomes, round-trip times, addresses, DNS, connections and certificates. */

import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { cameUp, wentDown } from './builders/annotations.js';
import { board, type Section } from './builders/board.js';
import {
  availability,
  CONNECT,
  certificateLeft,
  distribution,
  loss,
  perMinute,
  quantile,
  RTT,
  state,
  within,
} from './builders/expressions.js';
import * as looks from './builders/looks.js';
import { heat, lines, number, rowsTable, timeline } from './builders/panels.js';
import { buckets, latest, rows, series, withExemplars } from './builders/queries.js';
import * as variables from './builders/variables.js';

const { UNITS } = looks;
const ONE = 'instance=~"$instance",destination="$destination"';
const TARGET = 'transport, address';
const NO_NAME = 'The URI has an IP address: there is no name to resolve';
const NO_CONNECTION = 'Pinged over UDP, or not connected yet';
const NO_TLS = 'Not pinged over TLS or WSS, or no certificate received yet';
const NO_PINGS = 'No completed pings';
const NO_ANSWER = 'No answered pings';

const days = (seconds: string) => `(${seconds}) / 86400`;

const now: Section = {
  title: 'Now',
  panels: [
    number({
      ...{ title: 'State', unit: UNITS.count, span: 3, height: 4, mappings: looks.STATES },
      description:
        'Unknown until a ping has completed since the exporter started. With several exporters, down at one is down.',
      empty: 'Not monitored',
      queries: [latest(state(ONE), 'state')],
    }),
    number({
      ...{ title: 'Since', unit: UNITS.ago, span: 3, height: 4 },
      description: 'Time of the last change of state.',
      empty: 'State unknown',
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
        'Share of samples in the time range that were up. Times with an unknown state or without a scrape are left out.',
      ...{ empty: 'State unknown', thresholds: looks.highIsGood() },
      queries: [latest(availability(ONE, 'destination'), 'availability')],
    }),
    number({
      ...{ title: 'Loss', unit: UNITS.share, decimals: 2, span: 3, height: 4 },
      description:
        'Share of pings in the time range without a response in time. A response that does not count as alive is not loss.',
      ...{ empty: NO_PINGS, thresholds: looks.lowIsGood() },
      queries: [latest(loss(ONE, 'destination', '$__range'), 'loss')],
    }),
    number({
      ...{ title: 'State changes', unit: UNITS.count, decimals: 0, span: 3, height: 4 },
      description: 'Changes between up and down in the time range, at all exporters together.',
      empty: 'Not monitored',
      queries: [latest(within('sip_keepalive_state_changes_total', ONE, 'destination'), 'changes')],
    }),
    number({
      ...{ title: 'Addresses', unit: UNITS.count, span: 3, height: 4 },
      description: 'Current addresses, and how many of them are up.',
      empty: 'Not monitored',
      queries: [
        latest(`max by (destination) (sip_keepalive_targets{${ONE}})`, 'all'),
        latest(`min by (destination) (sip_keepalive_targets_up{${ONE}})`, 'up'),
      ],
    }),
    number({
      ...{ title: 'Ping interval', unit: UNITS.seconds, span: 3, height: 4 },
      description: 'Time between two pings of one address.',
      empty: 'Not monitored',
      queries: [
        latest(`max by (destination) (sip_keepalive_ping_interval_seconds{${ONE}})`, 'interval'),
      ],
    }),
    number({
      ...{ title: 'Certificate', unit: UNITS.days, decimals: 1, span: 3, height: 4 },
      description:
        'Days until the first certificate of the chain expires; below 0 it has expired. Includes rejected certificates.',
      ...{ empty: 'No certificate', thresholds: looks.daysLeft() },
      queries: [
        latest(days(certificateLeft(ONE, 'destination', 'certificate_chain')), 'days left'),
      ],
    }),
  ],
};

const details = rowsTable({
  title: 'Details',
  description:
    'One row for each exporter that monitors the destination. Server is the Server or User-Agent header of the peer. Labels of your configuration have columns of their own.',
  ...{ empty: 'Not monitored', span: 24, height: 4 },
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

const roundTrips: Section = {
  title: 'Round-trip time',
  panels: [
    heat({
      title: 'RTT distribution',
      description: 'Responses per bucket. Unanswered pings are not included: see Outcomes below.',
      ...{ empty: NO_ANSWER, span: 12, height: 9 },
      queries: [buckets(distribution(RTT, ONE))],
    }),
    lines({
      title: 'RTT quantiles',
      description:
        'Answered pings only, estimated from buckets. With long ping intervals there are gaps: choose a longer time range.',
      ...{ empty: NO_ANSWER, unit: UNITS.seconds, span: 12, height: 9 },
      queries: [0.5, 0.95, 0.99].map((q) =>
        withExemplars(quantile(q, RTT, ONE, '', '$__rate_interval'), `p${q * 100}`),
      ),
    }),
  ],
};

const alive =
  `clamp_min(${perMinute('sip_keepalive_pings_total', ONE)} - ` +
  `${perMinute('sip_keepalive_ping_failures_total', ONE)}, 0)`;

const outcomes: Section = {
  title: 'Outcomes',
  panels: [
    lines({
      title: 'Pings by outcome',
      description: 'Alive pings, and failed pings by reason, per minute.',
      ...{ empty: NO_PINGS, unit: UNITS.perMinute, span: 8, height: 8, isStacked: true },
      queries: [
        series(alive, 'alive'),
        withExemplars(
          `${perMinute('sip_keepalive_ping_failures_total', ONE, 'reason')} > 0`,
          '{{reason}}',
        ),
      ],
    })
      .overrideByName('alive', looks.fixed(looks.GOOD))
      .overrideByName('draining', looks.fixed(looks.DRAINING)),
    lines({
      title: 'SIP status codes',
      description:
        'Final responses by status code, per minute. alive_codes sets which codes count as alive.',
      ...{ empty: NO_ANSWER, unit: UNITS.perMinute, span: 8, height: 8, isStacked: true },
      queries: [series(perMinute('sip_keepalive_responses_total', ONE, 'code'), '{{code}}')],
    }),
    lines({
      title: 'Retransmissions and late responses',
      description:
        'Retransmitted requests, responses after the timeout, and answered challenges, per minute. The first two are early signs of packet loss.',
      ...{ empty: NO_PINGS, unit: UNITS.perMinute, span: 8, height: 8 },
      queries: [
        series(perMinute('sip_keepalive_retransmissions_total', ONE), 'retransmissions'),
        series(perMinute('sip_keepalive_late_responses_total', ONE), 'late responses'),
        series(perMinute('sip_keepalive_challenges_total', ONE), 'challenges'),
      ],
    }),
  ],
};

const targets: Section = {
  title: 'Addresses',
  panels: [
    timeline({
      title: 'State by address',
      description:
        'Each pinged address with its transport. The line of an address that DNS no longer returns ends.',
      ...{ empty: 'No address has a known state', span: 12, height: 8, mappings: looks.UP_OR_DOWN },
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
        rows(`max by (${TARGET}) (sip_keepalive_last_up_timestamp_seconds{${ONE}}) * 1000`),
        rows(loss(ONE, TARGET, '$__range')),
        rows(quantile(0.95, RTT, ONE, TARGET, '$__range')),
        rows(`max by (${TARGET}, priority, weight) (sip_keepalive_target_info{${ONE}})`),
      ],
      columns: [
        ['transport', 'Transport'],
        ['address', 'Address'],
        ['Value #A', 'State', looks.mapped(looks.UP_OR_DOWN)],
        ['Value #B', 'Last up', looks.unit(UNITS.ago)],
        ['Value #C', 'Loss', [...looks.unit(UNITS.share, 1), ...looks.coloured(looks.lowIsGood())]],
        ['Value #D', 'p95', looks.unit(UNITS.seconds)],
        ['priority', 'Priority'],
        ['weight', 'Weight'],
      ],
      hidden: ['Value #E'],
    }),
  ],
};

const dns: Section = {
  title: 'DNS',
  panels: [
    number({
      ...{ title: 'Last DNS result', unit: UNITS.count, span: 4, height: 7 },
      description: 'Stale: the last lookup failed, and the addresses of an earlier one are pinged.',
      ...{ empty: NO_NAME, mappings: looks.STALE },
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

const connections: Section = {
  title: 'Connections and certificates',
  panels: [
    lines({
      title: 'Connection setup time',
      description:
        'Median and 95th percentile by phase: connect is TCP, tls is the handshake. Few values, because connections are kept.',
      ...{ empty: NO_CONNECTION, unit: UNITS.seconds, span: 8, height: 8 },
      queries: [0.5, 0.95].map((q) =>
        series(quantile(q, CONNECT, ONE, 'phase', '$__range'), `{{phase}} p${q * 100}`),
      ),
    }),
    lines({
      title: 'Certificate days left',
      description:
        'Days until the certificate of each address expires, and until the first certificate of its chain does.',
      ...{ empty: NO_TLS, unit: UNITS.days, span: 8, height: 8 },
      queries: [
        series(days(certificateLeft(ONE, 'address', 'certificate')), '{{address}}'),
        series(days(certificateLeft(ONE, 'address', 'certificate_chain')), '{{address}} chain'),
      ],
    }),
    timeline({
      title: 'Certificate accepted',
      description: 'Whether the certificate is trusted, valid now, and issued for the right name.',
      ...{ empty: NO_TLS, span: 8, height: 8, mappings: looks.YES_OR_NO },
      queries: [
        series(`min by (address) (sip_keepalive_tls_certificate_verified{${ONE}})`, '{{address}}'),
      ],
    }),
    rowsTable({
      title: 'Certificates',
      description: 'The last handshake with each address, and the certificate received.',
      ...{ empty: NO_TLS, span: 24, height: 5 },
      queries: [rows(`sip_keepalive_tls_info{${ONE}}`)],
      columns: [
        ['address', 'Address'],
        ['version', 'Version'],
        ['cipher', 'Cipher'],
        ['subject', 'Subject'],
        ['issuer', 'Issuer'],
        ['serialnumber', 'Serial number'],
        ['fingerprint_sha256', 'Fingerprint'],
      ],
      hidden: ['__name__', 'job', 'destination', 'Value'],
    }),
  ],
};

export const destination = (): Dashboard =>
  board({
    name: 'destination',
    description:
      'One SIP destination: state, round-trip times, outcomes, addresses, DNS, connections and certificates.',
    variables: [
      variables.datasource(),
      variables.instance(),
      variables.destination('instance=~"$instance"'),
      variables.histograms(RTT),
    ],
    annotations: [wentDown(ONE), cameUp(ONE)],
    sections: [
      { ...now, panels: [...now.panels, details] },
      ...[roundTrips, outcomes, targets, dns, connections],
    ],
  });
