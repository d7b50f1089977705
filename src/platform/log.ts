/** Logs: a line for each event on standard error, as logfmt or JSON. */

import { type Logger, pino } from 'pino';

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'logfmt' | 'json';
}

/** @param write takes whole lines. */
export function createLog(options: LogOptions, write: (line: string) => void): Logger {
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: options.format === 'json' ? write : (line) => write(`${logfmt(JSON.parse(line))}\n`) },
  );
}

/** `level=info time=... msg="..." key=value`: a value with blanks, quotes or `=` is quoted. */
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
