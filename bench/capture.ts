/** A packet capture of the pings, and what it says of their round trips. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { which } from './machine.js';
import type { Stage } from './stage.js';

/** pcap file header: nanosecond time stamps, written by a machine of our byte order. */
const MAGIC_NANOSECONDS = 0xa1b23c4d;
const FILE_HEADER = 24;
const RECORD_HEADER = 16;
/** Link types, and how long their headers are: loopback of BSD, and Ethernet. */
const LINK_HEADER = new Map([
  [0, 4],
  [1, 14],
]);
const UDP_HEADER = 8;
const BYTES_OF_A_MESSAGE = 600;

/** A ping as the wire saw it. */
export interface WirePing {
  /** As in the label `address`. */
  readonly address: string;
  readonly answeredAtMs: number;
  readonly rttMicros: number;
}

const tcpdump = which('tcpdump');
export const canCapture = tcpdump !== undefined && process.getuid?.() === 0;

/** Captures what goes to and from the port while something goes on. @throws when packets were lost. */
export async function captured<T>(
  stage: Stage,
  port: number,
  goesOn: () => Promise<T>,
): Promise<{ readonly transport: readonly WirePing[]; readonly seen: T }> {
  const file = join(stage.directory, 'pings.pcap');
  const flags = ['--time-stamp-precision=nano', '-B', '32768', '-s', String(BYTES_OF_A_MESSAGE)];
  const filter = ['udp', 'port', String(port)];
  const command = [tcpdump ?? 'tcpdump', '-i', 'lo', '-Z', 'root', ...flags, '-w', file, ...filter];
  return stage.during(command, async (running) => {
    await stage.until('tcpdump', 5000, async () => running.complaints.includes('listening on'));
    const seen = await goesOn();
    await running.stop('SIGINT');
    const dropped = Number(/(\d+) packets? dropped by kernel/.exec(running.complaints)?.[1] ?? 0);
    if (dropped > 0) throw new Error(`tcpdump: expected every packet, lost ${dropped}`);
    return { transport: roundTrips(readFileSync(file)), seen };
  });
}

/** Pairs requests and responses by their branch; the first of each counts. */
export function roundTrips(pcap: Buffer): readonly WirePing[] {
  const requests = new Map<string, { readonly address: string; readonly atNanos: bigint }>();
  const pings: WirePing[] = [];
  for (const { atNanos, destination, message } of packets(pcap)) {
    const branch = /branch=([^;,\s]+)/.exec(message)?.[1];
    if (branch === undefined) continue;
    if (!message.startsWith('SIP/2.0')) {
      if (!requests.has(branch)) requests.set(branch, { address: destination, atNanos });
      continue;
    }
    const request = requests.get(branch);
    if (request === undefined) continue;
    requests.delete(branch);
    const rttMicros = Number(atNanos - request.atNanos) / 1000;
    pings.push({
      address: request.address,
      answeredAtMs: Number(atNanos / 1000n) / 1000,
      rttMicros,
    });
  }
  return pings;
}

interface Packet {
  readonly atNanos: bigint;
  readonly destination: string;
  readonly message: string;
}

/** The UDP packets of a capture file, IPv4 only. @throws when it is not such a file. */
function* packets(pcap: Buffer): Generator<Packet, void, undefined> {
  const linkHeader = LINK_HEADER.get(pcap.readUInt32LE(20));
  if (pcap.readUInt32LE(0) !== MAGIC_NANOSECONDS || linkHeader === undefined) {
    throw new Error('expected a pcap file of Ethernet or loopback with nanoseconds');
  }
  for (let at = FILE_HEADER; at + RECORD_HEADER <= pcap.length; ) {
    const seconds = pcap.readUInt32LE(at);
    const nanos = pcap.readUInt32LE(at + 4);
    const next = at + RECORD_HEADER + pcap.readUInt32LE(at + 8);
    const ip = at + RECORD_HEADER + linkHeader;
    const udp = ip + 4 * ((pcap[ip] ?? 0) & 15);
    const host = pcap.subarray(ip + 16, ip + 20).join('.');
    yield {
      atNanos: BigInt(seconds) * 1_000_000_000n + BigInt(nanos),
      destination: `${host}:${pcap.readUInt16BE(udp + 2)}`,
      message: pcap.toString('latin1', udp + UDP_HEADER, next),
    };
    at = next;
  }
}
