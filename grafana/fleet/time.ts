/** The graphs of the fleet dashboard. */

import type { Section } from '../builders/board.js';
import {
  availability,
  certificateLeft,
  countOf,
  recordedP95,
  stateOf,
} from '../builders/expressions.js';
import { FROM_SERIES } from '../builders/links.js';
import * as looks from '../builders/looks.js';
import { bars, lines, timeline } from '../builders/panels.js';
import { latest, series } from '../builders/queries.js';
import { FLEET, NO_DESTINATION, NOT_RECORDED } from './selection.js';

const { UNITS } = looks;
const NO_ANSWER = 'No answered pings';

/** Every state, or the worst of each five minutes for ranges of more than a day. */
const states = stateOf('$states', '$drainings', FLEET, 'destination');
/** At the end of the range. */
const wereNotUp = `(${availability(FLEET, 'destination', '$__range', '$tile', ' @ end()')} < 1)`;
const isNotUp = `(max by (destination) (sip_keepalive_is_alive{${FLEET}} @ end()) > 1)`;
/** Only those that were down at some time: ten thousand lines that are always up show nothing. */
const wereDown = `${states} and on (destination) (${wereNotUp} or ${isNotUp})`;
const among = (isSo: string) => countOf(`${states} ${isSo}`, states);

export const time: Section = {
  title: 'Over time',
  panels: [
    timeline({
      title: 'Destinations that were down',
      description:
        'State over time of each destination that was down in the time range; if that is longer than a day, the worst state of each five minutes. With several exporters, down at one is down.',
      empty: 'No destination was down in the time range',
      ...{ span: 24, height: 10, mappings: looks.STATES, links: FROM_SERIES },
      queries: [series(wereDown, '{{destination}}')],
    }),
    lines({
      title: 'Destinations by state',
      description:
        'Number of destinations in each state; for a time range of more than a day, in the worst state of each five minutes.',
      ...{ empty: NO_DESTINATION, unit: UNITS.count, span: 12, height: 8, isStacked: true },
      queries: [
        series(among('== 1'), 'up'),
        series(among('== 2'), 'down'),
        series(among('== 1.5'), 'draining'),
        series(among('== -1'), 'unknown'),
      ],
    })
      .overrideByName('up', looks.fixed(looks.GOOD))
      .overrideByName('down', looks.fixed(looks.BAD))
      .overrideByName('draining', looks.fixed(looks.DRAINING))
      .overrideByName('unknown', looks.fixed(looks.UNKNOWN)),
    lines({
      title: 'Failures by reason',
      description:
        'Failed pings per minute, over five minutes each. A name that does not resolve has no pings, and so no failures here.',
      ...{ empty: 'No failed pings', unit: UNITS.perMinute, span: 12, height: 8, isStacked: true },
      queries: [
        series(
          `60 * sum by (reason) (destination_reason:sip_keepalive_ping_failures:rate5m{${FLEET}})`,
          '{{reason}}',
        ),
      ],
    }).overrideByName('draining', looks.fixed(looks.DRAINING)),
  ],
};

const P95 = `max by (destination) (destination:sip_keepalive_rtt_seconds:p95_avg5m{${FLEET}})`;

export const latency: Section = {
  title: 'Latency and certificates',
  panels: [
    bars({
      title: 'Slowest, by p95',
      description:
        'The ten destinations with the highest 95th percentile of the round-trip time: the mean of those of five minutes each, of answered pings, in the time range.',
      ...{ empty: NOT_RECORDED, runbook: 'SipKeepaliveLatencyHigh' },
      ...{ unit: UNITS.seconds, thresholds: looks.plain(), span: 8, height: 9, links: FROM_SERIES },
      queries: [
        latest(
          `sort_desc(topk(10, ${recordedP95(FLEET, 'destination', '$tile')}))`,
          '{{destination}}',
        ),
      ],
    }),
    lines({
      title: 'p95 of the fleet',
      description:
        'The 95th percentiles of the destinations over five minutes each: of the one in the middle, of the one that nine of ten are faster than, and of the slowest.',
      ...{ empty: NO_ANSWER, unit: UNITS.seconds, span: 8, height: 9 },
      queries: [
        series(`quantile(0.5, ${P95})`, 'middle'),
        series(`quantile(0.9, ${P95})`, 'slowest tenth'),
        series(`max(${P95})`, 'slowest'),
      ],
    }),
    bars({
      title: 'Certificate days left',
      description:
        'The ten certificates that expire first: days until the first of the chain expires. Below 0 it has expired.',
      ...{ empty: 'Nothing is pinged over TLS or WSS', runbook: 'SipKeepaliveCertificateExpiring' },
      ...{ unit: UNITS.days, decimals: 1, thresholds: looks.daysLeft(), isSigned: true },
      ...{ span: 8, height: 9, links: FROM_SERIES },
      queries: [
        latest(
          `sort(bottomk(10, (${certificateLeft(FLEET, 'destination', 'certificate_chain')}) / 86400))`,
          '{{destination}}',
        ),
      ],
    }),
  ],
};
