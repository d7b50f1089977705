/** Opens each transport by its name, and keeps those that are open. */

import type { PingSettings } from '../../shared/destination.js';
import type { Faults } from '../../shared/faults.js';
import type { TransportName } from '../../shared/outcome.js';
import type { LogLine } from '../../shared/protocol.js';
import type { DebugLog } from '../debug/debug-log.js';
import type { Clock } from '../time/clock.js';
import type { Pacer } from '../time/pacer.js';
import { ReliableTransport } from './connection.js';
import { dgramUdp } from './dgram-udp.js';
import { type DialListener, type DialOptions, dial, type TlsSession } from './dial.js';
import { KernelMedium, type KernelMediumOptions, type UdpSettings } from './kernel-medium.js';
import type { ChannelRequest, OpenChannel, OpeningListener } from './open-channel.js';
import { RateLimit } from './rate-limit.js';
import { StreamChannel } from './stream.js';
import type { TlsContexts } from './tls-context.js';
import type { MessageHandler, Source, Transport } from './transport.js';
import { UdpTransport } from './udp.js';
import { upgrade, WebSocketChannel } from './websocket.js';

export interface TransportOptions {
  readonly name: TransportName;
  readonly settings: PingSettings;
  readonly contexts: TlsContexts;
  /** Spaces out the TLS handshakes of all transports. */
  readonly handshakes: Pacer;
  readonly clock: Clock;
  readonly onMessage: MessageHandler;
  readonly log: (line: LogLine) => void;
  readonly faults: Faults;
  readonly debug?: DebugLog;
  /** The pings of a target have moved to another UDP port. */
  readonly onUdpRebind: () => void;
  /** Undefined where UDP goes by `node:dgram`. */
  readonly kernelUdp: Omit<KernelMediumOptions, keyof UdpSettings> | undefined;
}

/** Opens a transport for pings with these settings. */
export type OpenTransport = (
  name: TransportName,
  settings: PingSettings,
  onMessage: MessageHandler,
) => Transport;

/** The open transports. */
export class Transports {
  readonly #openTransport: OpenTransport;
  readonly #onMessage: (bytes: Uint8Array, from: Source, transport: TransportName) => boolean;
  readonly #marksUdp: boolean;
  readonly #open = new Map<string, Transport>();

  /** @param marksUdp UDP sockets carry `dscp`, so destinations that differ in it do not share one. */
  constructor(
    openTransport: OpenTransport,
    onMessage: (bytes: Uint8Array, from: Source, transport: TransportName) => boolean,
    marksUdp: boolean,
  ) {
    this.#marksUdp = marksUdp;
    this.#openTransport = openTransport;
    this.#onMessage = onMessage;
  }

