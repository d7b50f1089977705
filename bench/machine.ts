/** The machine of a run: its hardware, its tools and its free ports. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { delimiter, join } from 'node:path';

/** The core of the pinged peers, and that of the pinging process. */
export const FAR_CORE = 0;
export const NEAR_CORE = 1;

/** Path of a program; undefined when it is not installed. */
export function which(program: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .concat('/usr/sbin', '/sbin')
    .map((directory) => join(directory, program))
    .find(isExecutable);
}

/** Whether processes can be pinned to one core. */
export const canPin = which('taskset') !== undefined && availableParallelism() > NEAR_CORE;

/** The command, pinned to one core where possible. */
export function pinned(core: number, command: readonly string[]): readonly string[] {
  return canPin ? ['taskset', '-c', String(core), ...command] : command;
}

export function describeMachine(): readonly string[] {
  const gigabytes = (totalmem() / 2 ** 30).toFixed(1);
  const tools = ['cc', 'kamailio', 'tcpdump', 'taskset'].map(
    (tool) => `${tool} ${which(tool) === undefined ? 'no' : 'yes'}`,
  );
  return [
    `CPU: ${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores`,
    `Memory: ${gigabytes} GiB`,
    `Kernel: ${type()} ${release()}`,
    `Node: ${process.version}`,
    `Tools: ${tools.join(', ')}`,
    `Load before the run: ${loadavg()[0]?.toFixed(2)}`,
    canPin
      ? `Cores: in cpu, lateness and rate the far end is pinned to core ${FAR_CORE} and the pinging process to core ${NEAR_CORE}, for every contender; elsewhere only the far end is pinned`
      : 'Cores: no process is pinned (taskset is missing, or there is only one core)',
  ];
}

/** A UDP port that is free on all addresses. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

/** A free TCP port. */
export async function freeTcpPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  return address.port;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
