/** Every wire that there is, by its name. */

import type { PingSettings } from '../../shared/destination.js';
import type { Faults } from '../../shared/faults.js';
import type { TransportName } from '../../shared/outcome.js';
import type { LogLine } from '../../shared/protocol.js';
import type { DebugLog } from '../debug/debug-log.js';
import type { Clock } from '../time/clock.js';
import type { Pacer } from '../time/pacer.js';
import { ReliableTransport } from './connection.js';
import { dgramUdp } from './dgram-udp.js';
import { type DialListener, type DialOptions, dial, type Secure } from './dial.js';
import { KernelMedium, type KernelMediumOptions, type UdpSettings } from './kernel-medium.js';
import type { OpenChannel, Opening, OpeningListener } from './open-channel.js';
import { RateBound } from './rate-bound.js';
import { StreamChannel } from './stream.js';
import type { TlsContexts } from './tls-context.js';
import type { MessageHandler, Source, Transport } from './transport.js';
import { UdpTransport } from './udp.js';
import { upgrade, WebSocketChannel } from './websocket.js';

export interface WireOptions {
  readonly name: TransportName;
  readonly settings: PingSettings;
  readonly contexts: TlsContexts;
  /** Of TLS handshakes, over all wires. */
  readonly handshakes: Pacer;
  readonly clock: Clock;
  readonly onMessage: MessageHandler;
  readonly log: (line: LogLine) => void;
  readonly faults: Faults;
  readonly debug?: DebugLog;
  /** A target's pings go from another UDP port from now on. */
  readonly onUdpRebind: () => void;
  /** Undefined where UDP goes by `node:dgram`. */
  readonly kernelUdp: Omit<KernelMediumOptions, keyof UdpSettings> | undefined;
}

/** Opens the wire of this name for pings with these settings. */
export type OpenTransport = (
  name: TransportName,
  settings: PingSettings,
  onMessage: MessageHandler,
) => Transport;

/** The wires that are open. */
export class Transports {
  readonly #openTransport: OpenTransport;
  readonly #onMessage: (bytes: Uint8Array, from: Source, transport: TransportName) => boolean;
  readonly #open = new Map<string, Transport>();

  constructor(
    openTransport: OpenTransport,
    onMessage: (bytes: Uint8Array, from: Source, transport: TransportName) => boolean,
  ) {
    this.#openTransport = openTransport;
    this.#onMessage = onMessage;
  }

  /** The wire for these settings, opened when first needed. */
  of(name: TransportName, settings: PingSettings): Transport {
    const key = wireKey(name, settings);
    const open = this.#open.get(key);
    if (open !== undefined) return open;
    const transport = this.#openTransport(name, settings, (bytes, from) =>
      this.#onMessage(bytes, from, name),
    );
    this.#open.set(key, transport);
    return transport;
  }

  close(): void {
    for (const transport of this.#open.values()) transport.close();
    this.#open.clear();
  }
}

/** Destinations whose wires have the same key can share one. */
function wireKey(name: TransportName, settings: PingSettings): string {
  const { sourceAddress, sourcePort, dscp, connection, tls, wsPath, wsOrigin } = settings;
  const own = name === 'udp' ? [sourcePort, dscp] : [connection, dscp, tls, wsPath, wsOrigin];
  return JSON.stringify([name, sourceAddress, ...own]);
}

const DSCP_UNSUPPORTED: LogLine = {
  level: 'warn',
  event: 'udp_dscp_unsupported',
  message: 'dscp is not set on UDP packets: Node.js cannot, and udp.io kernel is not in use',
  fields: {},
};

function openUdp({ settings, onMessage, log, onUdpRebind, kernelUdp }: WireOptions): Transport {
  const { sourceAddress, sourcePort, dscp } = settings;
  const udp = { sourceAddress, sourcePort, onMessage, log, onRebind: onUdpRebind };
  if (kernelUdp === undefined) {
    if (dscp !== 0) log(DSCP_UNSUPPORTED);
    return dgramUdp(udp);
  }
  return new UdpTransport(udp, new KernelMedium({ ...udp, ...kernelUdp, dscp, interfaceName: '' }));
}

