/**
 * The buckets of native histograms, numbered as in Prometheus: with schema s, bucket i counts values over
 * 2^((i-1)/2^s) and up to 2^(i/2^s) seconds. The highest schema is 3, with 8 buckets per doubling; each
 * lower schema merges two neighbouring buckets.
 */

export const HIGHEST_SCHEMA = 3;

/** Maximum number of buckets in use. With schema 0, fewer cover all possible values. */
export const NATIVE_SLOTS = 32;

/** Values up to this number of seconds are in the zero bucket. It is a bound of a bucket in every schema. */
export const ZERO_THRESHOLD_SECONDS = 2 ** -14;

/** Index of the last bucket below the threshold. The key of a bucket, its index minus this, fits into a byte. */
const BASE = -14 * 2 ** HIGHEST_SCHEMA;
const MAX_KEY = 255;
/** Upper bounds in microseconds, by key. The keys cover more than a day. */
const BOUNDS = Float64Array.from(
  { length: MAX_KEY },
  (_, key) => 1e6 * 2 ** ((BASE + key) / 2 ** HIGHEST_SCHEMA),
);

/** The key of a value's bucket in the highest schema; 0 for the zero bucket. */
export function keyOf(micros: number): number {
  let [low, high] = [0, MAX_KEY];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (micros <= (BOUNDS[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The index of the bucket with this key, in any schema. */
export function indexOfKey(key: number): number {
  return key + BASE;
}

/** The key of the bucket that contains this one in the next lower schema. */
export function halvedKey(key: number): number {
  return ((key + BASE + 1) >> 1) - BASE;
}
