/** A packet socket: what leaves and arrives, as the kernel has it. Needs a network namespace. */

import type { TestContext } from 'node:test';
import { Arena } from '../../src/pinger/net/arena.js';
import { BATCH, Batch } from '../../src/pinger/net/batch.js';
import { MSG_DONTWAIT, SOCK_DGRAM } from '../../src/pinger/net/layout.js';
import { loadLibc } from '../../src/pinger/net/libc.js';

const AF_PACKET = 17;
/** ETH_P_ALL, in the byte order of the network. */
const EVERY_PROTOCOL = 0x0300;
const IPPROTO_UDP = 17;
const LAYOUT = { slotBytes: 2048, controlBytes: 0 };

export interface CapturedDatagram {
  readonly destinationPort: number;
  /** The TOS of IPv4 or the traffic class of IPv6. */
  readonly trafficClass: number;
}

/** Returns a function that gives the UDP datagrams since its last call. */
export function startCapture(t: Pick<TestContext, 'after'>): () => readonly CapturedDatagram[] {
  const libc = loadLibc();
  const fd = libc.socket(AF_PACKET, SOCK_DGRAM, EVERY_PROTOCOL);
  if (fd < 0) throw new Error(`socket: errno ${libc.errno()}`);
  t.after(() => libc.close(fd));
  const batch = new Batch(new Arena(libc, Batch.bytes(LAYOUT)), LAYOUT);
  return () => {
    const datagrams: CapturedDatagram[] = [];
    for (let count = BATCH; count === BATCH; ) {
      batch.clear();
      count = libc.recvmmsg(fd, batch.headers(), BATCH, MSG_DONTWAIT, null);
      for (let i = 0; i < count; i++) datagrams.push(...datagramIn(batch.message(i)));
    }
    return datagrams;
  };
}

/** @param packet from its IP header on. */
function datagramIn(packet: Buffer): readonly CapturedDatagram[] {
  const [first = 0, second = 0] = packet;
  const isIpv6 = first >> 4 === 6;
  if (packet[isIpv6 ? 6 : 9] !== IPPROTO_UDP) return [];
  const headerBytes = isIpv6 ? 40 : 4 * (first & 15);
  const trafficClass = isIpv6 ? ((first & 15) << 4) | (second >> 4) : second;
  return [{ destinationPort: packet.readUInt16BE(headerBytes + 2), trafficClass }];
}
