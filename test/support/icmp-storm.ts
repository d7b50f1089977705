/**
 * A thread that sends forged ICMP errors (port unreachable) to a local UDP port as fast as it can: each
 * is about a datagram from there to an address that nothing was sent to. Needs a network namespace.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { Arena } from '../../src/pinger/net/arena.js';
import { BATCH, Batch } from '../../src/pinger/net/batch.js';
import { AF_INET } from '../../src/pinger/net/layout.js';
import { loadLibc } from '../../src/pinger/net/libc.js';
import { sockaddrWords } from '../../src/pinger/net/sockaddr.js';

const SOCK_RAW = 3;
const IPPROTO_ICMP = 1;
const IPPROTO_UDP = 17;

const { port, forMs }: { readonly port: number; readonly forMs: number } = workerData;

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/** RFC 792: type 3, code 3, and the headers of the datagram that it is about. */
function portUnreachable(destination: readonly number[]): Buffer {
  const ip = Buffer.alloc(20);
  ip[0] = 0x45;
  ip.writeUInt16BE(28, 2);
  ip[8] = 64;
  ip[9] = IPPROTO_UDP;
  ip.set([127, 0, 0, 1], 12);
  ip.set(destination, 16);
  ip.writeUInt16BE(checksum(ip), 10);
  const udp = Buffer.alloc(8);
  udp.writeUInt16BE(port, 0);
  udp.writeUInt16BE(5060, 2);
  udp.writeUInt16BE(8, 4);
  const icmp = Buffer.concat([Buffer.from([3, 3, 0, 0, 0, 0, 0, 0]), ip, udp]);
  icmp.writeUInt16BE(checksum(icmp), 2);
  return icmp;
}

const libc = loadLibc();
const layout = { slotBytes: 64, controlBytes: 0 };
const batch = new Batch(new Arena(libc, Batch.bytes(layout)), layout);
const fd = libc.socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
if (fd < 0) throw new Error(`errno ${libc.errno()}`);
const to = sockaddrWords(4, '127.0.0.1', 0);
for (let i = 0; i < BATCH; i++) batch.fill(i, portUnreachable([127, 9, 9, i]), to);

const end = performance.now() + forMs;
let sent = 0;
while (performance.now() < end) sent += Math.max(libc.sendmmsg(fd, batch.headers(), BATCH, 0), 0);
libc.close(fd);
parentPort?.postMessage(sent);
