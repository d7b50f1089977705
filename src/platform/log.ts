/** The log: one line per event on standard error, as logfmt or JSON. */

import { pino } from 'pino';
import type { LogLevel, LogLine } from '../shared/protocol.js';

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'logfmt' | 'json';
}

export interface Log {
  readonly write: (line: LogLine) => void;
  /** Writes a line of any level; the sender has already filtered it. */
  readonly writeAlways: (line: LogLine) => void;
  /** Sets the minimum level of `write`. */
  readonly setLevel: (level: LogLevel) => void;
}

/** @param write takes whole lines. */
export function createLog(options: LogOptions, write: (line: string) => void): Log {
  const log = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: options.format === 'json' ? write : (line) => write(`${logfmt(JSON.parse(line))}\n`) },
  );
  // A child with the same initial level as its parent would follow changes of the parent.
  const always = log.child({}, { level: 'silent' });
  always.level = 'trace';
  return {
    write: ({ level, event, message, fields }) => log[level]({ event, ...fields }, message),
    writeAlways: ({ level, event, message, fields }) =>
      always[level]({ event, ...fields }, message),
    setLevel: (level) => {
      log.level = level;
    },
  };
}

/** `time=... level=info msg="..." key=value`: values with spaces, quotes or `=` are quoted. */
export function logfmt(entry: Readonly<Record<string, unknown>>): string {
  const { time, level, msg, ...fields } = entry;
  return Object.entries({ time, level, msg, ...fields })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${quoted(value)}`)
    .join(' ');
}

function quoted(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[^\s"=\\\p{C}]+$/u.test(text) ? text : JSON.stringify(text);
}
