/** How UDP is done: by the kernel's own sockets where they can be had, otherwise by `node:dgram`. */

import { Descriptors } from '../shared/ledger/descriptors.js';
import type { UdpIo } from '../shared/ledger/layout.js';
import type { LedgerWriter } from '../shared/ledger/writer.js';
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
  /** Something is queued. */
  readonly onQueued: () => void;
}

/** Undefined for `node:dgram`. */
export function openKernelUdp(options: UdpIoOptions): KernelUdp | undefined {
  const { choice, writer, log } = options;
  const kernel = choice === 'dgram' ? undefined : tryKernelUdp(options);
  const io: UdpIo = kernel === undefined ? 'dgram' : 'kernel';
  writer.recordUdpIo(io);
  log({ level: 'info', event: 'udp_io', message: 'UDP sockets', fields: { io } });
  return kernel;
}

function tryKernelUdp(options: UdpIoOptions): KernelUdp | undefined {
  const { ledger, writer, now, log, onQueued } = options;
  const descriptors = new Descriptors(ledger);
  try {
    return new KernelUdp({
      ...{ libc: loadLibc(), now, onQueued },
      onDescriptor: (fd, isOpen) => {
        if (isOpen) descriptors.add(fd);
        else descriptors.remove(fd);
      },
      onDropped: (count) => writer.recordUdpDropped(count),
      onShortfall: shortfallLog(log),
    });
  } catch (error) {
    log({
      level: 'warn',
      event: 'udp_io_unavailable',
      message:
        'the UDP sockets of the kernel cannot be used: round-trip times include the delays of this process, and dscp is not applied to UDP',
      fields: { error: error instanceof Error ? error.message : String(error) },
    });
    return undefined;
  }
}

/** Each shortfall is logged once. */
function shortfallLog(log: (line: LogLine) => void): (shortfall: Shortfall) => void {
  const logged = new Set<string>();
  return ({ option, detail }) => {
    if (logged.has(option)) return;
    logged.add(option);
    const message = 'the kernel does not grant a UDP socket all that was asked for';
    log({ level: 'warn', event: 'udp_option_refused', message, fields: { option, detail } });
  };
}
