/** Where the processes of this container listen, from the lists of the Linux kernel (proc(5)). */

import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { ListenAddress } from '../shared/listen-address.js';

/** The state TCP_LISTEN in `net/tcp`, and the flag __SO_ACCEPTCON in `net/unix`. */
const TCP_LISTEN = '0A';
const ACCEPTS = '00010000';

/**
 * The listening sockets of every process that has the files of this one (its mount namespace) and whose
 * sockets it may see. An address that stands for all addresses is an empty host.
 *
 * @param proc where procfs is mounted.
 */
export function listeningSockets(proc = '/proc'): readonly ListenAddress[] {
  const files = readlinkSync(join(proc, 'self/ns/mnt'));
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => join(proc, pid))
    .flatMap((folder) => {
      try {
        return readlinkSync(join(folder, 'ns/mnt')) === files ? socketsOf(folder) : [];
      } catch {
        // It has ended, or belongs to another user.
        return [];
      }
    });
}

function socketsOf(folder: string): readonly ListenAddress[] {
  const inodes = new Set(
    readdirSync(join(folder, 'fd')).map((fd) => inodeOf(join(folder, 'fd', fd))),
  );
  const lines = (list: string) => linesOf(join(folder, 'net', list));
  const tcp = [...lines('tcp'), ...lines('tcp6')]
    .filter(([, , , state, , , , , , inode = '']) => state === TCP_LISTEN && inodes.has(inode))
    .map(([, local = '']) => tcpAddress(local));
  const unix = lines('unix')
    .filter(([, , , flags, , , inode = '']) => flags === ACCEPTS && inodes.has(inode))
    .map((columns) => ({ kind: 'unix' as const, path: columns.slice(7).join(' ') }));
  return [...tcp, ...unix];
}

/** The columns of each line below the title. A kernel without IPv6 has no `tcp6`. */
function linesOf(file: string): readonly (readonly string[])[] {
  if (!existsSync(file)) return [];
  const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => line.trim().split(/\s+/));
}

/** The inode of a socket; empty for any other file, and for one that is closed by now. */
function inodeOf(fd: string): string {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(fd))?.[1] ?? '';
  } catch {
    return '';
  }
}

/** From `0100007F:274C`: words of four bytes, each with its last byte first, and a port. */
function tcpAddress(local: string): ListenAddress {
  const [address = '', port = ''] = local.split(':');
  const words = address.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => [...Buffer.from(word, 'hex').reverse()]);
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  const host = bytes.length === 4 ? bytes.join('.') : groups.join(':');
  const isAny = bytes.every((byte) => byte === 0);
  return { kind: 'tcp', host: isAny ? '' : host, port: Number.parseInt(port, 16) };
}
