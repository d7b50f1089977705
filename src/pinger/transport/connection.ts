/**
 * SIP over connections (RFC 3261 18): one connection per target, kept between pings and reopened when it
 * closes, or one connection per ping.
 */

import type { Outcome, TransportFailure, TransportName } from '../../shared/outcome.js';
import type { LogLine } from '../../shared/protocol.js';
import type { TlsPeer } from '../../shared/tls-peer.js';
import type { DebugLog } from '../debug/debug-log.js';
import type { Clock } from '../time/clock.js';
import type { Channel, ChannelListener } from './channel.js';
import {
  addressLabel,
  type ConnectionChange,
  failureText,
  logConnection,
} from './connection-line.js';
import type { OpenChannel, OpeningListener } from './open-channel.js';
import { localIfAddressIsGone } from './own-address.js';
import type {
  Endpoint,
  Flow,
  FlowListener,
  MessageHandler,
  Source,
  Transport,
} from './transport.js';

export interface ReliableOptions {
  readonly name: TransportName;
  readonly debug?: DebugLog;
  readonly openChannel: OpenChannel;
  readonly isPersistent: boolean;
  readonly onMessage: MessageHandler;
  readonly clock: Clock;
  readonly log: (line: LogLine) => void;
  /** Undefined without TLS. A connection that was opened with an earlier context is replaced. */
  readonly currentTlsContext: () => unknown;
}

export class ReliableTransport implements Transport {
  readonly #options: ReliableOptions;

  constructor(options: ReliableOptions) {
    this.#options = options;
  }

