/** Which debug lines the pinger thread writes. */

import { TRANSPORTS } from './outcome.js';
import type { DebugSettings, LogLevel } from './protocol.js';
import { canonicalUri, UriError } from './uri.js';

/**
 * The pinger's part of `log.level` and `log.destination`. With destinations, their debug lines are
 * written at every log level, so that one setting is enough to look at one destination.
 */
export function debugSettings(level: LogLevel, destinations: readonly string[]): DebugSettings {
  const isDebug = level === 'debug' || destinations.length > 0;
  return {
    level: level === 'trace' ? 'trace' : isDebug ? 'debug' : undefined,
    destinations: [...new Set(destinations.flatMap((asked) => [asked, ...urisOf(asked)]))],
  };
}

/** The default port, which the canonical form omits, depends on the transport. */
function urisOf(asked: string): readonly string[] {
  try {
    return TRANSPORTS.map((transport) => canonicalUri(asked, transport));
  } catch (error) {
    if (error instanceof UriError) return [];
    throw error;
  }
}
