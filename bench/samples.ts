/** Values from the text of `/metrics`. */

import { type Headers, lines } from './http.js';

/** Sums over all series by sample name; for histograms, the buckets by bound. */
export interface Sums {
  readonly totals: ReadonlyMap<string, number>;
  /** Cumulative counts by upper bound in seconds, of the one requested histogram. */
  readonly buckets: ReadonlyMap<number, number>;
}

/** Sums up the families. Closes the connection after the last of them to save the exporter the rest. */
export async function readSums(
  url: string,
  families: readonly string[],
  headers: Headers = {},
): Promise<Sums> {
  const totals = new Map<string, number>();
  const buckets = new Map<number, number>();
  const missing = new Set(families);
  for await (const line of lines(`${url}/metrics`, headers)) {
    if (line.startsWith('#')) continue;
    const family = families.find((name) => line.startsWith(name));
    if (family === undefined) {
      if (missing.size === 0) break;
      continue;
    }
    missing.delete(family);
    const value = Number(line.slice(line.lastIndexOf(' ') + 1));
    totals.set(family, (totals.get(family) ?? 0) + value);
    const bound = /_bucket{le="([^"]+)"}/.exec(line)?.[1];
    if (bound !== undefined) buckets.set(bound === '+Inf' ? Infinity : Number(bound), value);
  }
  for (const family of missing) throw new Error(`${url}/metrics: expected ${family}, got none`);
  return { totals, buckets };
}

/** A quantile of a histogram. */
export interface Quantile {
  /** Interpolated as in Prometheus; the last finite bound when it is above. */
  readonly value: number;
  /** Bounds of its bucket. */
  readonly above: number;
  readonly upTo: number;
}

/** @param buckets cumulative counts by upper bound, in ascending order. */
export function quantile(buckets: ReadonlyMap<number, number>, share: number): Quantile {
  const bounds = [...buckets];
  const rank = share * (bounds.at(-1)?.[1] ?? 0);
  let above = 0;
  let below = 0;
  for (const [upTo, count] of bounds) {
    if (count >= rank) {
      const part = count === below ? 1 : (rank - below) / (count - below);
      const value = Number.isFinite(upTo) ? above + part * (upTo - above) : above;
      return { value, above, upTo };
    }
    above = upTo;
    below = count;
  }
  return { value: above, above, upTo: Infinity };
}

/** Increase of a histogram between two readings. */
export function gained(
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
): ReadonlyMap<number, number> {
  return new Map([...after].map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)]));
}

/** The value below which `share` of the numbers are. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] ?? Number.NaN;
}
