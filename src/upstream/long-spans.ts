/** What Prometheus knows of destinations beyond the last hour, from the recording rules in rules/. */

import type { Clock } from '../shared/clock.js';
import type { AvailabilityView, RangeView } from '../status/page-views.js';
import { AnswerCache } from './answer-cache.js';
import type { JsonServer } from './json-server.js';
import { Prometheus, type Series } from './prometheus.js';
import { destinationMatcher } from './promql.js';

const ANSWER_MS = 60_000;
const HOUR = 3_600;
const DAY = 24 * HOUR;

/** Seconds up and seconds with a known state, of five minutes each. */
export const UP = 'destination:sip_keepalive_up_seconds:sum5m';
export const KNOWN = 'destination:sip_keepalive_known_seconds:sum5m';
/** Median round-trip times. */
export const RTT = {
  '5m': 'destination:sip_keepalive_rtt_seconds:p50_rate5m',
  '1h': 'destination:sip_keepalive_rtt_seconds:p50_rate1h',
} as const;

/** Time up divided by time with a known state, of all exporters; `sum` may group. */
const availability = (sum: string, selector: string, window: string): string =>
  `${sum} (sum_over_time(${UP}${selector}[${window}])) / ${sum} (sum_over_time(${KNOWN}${selector}[${window}]))`;

const AVAILABILITY = { day: '1d', week: '7d', month: '30d' } as const satisfies Record<
  keyof AvailabilityView['spans'],
  string
>;
type AvailabilitySpan = keyof typeof AVAILABILITY;
const AVAILABILITY_SPANS = Object.keys(AVAILABILITY) as readonly AvailabilitySpan[];

type Availability = Readonly<Record<AvailabilitySpan, number | null>>;

/** Charts. Times are seconds; the last point is at a multiple of `end`, and each covers `window`. */
const RANGES = {
  day: {
    ...{ seconds: DAY, step: 300, end: 300, window: '5m' },
    rtt: (selector: string) => `${RTT['5m']}${selector}`,
  },
  week: {
    ...{ seconds: 7 * DAY, step: HOUR, end: HOUR, window: '1h' },
    rtt: (selector: string) => `${RTT['1h']}${selector}`,
  },
  quarter: {
    ...{ seconds: 90 * DAY, step: 6 * HOUR, end: HOUR, window: '6h' },
    rtt: (selector: string) => `avg_over_time(${RTT['1h']}${selector}[6h:1h])`,
  },
} as const;
export type RangeSpan = keyof typeof RANGES;
export const RANGE_SPANS = Object.keys(RANGES) as readonly RangeSpan[];

/** Several exporters, or jobs, may monitor a destination of the same name: their times are added, their round-trip times averaged. */
export class LongSpans {
  readonly #server: JsonServer;
  readonly #prometheus: Prometheus;
  readonly #clock: Clock;
  readonly #availability: AnswerCache<Availability>;
  readonly #ranges: AnswerCache<RangeView>;
  #settings: unknown;

  constructor(server: JsonServer, clock: Clock) {
    this.#server = server;
    this.#prometheus = new Prometheus(server);
    this.#clock = clock;
    this.#availability = new AnswerCache(clock, ANSWER_MS);
    this.#ranges = new AnswerCache(clock, ANSWER_MS);
  }

  /** The availability of these destinations. @throws UpstreamError */
  async availability(names: readonly string[]): Promise<AvailabilityView> {
    this.#forgetOthers();
    const kept = names.map((name) => [name, this.#availability.get(name)] as const);
    const asked = this.#askAvailability(
      kept.flatMap(([name, answer]) => (answer === undefined ? [name] : [])),
    );
    const all = await Promise.all(
      kept.map(async ([name, answer]) => [name, await (answer ?? asked.get(name))] as const),
    );
    const over = (span: AvailabilitySpan) =>
      Object.fromEntries(all.map(([name, found]) => [name, found?.[span] ?? null]));
    return { spans: { day: over('day'), week: over('week'), month: over('month') } };
  }

  /** Round-trip times and availability of a destination. @throws UpstreamError */
  async range(name: string, span: RangeSpan): Promise<RangeView> {
    this.#forgetOthers();
    const key = `${span} ${name}`;
    return this.#ranges.getOr(key, () => this.#askRange(name, span));
  }

  /** Forgets what another server has answered. @throws UpstreamError if none is configured. */
  #forgetOthers(): void {
    const { settings } = this.#server;
    if (settings === this.#settings) return;
    this.#settings = settings;
    this.#availability.clear();
    this.#ranges.clear();
  }

  /** Asks for all of them at once; each gets its part of the answer. */
  #askAvailability(names: readonly string[]): ReadonlyMap<string, Promise<Availability>> {
    const asked = new Map<string, Promise<Availability>>();
    if (names.length === 0) return asked;
    const selector = `{${destinationMatcher(names)}}`;
    const atSeconds = Math.floor(this.#clock.epoch() / 1000);
    const answers = Promise.all(
      AVAILABILITY_SPANS.map(async (span) => {
        const query = availability('sum by (destination)', selector, AVAILABILITY[span]);
        return [span, await this.#prometheus.query(query, atSeconds)] as const;
      }),
    );
    for (const name of names) {
      const own = answers.then((all) => {
        const values = all.map(([span, byName]) => [span, byName.get(name) ?? null]);
        return Object.fromEntries(values) as Availability;
      });
      this.#availability.keep(name, own);
      asked.set(name, own);
    }
    return asked;
  }

  async #askRange(name: string, span: RangeSpan): Promise<RangeView> {
    const { seconds, step, end, window, rtt: rttOf } = RANGES[span];
    const last = Math.floor(this.#clock.epoch() / 1000 / end) * end;
    const range = { start: last - seconds, end: last, step };
    const selector = `{${destinationMatcher([name])}}`;
    const queries = [`avg(${rttOf(selector)})`, availability('sum', selector, window)];
    const [rtt, up] = await Promise.all(
      queries.map((query) => this.#prometheus.range(query, range)),
    );
    const at = Array.from({ length: seconds / step + 1 }, (_, i) => range.start + i * step);
    const valuesOf = (series: Series | undefined) => at.map((time) => series?.get(time) ?? null);
    return {
      step,
      at: at.map((time) => new Date(time * 1000).toISOString()),
      ...{ rtt: valuesOf(rtt), availability: valuesOf(up) },
    };
  }
}
