/** Numbers out of the text of `/metrics`. */

import { type Headers, lines } from './http.js';

/** Sums over all series, by the name of the sample; of histograms, the buckets by their bound. */
export interface Sums {
  readonly totals: ReadonlyMap<string, number>;
  /** Cumulative counts by upper bound in seconds, of the one histogram that was asked for. */
  readonly buckets: ReadonlyMap<number, number>;
}

/** Sums the families up; hangs up once they went by, so that the exporter is spared the rest. */
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

/** The share of a histogram that lies below a value, turned round. */
export interface Quantile {
  /** Interpolated, as Prometheus does it; the last finite bound when it lies above. */
  readonly value: number;
  /** Bounds of the bucket that it lies in. */
  readonly above: number;
  readonly upTo: number;
}

/** @param buckets cumulative counts by upper bound, in ascending order. */
export function quantile(buckets: ReadonlyMap<number, number>, share: number): Quantile {
  const bounds = [...buckets];
  const wanted = share * (bounds.at(-1)?.[1] ?? 0);
  let above = 0;
  let below = 0;
  for (const [upTo, count] of bounds) {
    if (count >= wanted) {
      const part = count === below ? 1 : (wanted - below) / (count - below);
      const value = Number.isFinite(upTo) ? above + part * (upTo - above) : above;
      return { value, above, upTo };
    }
    above = upTo;
    below = count;
  }
  return { value: above, above, upTo: Infinity };
}

/** What a histogram gained between two readings. */
export function gained(
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
): ReadonlyMap<number, number> {
  return new Map([...after].map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)]));
}

/** The value below which so large a share of the numbers lies. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] ?? Number.NaN;
}
