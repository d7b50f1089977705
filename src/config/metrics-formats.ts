/** The formats of settings of metrics. */

import { MAX_BOUNDS } from '../shared/ledger/histogram-layout.js';
import { Expected, type Format } from './expected.js';

/** The ledger counts in microseconds. */
const MIN_SECONDS = 1e-6;
const MAX_SECONDS = 3600;

/** Upper bounds of classic buckets in seconds; the bucket `+Inf` follows them by itself. */
export const bounds: Format<readonly number[]> = (given) => {
  const items = typeof given === 'string' ? given.trim().split(/\s+/) : given;
  if (!Array.isArray(items)) throw new Expected('a list of seconds', given);
  if (items.length === 0 || items.length > MAX_BOUNDS) {
    throw new Expected(`1 to ${MAX_BOUNDS} buckets`, items.length);
  }
  let last = 0;
  return items.map((item: unknown) => {
    const isNumber = typeof item === 'number' || (typeof item === 'string' && item !== '');
    const seconds = isNumber ? Number(item) : Number.NaN;
    if (!(seconds >= MIN_SECONDS && seconds <= MAX_SECONDS)) {
      const expected = `seconds from ${MIN_SECONDS} to ${MAX_SECONDS} as the bound of a bucket`;
      throw new Expected(expected, item);
    }
    if (Math.round(seconds * 1e6) <= last) {
      throw new Expected(`rising bounds of buckets, more than ${last / 1e6}`, item);
    }
    last = Math.round(seconds * 1e6);
    return last / 1e6;
  });
};
