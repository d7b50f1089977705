/** Expressions that several dashboards use. `selector` is the text between the braces. */

/**
 * 1 up, 2 down, 1.5 draining, -1 unknown: the value decides with several exporters, so down wins over
 * draining, draining over up, and up over unknown.
 */
export const state = (selector: string, by = 'destination'): string =>
  stateOf('sip_keepalive_is_alive', 'sip_keepalive_draining', selector, by);

/** The same from other metrics. While the state is unknown, nothing says whether it is draining. */
export const stateOf = (isAlive: string, draining: string, selector: string, by: string): string =>
  `max by (${by}) (${isAlive}{${selector}} - 0.5 * ${draining}{${selector}} or ${isAlive}{${selector}})`;

/**
 * Counts `some`, a subset of `all`. Without any of `all` there is no value, so a panel does not show
 * 0 down while nothing is monitored.
 */
export const countOf = (some: string, all: string): string => `count(${some}) or 0 * count(${all})`;

/**
 * The recordings of ranges: `5m`, or the variable `tile`, which is `1h` for ranges of more than a day.
 *
 * @see rules/sip-keepalive-recording.yml
 */
export type Tile = '5m' | '$tile';

const recorded = (metric: string, selector: string, window: string, at = '') =>
  `sum_over_time(destination:sip_keepalive_${metric}{${selector}}[${window}]${at})`;

/** Ratio of the time up to the time with a known state, over all exporters. `at` may be ` @ end()`. */
export const availability = (
  selector: string,
  by: string,
  window: string,
  tile: Tile,
  at = '',
): string => {
  const seconds = (metric: string) => `sum by (${by}) (${recorded(metric, selector, window, at)})`;
  return `${seconds(`up_seconds:sum${tile}`)} / ${seconds(`known_seconds:sum${tile}`)}`;
};

/** Share of pings without a response in time; no value without completed pings. `by` may be empty. */
export const recordedLoss = (selector: string, by: string, tile: Tile): string => {
  const pings = (metric: string) =>
    `${sumBy(by)} (${recorded(`${metric}:increase${tile}`, selector, '$__range')})`;
  return `${pings('ping_timeouts')} / (${pings('pings')} > 0)`;
};

/** The same from the series of targets: exact, but for one destination only. */
export const loss = (selector: string, by: string, window: string): string => {
  const increase = (metric: string) => `sum by (${by}) (increase(${metric}[${window}]))`;
  const unanswered = increase(`sip_keepalive_ping_failures_total{${selector},reason="timeout"}`);
  return `${unanswered} / (${increase(`sip_keepalive_pings_total{${selector}}`)} > 0)`;
};

/** Mean of the 95th percentiles of the tiles. */
export const recordedP95 = (selector: string, by: string, tile: Tile): string =>
  `max by (${by}) (avg_over_time(destination:sip_keepalive_rtt_seconds:p95_avg${tile}{${selector}}[$__range]))`;

const sumBy = (by: string): string => (by === '' ? 'sum' : `sum by (${by})`);

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
  `60 * ${sumBy(by)} (rate(${metric}{${selector}}[$__rate_interval]))`;

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
