/** Connections on loopback, and what is reported about them. */

import * as net from 'node:net';
import { dial, type TlsSession } from '../../src/pinger/transport/dial.js';
import { TlsContexts } from '../../src/pinger/transport/tls-context.js';
import type { Endpoint } from '../../src/pinger/transport/transport.js';
import type { TlsSettings } from '../../src/shared/destination.js';
import { Faults } from '../../src/shared/faults.js';
import { Files } from '../../src/shared/file-contents.js';
import type { TransportFailure } from '../../src/shared/outcome.js';
import type { LogLine } from '../../src/shared/protocol.js';
import type { TlsPeer } from '../../src/shared/tls-peer.js';
import { FakeClock } from './fake-clock.js';
import type { CleanUps } from './process.js';
import { settings } from './settings.js';

/** Duration of each step on the clock of a dial, milliseconds. */
export const CONNECT_MS = 5;
export const TLS_MS = 7;

export interface DialWish {
  readonly port: number;
  readonly address?: string;
  readonly family?: 4 | 6;
  readonly domain?: string;
  readonly sourceAddress?: string;
  readonly openSocket?: () => net.Socket;
  /** Undefined for TCP without TLS. */
  readonly tls?: TlsWish;
  /** Called when the connection is reported. */
  readonly opened?: (socket: net.Socket) => void;
}

export interface TlsWish extends Partial<Omit<TlsSettings, 'caFile' | 'certFile' | 'keyFile'>> {
  /** PEM, by setting. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface Dialed {
  /** `connect 5000`, `tls 7000`, `secured`, `opened` and `failed refused`, in their order. */
  readonly events: readonly string[];
  /** The certificates of the peers. */
  readonly peers: readonly TlsPeer[];
  readonly failures: readonly TransportFailure[];
  /** Internal errors. */
  readonly faults: readonly LogLine[];
  /** The open connection. */
  readonly socket: () => net.Socket | undefined;
  cancel(): void;
}

/** Dials on loopback. The connection is closed after the test. */
export function dialLoopback(
  t: CleanUps,
  { port, address = '127.0.0.1', family = 4, domain = address, ...wish }: DialWish,
): Dialed {
  const clock = new FakeClock();
  const events: string[] = [];
  const peers: TlsPeer[] = [];
  const failures: TransportFailure[] = [];
  const faults: LogLine[] = [];
  let open: net.Socket | undefined;
  const endpoint: Endpoint = { address, port, family, domain };
  const cancel = dial(
    {
      openSocket: wish.openSocket ?? (() => new net.Socket()),
      ...{ endpoint, sourceAddress: wish.sourceAddress ?? '', dscp: 0, clock },
      secure: wish.tls === undefined ? undefined : tlsSession(wish.tls),
      faults: new Faults({ now: () => 0, log: (line) => faults.push(line) }),
    },
    {
      connected: (phase, micros) => {
        events.push(`${phase} ${micros}`);
        queueMicrotask(() => clock.stall(TLS_MS));
      },
      secured: (peer) => {
        events.push('secured');
        peers.push(peer);
      },
      opened: (socket) => {
        events.push('opened');
        open = socket;
        wish.opened?.(socket);
      },
      failed: (failure) => {
        events.push(`failed ${failure.reason}`);
        failures.push(failure);
      },
    },
  );
  clock.stall(CONNECT_MS);
  t.after(() => {
    cancel();
    open?.destroy();
  });
  return { events, peers, failures, faults, socket: () => open, cancel };
}

function tlsSession({ ca, cert, key, ...rest }: TlsWish): TlsSession {
  const contents = { 'ca.pem': ca, 'cert.pem': cert, 'key.pem': key };
  const files = new Files();
  files.set(new Map(Object.entries(contents).map(([path, text]) => [path, text ?? ''])));
  const { tls } = settings({
    tls: {
      caFile: ca === undefined ? '' : 'ca.pem',
      certFile: cert === undefined ? '' : 'cert.pem',
      keyFile: key === undefined ? '' : 'key.pem',
      ...rest,
    },
  });
  return { settings: tls, context: new TlsContexts(files, () => {}).of(tls) };
}
