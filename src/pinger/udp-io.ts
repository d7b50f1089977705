/** Selects the UDP sockets: kernel sockets where they are available, otherwise `node:dgram`. */

import { Descriptors } from '../shared/ledger/descriptors.js';
import type { UdpIo } from '../shared/ledger/layout.js';
import type { LedgerWriter } from '../shared/ledger/writer.js';
import type { LogOnce } from '../shared/log-once.js';
import type { LogLine, UdpIoChoice } from '../shared/protocol.js';
import type { Shortfall } from './net/kernel-socket.js';
import { KernelUdp } from './net/kernel-udp.js';
import { loadLibc } from './net/libc.js';

export interface UdpIoOptions {
  readonly choice: UdpIoChoice;
  readonly ledger: SharedArrayBuffer;
  readonly writer: LedgerWriter;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
  readonly log: (line: LogLine) => void;
  readonly logOnce: LogOnce;
  /** The queue is not empty any more: call `flush`. */
  readonly onQueued: () => void;
}

/** Opens kernel UDP; undefined if `node:dgram` is used. */
export function openKernelUdp(options: UdpIoOptions): KernelUdp | undefined {
  const { choice, writer, log } = options;
  const kernel = choice === 'dgram' ? undefined : tryKernelUdp(options);
  const io: UdpIo = kernel === undefined ? 'dgram' : 'kernel';
  writer.recordUdpIo(io);
  log({ level: 'info', event: 'udp_io', message: 'UDP sockets', fields: { io } });
  return kernel;
}

function tryKernelUdp(options: UdpIoOptions): KernelUdp | undefined {
  const { ledger, writer, now, log, logOnce, onQueued } = options;
  try {
    return new KernelUdp({
      ...{ libc: loadLibc(), descriptors: new Descriptors(ledger), now, onQueued },
      onDropped: (count) => writer.recordUdpDropped(count),
      onErrorStorm: () => logOnce(ERROR_STORM),
      onShortfall: shortfallLog(logOnce),
    });
  } catch (error) {
    log({
      level: 'warn',
      event: 'udp_io_unavailable',
      message:
        'the UDP sockets of the kernel cannot be used: round-trip times include the delays of this process, and dscp and interface are not applied to UDP',
      fields: { error: error instanceof Error ? error.message : String(error) },
    });
    return undefined;
  }
}

const ERROR_STORM: LogLine = {
  level: 'warn',
  event: 'udp_error_storm',
  message:
    'too many ICMP errors arrive at a UDP socket, maybe forged; they are ignored for 10 s whenever that is so, and closed ports are timeouts meanwhile',
  fields: {},
};

/** What is lost without each option. */
const LOST = {
  IP_RECVERR:
    'the kernel does not report ICMP errors to UDP sockets: a closed port or an unreachable host is a timeout',
  SO_RXQ_OVFL:
    'the kernel does not count the datagrams that it drops: sip_keepalive_exporter_udp_dropped_total stays 0',
  IP_TOS: 'the kernel does not mark UDP packets: dscp is not applied to them',
} as const;

/** Who limits the size of each buffer. */
const LIMITS = { SO_RCVBUF: 'net.core.rmem_max', SO_SNDBUF: 'net.core.wmem_max' } as const;

/** Each shortfall is logged once. */
function shortfallLog(log: LogOnce): (shortfall: Shortfall) => void {
  return (shortfall) => {
    const { option } = shortfall;
    if ('code' in shortfall) {
      const fields = { option, error: shortfall.code };
      log(
        { level: 'warn', event: 'udp_option_refused', message: LOST[shortfall.option], fields },
        option,
      );
      return;
    }
    const { grantedBytes, requestedBytes } = shortfall;
    const sysctl = LIMITS[shortfall.option];
    const message = `a UDP socket got a smaller buffer than requested; above some thousand pings per second set ${sysctl}=${requestedBytes}`;
    const fields = { option, granted_bytes: grantedBytes, requested_bytes: requestedBytes };
    log({ level: 'info', event: 'udp_buffer_limited', message, fields }, option);
  };
}
