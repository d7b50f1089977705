/**
 * The error budget of a month: how much of 30 days a destination may be down with the objective `slo`, in
 * percent. Only time with a known state counts. With several exporters it is the mean of their views.
 */

import { availability } from './expressions.js';

const DAYS_30 = 30 * 86_400;
const ALLOWED = '(1 - $slo / 100)';

export interface Month {
  readonly availability: string;
  /** Seconds down. */
  readonly down: string;
  /** Seconds that it may still be down; below 0 when the objective is missed. */
  readonly left: string;
  /** Share of the 30 days in which the state was known. */
  readonly known: string;
}

function month(sumOf: (metric: 'up_seconds' | 'known_seconds') => string): Month {
  const ratio = `${sumOf('up_seconds')} / ${sumOf('known_seconds')}`;
  // Two exporters that watch the same destination know up to 60 days of it.
  const known = `clamp_max(${sumOf('known_seconds')}, ${DAYS_30})`;
  const down = `(1 - ${ratio}) * ${known}`;
  return {
    availability: ratio,
    down,
    left: `${DAYS_30} * ${ALLOWED} - ${down}`,
    known: `${known} / ${DAYS_30}`,
  };
}

/** Up to five minutes ago. For one destination: it reads 8,640 values of each series. */
export const monthOfOne = (selector: string): Month =>
  month(
    (metric) =>
      `sum by (destination) (sum_over_time(destination:sip_keepalive_${metric}:sum5m{${selector}}[30d]))`,
  );

/** Up to an hour ago, for any number of destinations. The values are recorded once an hour. */
export const monthOfMany = (selector: string): Month =>
  month(
    (metric) =>
      `sum by (destination) (last_over_time(destination:sip_keepalive_${metric}:sum30d{${selector}}[65m]))`,
  );

/** How fast the budget is used: 1 uses exactly all of it in 30 days. */
export const burnRate = (selector: string, window: string): string =>
  `(1 - ${availability(selector, 'destination', window, '5m')}) / ${ALLOWED}`;
