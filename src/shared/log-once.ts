/** Logs once what holds for as long as the thread runs. */

import type { LogLine } from './protocol.js';

/** Writes a line unless one with the same event and key was written. */
export type LogOnce = (line: LogLine, key?: string) => void;

export function logOnce(log: (line: LogLine) => void): LogOnce {
  const written = new Set<string>();
  return (line, key = '') => {
    const id = `${line.event} ${key}`;
    if (written.has(id)) return;
    written.add(id);
    log(line);
  };
}
