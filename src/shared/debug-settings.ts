/** Which debug lines the pinger thread writes. */

import { TRANSPORTS } from './outcome.js';
import type { DebugSettings, LogLevel } from './protocol.js';
import { canonicalUri, UriError } from './uri.js';

/**
 * The pinger's part of `log.level` and `log.destination`. Debug lines of the given destinations are
 * written at every log level, so that one setting is enough to examine one destination.
 */
export function debugSettings(level: LogLevel, destinations: readonly string[]): DebugSettings {
  const isDebug = level === 'debug' || destinations.length > 0;
  return {
    level: level === 'trace' ? 'trace' : isDebug ? 'debug' : undefined,
    destinations: [...new Set(destinations.flatMap((text) => [text, ...urisOf(text)]))],
  };
}

/** The canonical forms of a URI: they omit the default port, which depends on the transport. */
function urisOf(text: string): readonly string[] {
  try {
    return TRANSPORTS.map((transport) => canonicalUri(text, transport));
  } catch (error) {
    if (error instanceof UriError) return [];
    throw error;
  }
}
