/** One destination: how its pings end, how long they take, its addresses, its name, its certificates. */

import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { cameUp, wentDown } from './builders/annotations.js';
import { board, type Section } from './builders/board.js';
import {
  availability,
  certificateLeft,
  loss,
  perMinute,
  quantile,
  RTT,
  state,
  within,
} from './builders/expressions.js';
import * as looks from './builders/looks.js';
import { heat, lines, number, rowsTable, timeline } from './builders/panels.js';
import { buckets, latest, rows, series } from './builders/queries.js';
import * as variables from './builders/variables.js';

const { UNITS } = looks;
const ONE = 'instance=~"$instance",destination="$destination"';
const TARGET = 'transport, address';
const NO_NAME = 'Its URI has an address and no name: there is nothing to resolve';
const NO_CONNECTION = 'It is pinged over UDP, or no connection has come about yet';
const NO_TLS = 'It is not pinged over TLS or WSS, or has shown no certificate yet';
const NO_PINGS = 'No ping has ended';
const NO_ANSWER = 'No ping was answered';

const days = (seconds: string) => `(${seconds}) / 86400`;

const now: Section = {
  title: 'Now',
  panels: [
    number({
      ...{ title: 'State', unit: UNITS.count, span: 3, height: 4, mappings: looks.VERDICTS },
      description:
        'Up, down, or unknown while no ping has ended since the exporter started. Where several exporters watch it, down at one is down.',
      empty: 'Not watched',
      queries: [latest(state(ONE), 'state')],
    }),
    number({
      ...{ title: 'Since', unit: UNITS.ago, span: 3, height: 4 },
      description: 'When the present verdict was reached.',
      empty: 'No verdict yet',
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
        'Within the time range, the share of samples that were up. Times without a verdict, or without a scrape, are not in it.',
      ...{ empty: 'No verdict yet', thresholds: looks.highIsGood() },
      queries: [latest(availability(ONE, 'destination'), 'availability')],
    }),
    number({
      ...{ title: 'Loss', unit: UNITS.share, decimals: 2, span: 3, height: 4 },
      description:
        'Within the time range, the share of pings that nobody answered in time. An answer that does not count as alive is no loss.',
      ...{ empty: NO_PINGS, thresholds: looks.lowIsGood() },
      queries: [latest(loss(ONE, 'destination', '$__range'), 'loss')],
    }),
    number({
      ...{ title: 'Verdict changed', unit: UNITS.count, decimals: 0, span: 3, height: 4 },
      description:
        'How often, within the time range, the verdict went from up to down or back, at all exporters together.',
      empty: 'Not watched',
      queries: [latest(within('sip_keepalive_state_changes_total', ONE, 'destination'), 'changes')],
    }),
    number({
      ...{ title: 'Addresses', unit: UNITS.count, span: 3, height: 4 },
      description: 'Addresses that it has now, and how many of them are up.',
      empty: 'Not watched',
      queries: [
        latest(`max by (destination) (sip_keepalive_targets{${ONE}})`, 'all'),
        latest(`min by (destination) (sip_keepalive_targets_up{${ONE}})`, 'up'),
      ],
    }),
    number({
      ...{ title: 'Pinged every', unit: UNITS.seconds, span: 3, height: 4 },
      description: 'Time between two pings of one address.',
      empty: 'Not watched',
      queries: [
        latest(`max by (destination) (sip_keepalive_ping_interval_seconds{${ONE}})`, 'interval'),
      ],
    }),
    number({
      ...{ title: 'Certificate', unit: UNITS.days, decimals: 1, span: 3, height: 4 },
      description:
        'How long the certificate that is first to expire is still good, in days; below 0 it has expired. Accepted or not.',
      ...{ empty: 'No certificate', thresholds: looks.daysLeft() },
      queries: [
        latest(days(certificateLeft(ONE, 'destination', 'certificate_chain')), 'days left'),
      ],
    }),
  ],
};

const what = rowsTable({
  title: 'What it is',
  description:
    'As the exporter knows it, once for each exporter that watches it. The server is what the peer calls itself, if it does; the labels of your configuration stand beside it.',
  ...{ empty: 'Not watched', span: 24, height: 4 },
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
      title: 'Round-trip times',
      description:
        'How many answers fell into each bucket of time. A ping without an answer is in none of them: see the outcomes below.',
      ...{ empty: NO_ANSWER, span: 12, height: 9 },
      queries: [buckets(`sum by (le) (increase(${RTT}_bucket{${ONE}}[$__rate_interval]))`)],
    }),
    lines({
      title: 'Quantiles',
      description:
        'Of answered pings alone, estimated from buckets. Where pings are further apart than a few scrapes, there are gaps: choose a longer time range.',
      ...{ empty: NO_ANSWER, unit: UNITS.seconds, span: 12, height: 9 },
      queries: [0.5, 0.95, 0.99].map((q) =>
        series(quantile(q, RTT, ONE, '', '$__rate_interval'), `p${q * 100}`),
      ),
    }),
  ],
};

const alive =
  `clamp_min(${perMinute('sip_keepalive_pings_total', ONE)} - ` +
  `${perMinute('sip_keepalive_ping_failures_total', ONE)}, 0)`;

