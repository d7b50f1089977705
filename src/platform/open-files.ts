/** The limit of open files and sockets of this process. */

import { readFileSync } from 'node:fs';

/** The soft limit (RLIMIT_NOFILE); undefined when it is unlimited or cannot be read. */
export function openFileLimit(): number | undefined {
  return fromProc() ?? fromReport();
}

/** Reads the limit on Linux (proc(5)). */
function fromProc(): number | undefined {
  try {
    const text = readFileSync('/proc/self/limits', 'utf8');
    return numberOf(/^Max open files\s+(\d+)/m.exec(text)?.[1]);
  } catch {
    return undefined;
  }
}

/** Reads the limit on other systems, from the diagnostic report of Node.js. */
function fromReport(): number | undefined {
  const report: unknown = process.report?.getReport();
  const limits = member(member(report, 'userLimits'), 'open_files');
  return numberOf(member(limits, 'soft'));
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? new Map<string, unknown>(Object.entries(value)).get(key)
    : undefined;
}

function numberOf(value: unknown): number | undefined {
  const number = Number(value ?? Number.NaN);
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}