  /** The transport for these settings, opened when first used. */
  of(name: TransportName, settings: PingSettings): Transport {
    const key = transportKey(name, settings, this.#marksUdp);
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

/** Destinations with the same key share a transport. */
function transportKey(name: TransportName, settings: PingSettings, marksUdp: boolean): string {
  const { sourceAddress, sourcePort, dscp, connection, tls, wsPath, wsOrigin } = settings;
  const own =
    name === 'udp' ? [sourcePort, marksUdp && dscp] : [connection, dscp, tls, wsPath, wsOrigin];
  return JSON.stringify([name, sourceAddress, ...own]);
}

const DSCP_UNSUPPORTED: LogLine = {
  level: 'warn',
  event: 'udp_dscp_unsupported',
  message: 'dscp is not set on UDP packets: Node.js cannot, and udp.io kernel is not in use',
  fields: {},
};

function openUdp({
  settings,
  onMessage,
  log,
  onUdpRebind,
  kernelUdp,
}: TransportOptions): Transport {
  const { sourceAddress, sourcePort, dscp } = settings;
  const udp = { sourceAddress, sourcePort, onMessage, log, onRebind: onUdpRebind };
  if (kernelUdp === undefined) {
    if (dscp !== 0) log(DSCP_UNSUPPORTED);
    return dgramUdp(udp);
  }
  return new UdpTransport(udp, new KernelMedium({ ...udp, ...kernelUdp, dscp, interfaceName: '' }));
}

export function openTransport(options: TransportOptions): Transport {
  switch (options.name) {
    case 'udp':
      return openUdp(options);
    case 'tcp':
      return openReliable(options, openStream, () => undefined);
    case 'tls':
      return openReliable(options, openStream, contextFor(options));
    case 'ws':
      return openReliable(options, openWebSocket, () => undefined);
    case 'wss':
      return openReliable(options, openWebSocket, contextFor(options));
    default:
      return options.name satisfies never;
  }
}

function openReliable(
  options: TransportOptions,
  open: (options: TransportOptions, currentTls: CurrentTls) => OpenChannel,
  currentTls: CurrentTls,
): Transport {
  const { name, settings, clock, onMessage, log, debug } = options;
  const openChannel = open(options, currentTls);
  const isPersistent = settings.connection === 'persistent';
  const currentTlsContext = () => {
    try {
      return currentTls()?.context;
    } catch {
      return undefined;
    }
  };
  return new ReliableTransport({
    ...{ name, openChannel, isPersistent, onMessage, clock, log, currentTlsContext },
    ...(debug === undefined ? {} : { debug }),
  });
}

/** TLS as the files have it now; undefined without TLS. @throws Error when a file is invalid. */
type CurrentTls = () => TlsSession | undefined;

function contextFor({ settings, contexts }: TransportOptions): CurrentTls {
  return () => ({ settings: settings.tls, context: contexts.of(settings.tls) });
}

function openStream(options: TransportOptions, currentTls: CurrentTls): OpenChannel {
  const hasNoCertificate = options.settings.tls.certFile === '';
  return (request) =>
    dialInTurn(options, currentTls, request, (socket) => {
      const rateLimit = new RateLimit(options.clock);
      request.opening.opened(
        new StreamChannel(socket, request.listener, rateLimit, hasNoCertificate),
      );
    });
}

function openWebSocket(options: TransportOptions, currentTls: CurrentTls): OpenChannel {
  const { name, settings, clock } = options;
  const isSecure = name === 'wss';
  const hasNoCertificate = settings.tls.certFile === '';
  return (request) => {
    const { endpoint, opening, listener } = request;
    let cancel = () => {};
    const cancelDial = dialInTurn(options, currentTls, request, (socket) => {
      opening.waitingFor('the upgrade to WebSocket');
      const rateLimit = new RateLimit(clock);
      const { wsPath: path, wsOrigin: origin } = settings;
      const upgradeOptions = { path, origin, isSecure, hasNoCertificate, rateLimit };
      cancel = upgrade(socket, endpoint, upgradeOptions, {
        opened: (ws) => opening.opened(new WebSocketChannel(ws, socket, listener, rateLimit)),
        failed: (failure) => opening.failed(failure),
      });
    });
    return () => {
      cancelDial();
      cancel();
    };
  };
}

/** Waits for a turn to shake hands: that wait is not part of the peer's time. */
function dialInTurn(
  options: TransportOptions,
  currentTls: CurrentTls,
  request: ChannelRequest,
  opened: DialListener['opened'],
): () => void {
  const { opening, endpoint, isForOnce } = request;
  let secure: TlsSession | undefined;
  try {
    secure = currentTls();
  } catch (error) {
    opening.failed({ reason: 'local', detail: error instanceof Error ? error.message : '' });
    return () => {};
  }
  if (secure === undefined) return dialNow(options, secure, opening, endpoint, opened);
  let cancel = () => {};
  const leaveQueue = options.handshakes.enqueue(!isForOnce, () => {
    cancel = dialNow(options, secure, opening, endpoint, opened);
  });
  return () => {
    leaveQueue();
    cancel();
  };
}

function dialNow(
  { settings, clock, faults }: TransportOptions,
  secure: TlsSession | undefined,
  opening: OpeningListener,
  endpoint: DialOptions['endpoint'],
  opened: DialListener['opened'],
): () => void {
  const { sourceAddress, dscp } = settings;
  opening.waitingFor('a connection');
  return dial(
    { endpoint, sourceAddress, dscp, secure, clock, faults },
    {
      connected: (phase, micros) => {
        if (phase === 'connect' && secure !== undefined) opening.waitingFor('the TLS handshake');
        opening.connected(phase, micros);
      },
      secured: (peer) => opening.secured(peer),
      opened,
      failed: (failure) => opening.failed(failure),
    },
  );
}