const outcomes: Section = {
  title: 'How pings end',
  panels: [
    lines({
      title: 'Outcomes',
      description: 'Pings that ended alive, and those that did not by reason, by minute.',
      ...{ empty: NO_PINGS, unit: UNITS.perMinute, span: 8, height: 8, isStacked: true },
      queries: [
        series(alive, 'alive'),
        series(
          `${perMinute('sip_keepalive_ping_failures_total', ONE, 'reason')} > 0`,
          '{{reason}}',
        ),
      ],
    }).overrideByName('alive', looks.fixed(looks.GOOD)),
    lines({
      title: 'SIP status codes',
      description:
        'Final answers by their code, by minute. Whether a code counts as alive is for alive_codes to say.',
      ...{ empty: NO_ANSWER, unit: UNITS.perMinute, span: 8, height: 8, isStacked: true },
      queries: [series(perMinute('sip_keepalive_responses_total', ONE, 'code'), '{{code}}')],
    }),
    lines({
      title: 'Retransmissions and late answers',
      description:
        'Requests sent again for want of an answer, answers after the deadline, and challenges that were met, by minute. The first two are the early signs of loss.',
      ...{ empty: NO_PINGS, unit: UNITS.perMinute, span: 8, height: 8 },
      queries: [
        series(perMinute('sip_keepalive_retransmissions_total', ONE), 'retransmissions'),
        series(perMinute('sip_keepalive_late_responses_total', ONE), 'late answers'),
        series(perMinute('sip_keepalive_challenges_total', ONE), 'challenges met'),
      ],
    }),
  ],
};

const targets: Section = {
  title: 'Addresses',
  panels: [
    timeline({
      title: 'States of its addresses',
      description:
        'Each address that was pinged, over its transport. An address that the name no longer leads to ends.',
      ...{ empty: 'No address has a verdict', span: 12, height: 8, mappings: looks.UP_OR_DOWN },
      queries: [
        series(`min by (${TARGET}) (sip_keepalive_target_up{${ONE}})`, '{{transport}} {{address}}'),
      ],
    }),
    rowsTable({
      title: 'Its addresses',
      description:
        'Loss and p95 are of the time range. Priority and weight are those of the SRV record that led to the address, where one did.',
      ...{ empty: 'It has no address', span: 12, height: 8 },
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
        ['Value #A', 'State', looks.worded(looks.UP_OR_DOWN)],
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

const name: Section = {
  title: 'Its name',
  panels: [
    number({
      ...{ title: 'What DNS said last', unit: UNITS.count, span: 4, height: 7 },
      description:
        'Stale: the last look-up failed, and the addresses of an earlier one are pinged.',
      ...{ empty: NO_NAME, mappings: looks.STALE },
      queries: [latest(`max by (destination) (sip_keepalive_resolution_stale{${ONE}})`, 'answer')],
    }),
    number({
      ...{ title: 'Last resolved', unit: UNITS.ago, span: 4, height: 7 },
      description: 'When the name last came to addresses.',
      empty: 'There is no name to resolve, or it never came to addresses',
      queries: [
        latest(
          `min by (destination) (sip_keepalive_last_resolution_timestamp_seconds{${ONE}}) * 1000`,
          'last resolved',
        ),
      ],
    }),
    number({
      ...{ title: 'Left out', unit: UNITS.count, span: 4, height: 7 },
      description: 'Addresses that are not pinged, because there are more than max_targets.',
      ...{ empty: NO_NAME, thresholds: looks.noneIsGood(looks.WARNING) },
      queries: [
        latest(`max by (destination) (sip_keepalive_targets_truncated{${ONE}})`, 'left out'),
      ],
    }),
    lines({
      title: 'Look-ups',
      description: 'Failures by reason, and changes of the addresses, by minute.',
      ...{ empty: NO_NAME, unit: UNITS.perMinute, span: 12, height: 7 },
      queries: [
        series(
          perMinute('sip_keepalive_resolution_failures_total', ONE, 'reason'),
          'failed: {{reason}}',
        ),
        series(perMinute('sip_keepalive_resolution_changes_total', ONE), 'other addresses'),
      ],
    }),
  ],
};

const connections: Section = {
  title: 'Connections and certificates',
  panels: [
    lines({
      title: 'Connecting',
      description:
        'How long connections take to come about: connect is TCP, tls the handshake. Seldom, because a connection lives on. The median and the 95th percentile.',
      ...{ empty: NO_CONNECTION, unit: UNITS.seconds, span: 8, height: 8 },
      queries: [0.5, 0.95].map((q) =>
        series(
          quantile(q, 'sip_keepalive_connect_seconds', ONE, 'phase', '$__range'),
          `{{phase}} p${q * 100}`,
        ),
      ),
    }),
    lines({
      title: 'Certificate days left',
      description:
        'Days until the certificate of each address expires, and until the first of its chain does.',
      ...{ empty: NO_TLS, unit: UNITS.days, span: 8, height: 8 },
      queries: [
        series(days(certificateLeft(ONE, 'address', 'certificate')), '{{address}}'),
        series(days(certificateLeft(ONE, 'address', 'certificate_chain')), '{{address}} chain'),
      ],
    }),
    timeline({
      title: 'Certificate accepted',
      description: 'Whether the certificate is trusted, in date and for the right name.',
      ...{ empty: NO_TLS, span: 8, height: 8, mappings: looks.YES_OR_NO },
      queries: [
        series(`min by (address) (sip_keepalive_tls_certificate_verified{${ONE}})`, '{{address}}'),
      ],
    }),
    rowsTable({
      title: 'Certificates',
      description: 'The last handshake with each address, and the certificate that it showed.',
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
      'One SIP destination: how its pings end and how long they take, its addresses, its name, its connections and certificates.',
    variables: [
      variables.datasource(),
      variables.instance(),
      variables.destination('instance=~"$instance"'),
    ],
    annotations: [wentDown(ONE), cameUp(ONE)],
    sections: [
      { ...now, panels: [...now.panels, what] },
      ...[roundTrips, outcomes, targets, name, connections],
    ],
  });
