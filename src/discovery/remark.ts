import type { Skipped } from './found.js';

/** Names and strings of any length may stand in a reason. */
const MAX_REASON_LENGTH = 500;

/** What is said of a place in a file, cut to a length that a line of the log can have. */
export function remark(place: string, reason: string): Skipped {
  if (reason.length <= MAX_REASON_LENGTH) return { place, reason };
  return { place, reason: `${reason.slice(0, MAX_REASON_LENGTH)}...` };
}