  open(endpoint: Endpoint, listener: FlowListener, isForOnce: boolean): Flow {
    return new ReliableFlow({ ...this.#options, isForOnce }, endpoint, listener);
  }

  /** Each flow closes its own connection. */
  close(): void {}
}

/**
 * The connection is replaced after this time, or when the certificate expires, because the peer may have
 * a new certificate.
 */
const MAX_CERTIFICATE_AGE_MS = 3_600_000;

interface OpenConnection {
  readonly channel: Channel;
  readonly tlsContext: unknown;
  /** Wall clock, milliseconds since the epoch; infinite without TLS. */
  readonly usableUntilMs: number;
  /** A ping has been completed over it. */
  hasCarriedPing: boolean;
}

interface FlowOptions extends ReliableOptions {
  readonly isForOnce: boolean;
}

class ReliableFlow implements Flow {
  readonly isReliable = true;
  readonly #options: FlowOptions;
  readonly #endpoint: Endpoint;
  readonly #listener: FlowListener;
  #open: OpenConnection | undefined;
  #cancelOpening: (() => void) | undefined;
  #isPinging = false;
  /** Number of the current connection; events of earlier connections are ignored. */
  #attempt = 0;
  /** Whether the error of an idle connection has been logged, which happens once. */
  #isErrorLogged = false;
  /** Local address of the last connection; empty before the first. */
  #localAddress = '';
  /** Whether anything was received since the ping began. */
  #hasReceived = false;

  constructor(options: FlowOptions, endpoint: Endpoint, listener: FlowListener) {
    this.#options = options;
    this.#endpoint = endpoint;
    this.#listener = listener;
  }

  prepare(): void {
    this.#isPinging = true;
    this.#hasReceived = false;
    if (this.#open !== undefined && !this.#isUsable(this.#open)) {
      this.#disconnect(true, 'TLS files changed, or the certificate is due for another check');
    }
    if (this.#open === undefined) this.#connect();
    else this.#listener.ready(this.#open.channel.local);
  }

  send(message: Uint8Array): void {
    this.#open?.channel.send(message);
  }

  resend(message: Uint8Array): void {
    this.send(message);
  }

  /** A connection without a response to the ping may be dead, so it is closed. */
  pingEnded(isAnswered: boolean | undefined): void {
    this.#isPinging = false;
    // A pending connection belongs to the ping that has ended; the next ping opens its own.
    if (isAnswered === false || this.#open === undefined) {
      this.#disconnect(false, 'a ping was not answered');
    } else if (this.#options.isForOnce || !this.#options.isPersistent) {
      this.#disconnect(true, 'it is for one ping only');
    } else this.#open.hasCarriedPing = true;
  }

  explain(outcome: Outcome): Outcome {
    const explained = localIfAddressIsGone(outcome, this.#localAddress);
    const isCut = explained.kind === 'failed' && this.#open?.channel.isWithinMessage === true;
    if (!isCut || explained.reason !== 'timeout') return explained;
    return { detail: 'only a part of the response was received', ...explained };
  }

  close(): void {
    this.#isPinging = false;
    this.#disconnect(true, 'the target is not pinged any more, or its settings changed');
  }

  #connect(): void {
    let peer: TlsPeer | undefined;
    const attempt = ++this.#attempt;
    const tlsContext = this.#options.currentTlsContext();
    const opening: OpeningListener = {
      waitingFor: (what) => this.#listener.waitingFor(what),
      connected: (phase, micros) => this.#listener.connected(phase, micros),
      secured: (peerShown) => {
        peer = peerShown;
        this.#listener.secured(peerShown);
      },
      opened: (channel) => {
        if (attempt !== this.#attempt) {
          channel.destroy();
          return;
        }
        this.#cancelOpening = undefined;
        const usableUntilMs = this.#usableUntilMs(peer);
        this.#open = { channel, tlsContext, usableUntilMs, hasCarriedPing: false };
        this.#localAddress = channel.local.address;
        this.#logConnection('opened', { local: addressLabel(channel.local) });
        if (this.#isPinging) this.#listener.ready(channel.local);
      },
      failed: (failure) => {
        if (attempt !== this.#attempt) return;
        this.#cancelOpening = undefined;
        this.#logConnection('failed', { why: failureText(failure) });
        if (this.#isPinging) this.#listener.failed(failure);
      },
    };
    const { isForOnce } = this.#options;
    const cancel = this.#options.openChannel({
      endpoint: this.#endpoint,
      isForOnce,
      opening,
      listener: this.#channelListener(attempt),
    });
    // `openChannel` may have called `failed` before it returned.
    if (attempt === this.#attempt && this.#open === undefined) this.#cancelOpening = cancel;
  }

  #channelListener(attempt: number): ChannelListener {
    const { address, port } = this.#endpoint;
    const source: Source = {
      address,
      port,
      isConnection: true,
      answer: (message) => this.#open?.channel.send(message),
    };
    return {
      active: () => {
        this.#hasReceived = true;
      },
      received: (message) => this.#options.onMessage(message, source),
      closed: (failure) => {
        if (attempt === this.#attempt) this.#closed(failure);
      },
    };
  }

  #closed(failure: TransportFailure): void {
    const hasServed = this.#open?.hasCarriedPing === true;
    this.#open = undefined;
    this.#attempt++;
    this.#logConnection('closed', { why: failureText(failure) });
    if (!this.#isPinging) {
      if (failure.reason === 'malformed') this.#logIdleError(failure);
      return;
    }
    // A peer may close an idle connection while a ping is on its way.
    if (hasServed && !this.#hasReceived && failure.reason === 'reset')
      this.#listener.connectionLost();
    else this.#listener.failed(failure);
  }

  #isUsable({ tlsContext, usableUntilMs }: OpenConnection): boolean {
    const { clock } = this.#options;
    return tlsContext === this.#options.currentTlsContext() && clock.epoch() < usableUntilMs;
  }

  #usableUntilMs(peer: TlsPeer | undefined): number {
    if (peer === undefined) return Number.POSITIVE_INFINITY;
    const now = this.#options.clock.epoch();
    // A verified chain may contain an expired certificate, because another path is valid.
    const willExpire = peer.isVerified && peer.chainNotAfterMs > now;
    return Math.min(now + MAX_CERTIFICATE_AGE_MS, willExpire ? peer.chainNotAfterMs : Infinity);
  }

  /** Logs the error of an idle connection, which no ping reports. */
  #logIdleError({ detail = '' }: TransportFailure): void {
    if (this.#isErrorLogged) return;
    this.#isErrorLogged = true;
    this.#options.log({
      level: 'warn',
      event: 'idle_connection_closed',
      message: 'idle connection closed; the next ping opens a new one',
      fields: { address: addressLabel(this.#endpoint), error: detail },
    });
  }

  #logConnection(change: ConnectionChange, fields: LogLine['fields']): void {
    const { debug, name } = this.#options;
    if (debug?.isOn === true) logConnection(debug, change, name, this.#endpoint, fields);
  }

  /** @param isGraceful false for a connection that seems dead. */
  #disconnect(isGraceful: boolean, why: string): void {
    this.#attempt++;
    if (this.#open !== undefined) this.#logConnection('closed', { why });
    else if (this.#cancelOpening !== undefined) this.#logConnection('failed', { why });
    this.#cancelOpening?.();
    this.#cancelOpening = undefined;
    const open = this.#open;
    this.#open = undefined;
    if (isGraceful) open?.channel.end();
    else open?.channel.destroy();
  }
}
