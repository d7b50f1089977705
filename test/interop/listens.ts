import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as net from 'node:net';
import { eventually } from '../support/process.js';

const WITHIN_MS = 60_000;

/** Waits until something listens on this port of loopback. */
export async function listens(transport: string, port: number): Promise<void> {
  const isThere = transport === 'udp' ? () => isBound(port) : () => isOpen(port);
  await eventually(`something listens on ${transport} port ${port}`, isThere, WITHIN_MS);
}

/** Whether a UDP socket has the port; nobody tells who sends to one that has it. */
function isBound(port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  // A socket of IPv6 may take IPv4 too, as those of Java do.
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
