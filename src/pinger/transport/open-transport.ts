/** Opens each transport by its name. */

import * as net from 'node:net';
import type { PingSettings } from '../../shared/destination.js';
import type { Faults } from '../../shared/faults.js';
import type { TransportName } from '../../shared/outcome.js';
import type { LogLine } from '../../shared/protocol.js';
import type { DebugLog } from '../debug/debug-log.js';
import type { Libc } from '../net/libc.js';
import { socketOnInterface } from '../net/tcp.js';
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
import type { MessageHandler, Transport } from './transport.js';
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
  /** Binds connections to an interface; undefined where UDP goes by `node:dgram`. */
  readonly libc: Libc | undefined;
}

function openUdp({
  settings,
  onMessage,
  log,
  onUdpRebind,
  kernelUdp,
}: TransportOptions): Transport {
  const { sourceAddress, sourcePort, dscp, interfaceName } = settings;
  const udp = { sourceAddress, sourcePort, interfaceName, onMessage, log, onRebind: onUdpRebind };
  if (kernelUdp === undefined) return dgramUdp(udp);
  return new UdpTransport(udp, new KernelMedium({ ...udp, ...kernelUdp, dscp }));
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
  { settings, clock, faults, libc }: TransportOptions,
  secure: TlsSession | undefined,
  opening: OpeningListener,
  endpoint: DialOptions['endpoint'],
  opened: DialListener['opened'],
): () => void {
  const { sourceAddress, dscp, interfaceName } = settings;
  const isBound = libc !== undefined && interfaceName !== '';
  const openSocket = () =>
    isBound ? socketOnInterface(libc, endpoint.family, interfaceName) : new net.Socket();
  opening.waitingFor('a connection');
  return dial(
    { endpoint, openSocket, sourceAddress, dscp, secure, clock, faults },
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
