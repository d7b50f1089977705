/** UDP on loopback by either of its two ways, for tests that hold for both. */

import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { KernelUdp } from '../../src/pinger/net/kernel-udp.js';
import { LibcError, loadLibc } from '../../src/pinger/net/libc.js';
import { dgramUdp } from '../../src/pinger/transport/dgram-udp.js';
import { CarriersByPeer, KernelMedium } from '../../src/pinger/transport/kernel-medium.js';
import type {
  Flow,
  FlowListener,
  Source,
  Transport,
} from '../../src/pinger/transport/transport.js';
import { UdpTransport } from '../../src/pinger/transport/udp.js';
import type { LocalAddress } from '../../src/shared/address.js';
import { Descriptors } from '../../src/shared/ledger/descriptors.js';
import { createLedger } from '../../src/shared/ledger/layout.js';
import type { TransportFailure } from '../../src/shared/outcome.js';
import type { LogLine } from '../../src/shared/protocol.js';
import type { CleanUps } from './process.js';
import { turnsUntil } from './turns.js';

export const LOOPBACK = { 4: '127.0.0.1', 6: '::1' } as const;

export type Io = 'dgram' | 'kernel';

/** Kernel sockets must work on Linux; elsewhere their tests are skipped, and say so. */
export function skipOf(io: Io): { readonly skip: string | false } {
  if (io === 'dgram') return { skip: false };
  try {
    loadLibc();
    return { skip: false };
  } catch (error) {
    if (!(error instanceof LibcError) || process.platform === 'linux') throw error;
    return { skip: error.message };
  }
}

export interface UdpWish {
  readonly sourceAddress?: string;
  readonly sourcePort?: number;
  /** Called for each message, before it is recorded. */
  readonly onMessage?: (from: Source) => void;
}

export interface Message {
  readonly text: string;
  readonly address: string;
  readonly port: number;
  readonly arrivedAtMs: number | undefined;
}

/** One flow, and what its listener was given. */
export interface FlowRig {
  readonly flow: Flow;
  readonly locals: readonly LocalAddress[];
  readonly failures: readonly TransportFailure[];
  /** A ping of which only this is known at its end; returns the port that it was sent from. */
  ping(isAnswered: boolean | undefined): number;
}

/** A UDP transport. */
export class UdpRig {
  readonly transport: Transport;
  readonly messages: Message[] = [];
  readonly logged: LogLine[] = [];
  rebinds = 0;
  readonly #kernel: KernelUdp | undefined;

  constructor(
    t: CleanUps,
    io: Io,
    { sourceAddress = '', sourcePort = 0, onMessage }: UdpWish = {},
  ) {
    const options = {
      ...{ sourceAddress, sourcePort, interfaceName: '' },
      onMessage: (bytes: Uint8Array, from: Source) => {
        onMessage?.(from);
        const { address, port, arrivedAtMs } = from;
        this.messages.push({ text: Buffer.from(bytes).toString(), address, port, arrivedAtMs });
        return true;
      },
      log: (line: LogLine) => this.logged.push(line),
      onRebind: () => {
        this.rebinds++;
      },
    };
    this.#kernel = io === 'kernel' ? openKernel(t) : undefined;
    this.transport =
      this.#kernel === undefined
        ? dgramUdp(options)
        : new UdpTransport(
            options,
            new KernelMedium({
              ...{ ...options, udp: this.#kernel, carriers: new CarriersByPeer() },
              ...{ dscp: 0, onUnstamped: () => {} },
            }),
          );
    t.after(() => this.transport.close());
  }

  open(port: number, family: 4 | 6 = 4, isForOnce = false, address?: string): FlowRig {
    const locals: LocalAddress[] = [];
    const failures: TransportFailure[] = [];
    const unexpected = () => {
      throw new Error('UDP has no connections');
    };
    const listener: FlowListener = {
      ready: (local) => locals.push(local),
      failed: (failure) => failures.push(failure),
      ...{ waitingFor: unexpected, connectionLost: unexpected },
      ...{ connected: unexpected, secured: unexpected },
    };
    const host = address ?? LOOPBACK[family];
    const flow = this.transport.open(
      { address: host, port, family, domain: host },
      listener,
      isForOnce,
    );
    const ping = (isAnswered: boolean | undefined) => {
      flow.prepare();
      flow.send(Buffer.from('OPTIONS'));
      flow.pingEnded(isAnswered);
      return locals.at(-1)?.port ?? 0;
    };
    return { flow, locals, failures, ping };
  }

  /** Sends and reads, as the ping loop does, until `check` gives something. */
  until<T>(wanted: string, check: () => T | undefined | false): Promise<T> {
    return turnsUntil(wanted, check, () => {
      this.#kernel?.flush();
      this.#kernel?.drain();
    });
  }
}

function openKernel(t: CleanUps): KernelUdp {
  const kernel = new KernelUdp({
    libc: loadLibc(),
    now: () => performance.now(),
    ...{ onDropped: () => {}, onQueued: () => {}, onErrorStorm: () => {}, onShortfall: () => {} },
    descriptors: new Descriptors(createLedger()),
  });
  t.after(() => kernel.closeAll());
  return kernel;
}

/** The far end of UDP flows. */
export class UdpPeer {
  readonly socket: dgram.Socket;
  readonly received: Message[] = [];

  private constructor(socket: dgram.Socket) {
    this.socket = socket;
    socket.on('message', (bytes, { address, port }) => {
      this.received.push({ text: bytes.toString(), address, port, arrivedAtMs: undefined });
    });
  }

  static async start(t: CleanUps, family: 4 | 6 = 4): Promise<UdpPeer> {
    const socket = dgram.createSocket(family === 4 ? 'udp4' : 'udp6').bind(0, LOOPBACK[family]);
    t.after(() => socket.close());
    await once(socket, 'listening');
    return new UdpPeer(socket);
  }

  get port(): number {
    return this.socket.address().port;
  }

  send(text: string, port: number): void {
    const { family, address } = this.socket.address();
    this.socket.send(text, port, family === 'IPv4' ? LOOPBACK[4] : address);
  }
}

/** A port to which nothing is bound, and which the system gives to nobody until the test ends. */
export async function closedPort(
  t: CleanUps,
  family: 4 | 6,
): Promise<{ port: number; address: string }> {
  // Of IPv6 there is one loopback address only: the port is kept by the other family.
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.2');
  t.after(() => socket.close());
  await once(socket, 'listening');
  return { port: socket.address().port, address: family === 4 ? '127.0.0.3' : '::1' };
}
