/** Settings of pings, as they are laid over one another: top level, module, destination. */

import type { PingSettings } from '../shared/destination.js';
import { Expected, FORMATS } from './formats.js';
import { PING_SETTINGS } from './schema.js';

type Key = keyof typeof PING_SETTINGS;

/** The settings that one level gives, in the form in which they are used. */
export type PingGiven = {
  readonly [K in Key]?: ReturnType<(typeof FORMATS)[(typeof PING_SETTINGS)[K]['format']]>;
};

/** Collects what is wrong, each with its path. */
export type Report = (path: string, fault: string) => void;

const DEFAULT_TIMEOUT_MS = 5000;

export function isPingKey(key: string): key is Key {
  return Object.hasOwn(PING_SETTINGS, key);
}

/** Reads the settings of pings among the entries of a mapping; others are left alone. */
export function readPing(
  entries: readonly (readonly [key: string, given: unknown])[],
  path: string,
  report: Report,
): PingGiven {
  const read: Record<string, unknown> = {};
  for (const [key, given] of entries) {
    if (!isPingKey(key)) continue;
    try {
      read[key] = FORMATS[PING_SETTINGS[key].format](given);
    } catch (error) {
      if (!(error instanceof Expected)) throw error;
      report(`${path}${key}`, error.message);
    }
  }
  return read;
}

/** What the levels come to; a later level goes before an earlier one. */
export function pingSettings(
  levels: readonly PingGiven[],
  version: string,
  path: string,
  report: Report,
): PingSettings {
  const given: PingGiven = Object.assign({}, ...levels);
  const intervalMs = given.ping_interval ?? PING_SETTINGS.ping_interval.default * 1000;
  const timeoutMs = given.ping_timeout ?? Math.min(DEFAULT_TIMEOUT_MS, 0.9 * intervalMs);
  if (timeoutMs >= intervalMs) {
    const wanted = `less than ping_interval (${intervalMs / 1000} s)`;
    report(`${path}ping_timeout`, `expected ${wanted}, got ${timeoutMs / 1000} s`);
  }
  return {
    intervalMs,
    timeoutMs,
    rise: given.rise ?? PING_SETTINGS.rise.default,
    fall: given.fall ?? PING_SETTINGS.fall.default,
    aliveCodes: given.alive_codes ?? PING_SETTINGS.alive_codes.default,
    pingFrom: given.ping_from ?? '',
    userAgent: given.user_agent || `sip-keepalive-exporter/${version}`,
    transport: given.transport ?? PING_SETTINGS.transport.default,
    sourceAddress: given.source_address ?? '',
    sourcePort: given.source_port ?? PING_SETTINGS.source_port.default,
  };
}
