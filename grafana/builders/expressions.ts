/** Expressions that several dashboards use. `selector` is the text between the braces. */

/** 1 up, 2 down, -1 unknown. With several exporters down wins over up, and up over unknown. */
export const state = (selector: string, by = 'destination'): string =>
  `max by (${by}) (sip_keepalive_is_alive{${selector}})`;

/**
 * Counts `some`, a subset of `all`. Without any of `all` there is no value, so a panel does not show
 * 0 down while nothing is monitored.
 */
export const countOf = (some: string, all: string): string => `count(${some}) or 0 * count(${all})`;

/** Share of samples that were up. While the state is unknown there are no samples. */
export const availability = (selector: string, by: string): string =>
  `avg by (${by}) (avg_over_time(sip_keepalive_up{${selector}}[$__range]))`;

/** Share of pings without a response in time; no value without completed pings. */
export const loss = (selector: string, by: string, window: string): string => {
  const increase = (metric: string) => `sum by (${by}) (increase(${metric}[${window}]))`;
  const unanswered = increase(`sip_keepalive_ping_failures_total{${selector},reason="timeout"}`);
  return `${unanswered} / (${increase(`sip_keepalive_pings_total{${selector}}`)} > 0)`;
};

/**
 * A histogram in seconds, by its name without the unit: the native one, or the buckets of the classic one,
 * as the variable `histograms` says (`seconds` or `seconds_bucket`).
 */
export const histogram = (name: string, selector: string): string =>
  `${name}_$histograms{${selector}}`;

/**
 * Quantile of a histogram, native or classic: only a classic one has the label `le`. The comparison drops
 * the NaN of series without observations.
 */
export const quantile = (
  q: number,
  name: string,
  selector: string,
  by: string,
  window: string,
): string =>
  `histogram_quantile(${q}, sum by (${by === '' ? 'le' : `${by}, le`}) (rate(${histogram(name, selector)}[${window}]))) >= 0`;

/** Observations by bucket, for a heatmap. */
export const distribution = (name: string, selector: string): string =>
  `sum by (le) (increase(${histogram(name, selector)}[$__rate_interval]))`;

/** Names of histograms, without their unit. */
export const RTT = 'sip_keepalive_rtt';
export const CONNECT = 'sip_keepalive_connect';
export const LATENESS = 'sip_keepalive_pinger_lateness';
export const RESOLUTION = 'sip_keepalive_resolution';

/** Rate per minute: with pings seconds or minutes apart, a rate per second is hard to read. */
export const perMinute = (metric: string, selector: string, by = ''): string =>
  `60 * sum${by === '' ? '' : ` by (${by})`} (rate(${metric}{${selector}}[$__rate_interval]))`;

/** Increase of a counter in the time range, rounded because Prometheus extrapolates. */
export const within = (metric: string, selector: string, by: string): string =>
  `round(sum by (${by}) (increase(${metric}{${selector}}[$__range])))`;

/** Seconds until the first certificate expires. */
export const certificateLeft = (
  selector: string,
  by: string,
  of: 'certificate' | 'certificate_chain',
): string =>
  `min by (${by}) (sip_keepalive_tls_${of}_not_after_timestamp_seconds{${selector}}) - time()`;
