/** Expressions that more than one board needs. `which` is what stands between the braces. */

/** 1 up, 2 down, -1 unknown. Where several exporters watch one destination, the worst is taken, and unknown gives way. */
export const state = (which: string, by = 'destination'): string =>
  `max by (${by}) (sip_keepalive_is_alive{${which}})`;

/**
 * How many of `all` are so. Where there are none at all it has no value, and a panel says so: to
 * show 0 down while nothing is watched would be a lie.
 */
export const countOf = (isSo: string, all: string): string => `count(${isSo}) or 0 * count(${all})`;

/** The share of samples that were up; before the first verdict there are none. */
export const availability = (which: string, by: string): string =>
  `avg by (${by}) (avg_over_time(sip_keepalive_up{${which}}[$__range]))`;

/** The share of pings that nobody answered in time; no value where none has ended. */
export const loss = (which: string, by: string, window: string): string => {
  const increase = (metric: string) => `sum by (${by}) (increase(${metric}[${window}]))`;
  const unanswered = increase(`sip_keepalive_ping_failures_total{${which},reason="timeout"}`);
  return `${unanswered} / (${increase(`sip_keepalive_pings_total{${which}}`)} > 0)`;
};

/** A quantile of a histogram; the comparison takes away the NaN of those without observations. */
export const quantile = (
  q: number,
  metric: string,
  which: string,
  by: string,
  window: string,
): string =>
  `histogram_quantile(${q}, sum by (${by === '' ? 'le' : `${by}, le`}) (rate(${metric}_bucket{${which}}[${window}]))) >= 0`;

export const RTT = 'sip_keepalive_rtt_seconds';

/** How often a minute: with pings seconds or minutes apart, a rate by the second is hard to read. */
export const perMinute = (metric: string, which: string, by = ''): string =>
  `60 * sum${by === '' ? '' : ` by (${by})`} (rate(${metric}{${which}}[$__rate_interval]))`;

/** Whole numbers of a counter within the time range, and no extrapolated fractions. */
export const within = (metric: string, which: string, by: string): string =>
  `round(sum by (${by}) (increase(${metric}{${which}}[$__range])))`;

/** Until when the certificate that is first to expire is good, by seconds from now. */
export const certificateLeft = (
  which: string,
  by: string,
  of: 'certificate' | 'certificate_chain',
): string =>
  `min by (${by}) (sip_keepalive_tls_${of}_not_after_timestamp_seconds{${which}}) - time()`;
