/**
 * The buckets of native histograms, as Prometheus numbers them: with schema s, bucket i counts values
 * over 2^((i-1)/2^s) and up to 2^(i/2^s) seconds. Counting begins with schema 3, 8 buckets for each
 * doubling; with each schema below, two neighbours are one bucket.
 */

export const HIGHEST_SCHEMA = 3;

/** Buckets in use at a time. With schema 0, fewer cover all values that there are. */
export const NATIVE_SLOTS = 32;

/** Values up to this many seconds are in the zero bucket. It is a bound of a bucket in every schema. */
export const ZERO_THRESHOLD_SECONDS = 2 ** -14;

/** The last bucket below the threshold; the index of a bucket less this one fits a byte. */
const BASE = -14 * 2 ** HIGHEST_SCHEMA;
const MAX_KEY = 255;
/** Upper bounds in microseconds, by key. The keys reach beyond a day. */
const BOUNDS = Float64Array.from(
  { length: MAX_KEY },
  (_, key) => 1e6 * 2 ** ((BASE + key) / 2 ** HIGHEST_SCHEMA),
);

/** The key of the bucket of a value with the highest schema; 0 for the zero bucket. */
export function keyOf(micros: number): number {
  let [low, high] = [0, MAX_KEY];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (micros <= (BOUNDS[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The index of a bucket, whatever the schema, from its key. */
export function indexOfKey(key: number): number {
  return key + BASE;
}

/** The key of the bucket that contains this one in the schema below. */
export function halvedKey(key: number): number {
  return ((key + BASE + 1) >> 1) - BASE;
}
