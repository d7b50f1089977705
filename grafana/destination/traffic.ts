/** Round-trip times and outcomes of one destination. */

import type { Section } from '../builders/board.js';
import { distribution, perMinute, quantile, RTT } from '../builders/expressions.js';
import * as looks from '../builders/looks.js';
import { heat, lines } from '../builders/panels.js';
import { buckets, series, withExemplars } from '../builders/queries.js';
import { NO_ANSWER, NO_PINGS, ONE } from './selection.js';

const { UNITS } = looks;

export const roundTrips: Section = {
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
      runbook: 'SipKeepaliveLatencyHigh',
      queries: [0.5, 0.95, 0.99].map((q) =>
        withExemplars(quantile(q, RTT, ONE, '', '$__rate_interval'), `p${q * 100}`),
      ),
    }),
  ],
};

const alive =
  `clamp_min(${perMinute('sip_keepalive_pings_total', ONE)} - ` +
  `${perMinute('sip_keepalive_ping_failures_total', ONE)}, 0)`;

export const outcomes: Section = {
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
        'Retransmitted requests, responses after the timeout, answered challenges, and failovers to the next address within a ping (resolve: first), per minute. The first two are early signs of packet loss.',
      ...{ empty: NO_PINGS, unit: UNITS.perMinute, span: 8, height: 8 },
      queries: [
        series(perMinute('sip_keepalive_retransmissions_total', ONE), 'retransmissions'),
        series(perMinute('sip_keepalive_late_responses_total', ONE), 'late responses'),
        series(perMinute('sip_keepalive_challenges_total', ONE), 'challenges'),
        series(perMinute('sip_keepalive_failovers_total', ONE), 'failovers'),
      ],
    }),
  ],
};
