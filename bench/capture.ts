/** A packet capture of the pings, and their round-trip times in it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { which } from './machine.js';
import type { Stage } from './stage.js';

/** pcap file header: nanosecond timestamps in the byte order of this machine. */
const MAGIC_NANOSECONDS = 0xa1b23c4d;
const FILE_HEADER = 24;
const RECORD_HEADER = 16;
/** Link types and the lengths of their headers: BSD loopback, Ethernet. */
const LINK_HEADER = new Map([
  [0, 4],
  [1, 14],
]);
const UDP_HEADER = 8;
const SNAPSHOT_BYTES = 600;

/** A ping in the capture. */
export interface WirePing {
  /** As in the label `address`. */
  readonly address: string;
  readonly answeredAtMs: number;
  readonly rttMicros: number;
}

const tcpdump = which('tcpdump');
export const canCapture = tcpdump !== undefined && process.getuid?.() === 0;

/** Captures the packets of a port during `act`. @throws when packets were lost. */
export async function captured<T>(
  stage: Stage,
  port: number,
  act: () => Promise<T>,
): Promise<{ readonly pings: readonly WirePing[]; readonly result: T }> {
  const file = join(stage.directory, 'pings.pcap');
  const flags = ['--time-stamp-precision=nano', '-B', '32768', '-s', String(SNAPSHOT_BYTES)];
  const filter = ['udp', 'port', String(port)];
  const command = [tcpdump ?? 'tcpdump', '-i', 'lo', '-Z', 'root', ...flags, '-w', file, ...filter];
  return stage.during(command, async (running) => {
    await stage.until('tcpdump', 5000, async () => running.errorOutput.includes('listening on'));
    const result = await act();
    await running.stop('SIGINT');
    const dropped = Number(/(\d+) packets? dropped by kernel/.exec(running.errorOutput)?.[1] ?? 0);
    if (dropped > 0) throw new Error(`tcpdump: expected every packet, lost ${dropped}`);
    return { pings: roundTrips(readFileSync(file)), result };
  });
}

/** Pairs requests and responses by branch; the first of each counts. */
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

/** The UDP packets of a capture file, IPv4 only. @throws when it has another format. */
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
