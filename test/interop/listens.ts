import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as net from 'node:net';
import { eventually } from '../support/process.js';

const WITHIN_MS = 60_000;

/** Resolves when a process listens on this port of loopback. */
export async function listens(transport: string, port: number): Promise<void> {
  const isThere = transport === 'udp' ? () => isBound(port) : () => isOpen(port);
  await eventually(`a listener on ${transport} port ${port}`, isThere, WITHIN_MS);
}

/** Whether a UDP socket is bound to the port: unlike TCP, sending to it does not show that. */
function isBound(port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  // An IPv6 socket may accept IPv4 too, as those of Java do.
  return ['udp', 'udp6'].some((table) =>
    new RegExp(`:${hex} 0+:0000`).test(readFileSync(`/proc/net/${table}`, 'utf8')),
  );
}

async function isOpen(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