export function openTransport(options: WireOptions): Transport {
  const { name, settings, clock, onMessage, log, debug } = options;
  if (name === 'udp') return openUdp(options);
  const secure = name === 'tls' || name === 'wss' ? contextFor(options) : () => undefined;
  const isPersistent = settings.connection === 'persistent';
  const openChannel =
    name === 'ws' || name === 'wss' ? openWebSocket(options, secure) : openStream(options, secure);
  const edition = () => {
    try {
      return secure()?.context;
    } catch {
      return undefined;
    }
  };
  return new ReliableTransport({
    ...{ name, openChannel, isPersistent, onMessage, clock, log, edition },
    ...(debug === undefined ? {} : { debug }),
  });
}

/** The TLS to be spoken now. @throws Error when files that it needs are wrong. */
type SecureNow = () => Secure | undefined;

function contextFor({ settings, contexts }: WireOptions): SecureNow {
  return () => ({ settings: settings.tls, context: contexts.of(settings.tls) });
}

function openStream(options: WireOptions, secureNow: SecureNow): OpenChannel {
  const hasNoCertificate = options.settings.tls.certFile === '';
  return (asked) =>
    dialed(options, secureNow, asked, (socket) => {
      const bound = new RateBound(options.clock);
      asked.opening.opened(new StreamChannel(socket, asked.listener, bound, hasNoCertificate));
    });
}

function openWebSocket(options: WireOptions, secureNow: SecureNow): OpenChannel {
  const { name, settings, clock } = options;
  const isSecure = name === 'wss';
  const hasNoCertificate = settings.tls.certFile === '';
  return (asked) => {
    const { endpoint, opening, listener } = asked;
    let giveUp = () => {};
    const giveUpDial = dialed(options, secureNow, asked, (socket) => {
      opening.awaits('the upgrade to WebSocket');
      const bound = new RateBound(clock);
      const { wsPath: path, wsOrigin: origin } = settings;
      const wanted = { path, origin, isSecure, hasNoCertificate, bound };
      giveUp = upgrade(socket, endpoint, wanted, {
        opened: (ws) => opening.opened(new WebSocketChannel(ws, socket, listener, bound)),
        failed: (failure) => opening.failed(failure),
      });
    });
    return () => {
      giveUpDial();
      giveUp();
    };
  };
}

/** The time in the queue for a handshake is ours, and no part of the peer's. */
function dialed(
  options: WireOptions,
  secureNow: SecureNow,
  asked: Opening,
  opened: DialListener['opened'],
): () => void {
  const { opening, endpoint, isForOnce } = asked;
  let secure: Secure | undefined;
  try {
    secure = secureNow();
  } catch (error) {
    opening.failed({ reason: 'local', detail: error instanceof Error ? error.message : '' });
    return () => {};
  }
  if (secure === undefined) return dialNow(options, secure, opening, endpoint, opened);
  let giveUp = () => {};
  const stepOut = options.handshakes.begin(!isForOnce, () => {
    giveUp = dialNow(options, secure, opening, endpoint, opened);
  });
  return () => {
    stepOut();
    giveUp();
  };
}

function dialNow(
  { settings, clock, faults }: WireOptions,
  secure: Secure | undefined,
  opening: OpeningListener,
  endpoint: DialOptions['endpoint'],
  opened: DialListener['opened'],
): () => void {
  const { sourceAddress, dscp } = settings;
  opening.awaits('a connection');
  return dial(
    { endpoint, sourceAddress, dscp, secure, clock, faults },
    {
      connected: (phase, micros) => {
        if (phase === 'connect' && secure !== undefined) opening.awaits('the TLS handshake');
        opening.connected(phase, micros);
      },
      secured: (peer) => opening.secured(peer),
      opened,
      failed: (failure) => opening.failed(failure),
    },
  );
}
