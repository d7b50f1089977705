/** Reads the Retry-After header of a response. */

import { headerValues } from './headers.js';
import { word } from './scanner.js';

const RETRY_AFTER = word('retry-after');

/** The limit of delta-seconds in RFC 3261 (20.19); more is not distinguished. */
const MAX_SECONDS = 2 ** 32 - 1;

/**
 * The wait that a response asks for, in milliseconds; undefined when its Retry-After is absent, repeated
 * or not as in RFC 3261 20.33:
 *
 *     Retry-After = delta-seconds [ comment ] *( SEMI retry-param )
 *
 * The comment and the parameters are not read.
 */
export function retryAfterMs(response: Uint8Array): number | undefined {
  const [value, ...others] = headerValues(response, [RETRY_AFTER]);
  if (value === undefined || others.length > 0) return undefined;
  const [, seconds] = /^(\d+)[ \t\r\n]*(?:$|[(;])/.exec(value) ?? [];
  return seconds === undefined ? undefined : 1000 * Math.min(Number(seconds), MAX_SECONDS);
}
