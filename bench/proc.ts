/** CPU time and memory of a process (Linux, proc(5)). */

import { readdirSync, readFileSync } from 'node:fs';

/** CPU time of a process with its children, all threads, in microseconds. */
export function cpuMicros(pid: number): number {
  let nanos = 0;
  for (const task of tasks(pid)) {
    nanos += Number(read(`${task}/schedstat`).split(' ')[0] ?? 0);
    for (const child of read(`${task}/children`).split(' ')) {
      if (child !== '') nanos += 1000 * cpuMicros(Number(child));
    }
  }
  return nanos / 1000;
}

/** CPU time of the main thread of a process. */
export function threadCpuMicros(pid: number): number {
  return Number(read(`/proc/${pid}/task/${pid}/schedstat`).split(' ')[0] ?? 0) / 1000;
}

/** Resident memory of a process, in bytes. */
export function rssBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1];
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status: expected VmRSS, got none`);
  return Number(kilobytes) * 1024;
}

function tasks(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}`);
  } catch {
    return [];
  }
}

/** The text of a file; empty when its thread has just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
