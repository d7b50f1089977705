/**
 * SIP over connections (RFC 3261 18): one for each target, kept from ping to ping and opened again
 * when it closed, or one for each ping.
 */

import type { Outcome, TransportFailure, TransportName } from '../../shared/outcome.js';
import type { LogLine } from '../../shared/protocol.js';
import type { TlsPeer } from '../../shared/tls-peer.js';
import type { DebugLog } from '../debug/debug-log.js';
import type { Clock } from '../time/clock.js';
import type { Channel, ChannelListener } from './channel.js';
import { addressLabel, type ConnectionChange, logConnection, whyOf } from './connection-line.js';
import type { OpenChannel, OpeningListener } from './open-channel.js';
import { unlessOurAddressIsGone } from './own-address.js';
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
  /** Changes when connections made by then are not to be used any more. */
  readonly edition: () => unknown;
}

export class ReliableTransport implements Transport {
  readonly #options: ReliableOptions;

  constructor(options: ReliableOptions) {
    this.#options = options;
  }

  open(endpoint: Endpoint, listener: FlowListener, isForOnce: boolean): Flow {
    return new ReliableFlow({ ...this.#options, isForOnce }, endpoint, listener);
  }

  /** Every flow closes its own connection. */
  close(): void {}
}

/**
 * How long a certificate that was seen is believed to be the one that a new connection would see:
 * after that, and when it expires, a connection is made anew.
 */
const BELIEVED_MS = 3_600_000;

/** A connection that is open. */
interface Open {
  readonly channel: Channel;
  readonly edition: unknown;
  /** Wall clock; infinite without TLS. */
  readonly believedUntilMs: number;
  /** It has carried a ping from its beginning to its end. */
  hasServed: boolean;
}

interface FlowOptions extends ReliableOptions {
  readonly isForOnce: boolean;
}

class ReliableFlow implements Flow {
  readonly isReliable = true;
  readonly #options: FlowOptions;
  readonly #endpoint: Endpoint;
  readonly #listener: FlowListener;
  #open: Open | undefined;
  #giveUp: (() => void) | undefined;
  #isPinging = false;
  /** Which connection is the present one; others have nothing to say. */
  #attempt = 0;
  /** It is logged that the peer broke a connection that was idle. */
  #isFaultLogged = false;
  /** Our address on the last connection; empty before the first. */
  #ownAddress = '';
  /** Something came since the ping began. */
  #hasHeard = false;

  constructor(options: FlowOptions, endpoint: Endpoint, listener: FlowListener) {
    this.#options = options;
    this.#endpoint = endpoint;
    this.#listener = listener;
  }

  prepare(): void {
    this.#isPinging = true;
    this.#hasHeard = false;
    if (this.#open !== undefined && !this.#isFit(this.#open)) {
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

  /** A connection on which a ping went unanswered may be dead, and the kernel not know it. */
  rest(isAnswered: boolean | undefined): void {
    this.#isPinging = false;
    // One that is still coming about is for the ping that has ended; the next makes its own.
    if (isAnswered === false || this.#open === undefined) {
      this.#disconnect(false, 'a ping was not answered');
    } else if (this.#options.isForOnce || !this.#options.isPersistent) {
      this.#disconnect(true, 'it serves one ping');
    } else this.#open.hasServed = true;
  }

  explain(outcome: Outcome): Outcome {
    const told = unlessOurAddressIsGone(outcome, this.#ownAddress);
    const isCut = told.kind === 'failed' && this.#open?.channel.isWithinMessage === true;
    if (!isCut || told.reason !== 'timeout') return told;
    return { detail: 'an answer began to come, and its end did not', ...told };
  }

  close(): void {
    this.#isPinging = false;
    this.#disconnect(true, 'the target is not pinged any more, or its settings changed');
  }

  #connect(): void {
    let peer: TlsPeer | undefined;
    const attempt = ++this.#attempt;
    const edition = this.#options.edition();
    const opening: OpeningListener = {
      awaits: (what) => this.#listener.awaits(what),
      connected: (phase, micros) => this.#listener.connected(phase, micros),
      secured: (shown) => {
        peer = shown;
        this.#listener.secured(shown);
      },
      opened: (channel) => {
        if (attempt !== this.#attempt) {
          channel.destroy();
          return;
        }
        this.#giveUp = undefined;
        const believedUntilMs = this.#believedUntil(peer);
        this.#open = { channel, edition, believedUntilMs, hasServed: false };
        this.#ownAddress = channel.local.address;
        this.#logConnection('opened', { local: addressLabel(channel.local) });
        if (this.#isPinging) this.#listener.ready(channel.local);
      },
      failed: (failure) => {
        if (attempt !== this.#attempt) return;
        this.#giveUp = undefined;
        this.#logConnection('failed', { why: whyOf(failure) });
        if (this.#isPinging) this.#listener.failed(failure);
      },
    };
    const { isForOnce } = this.#options;
    const giveUp = this.#options.openChannel({
      endpoint: this.#endpoint,
      isForOnce,
      opening,
      listener: this.#channelUser(attempt),
    });
    // It may have failed at once.
    if (attempt === this.#attempt && this.#open === undefined) this.#giveUp = giveUp;
  }

  #channelUser(attempt: number): ChannelListener {
    const { address, port } = this.#endpoint;
    const source: Source = {
      address,
      port,
      isConnection: true,
      answer: (message) => this.#open?.channel.send(message),
    };
    return {
      heard: () => {
        this.#hasHeard = true;
      },
      received: (message) => void this.#options.onMessage(message, source),
      ended: (failure) => {
        if (attempt === this.#attempt) this.#ended(failure);
      },
    };
  }

  #ended(failure: TransportFailure): void {
    const hasServed = this.#open?.hasServed === true;
    this.#open = undefined;
    this.#attempt++;
    this.#logConnection('closed', { why: whyOf(failure) });
    if (!this.#isPinging) {
      if (failure.reason === 'malformed') this.#logFault(failure);
      return;
    }
    // A peer that closes a connection for being idle may do so just as the ping is on its way.
    if (hasServed && !this.#hasHeard && failure.reason === 'reset') this.#listener.lost();
    else this.#listener.failed(failure);
  }

  #isFit({ edition, believedUntilMs }: Open): boolean {
    const { clock } = this.#options;
    return edition === this.#options.edition() && clock.epoch() < believedUntilMs;
  }

  #believedUntil(peer: TlsPeer | undefined): number {
    if (peer === undefined) return Number.POSITIVE_INFINITY;
    const now = this.#options.clock.epoch();
    // A chain may be good although something in it has expired: by another path.
    const isRunningOut = peer.isVerified && peer.chainNotAfterMs > now;
    return Math.min(now + BELIEVED_MS, isRunningOut ? peer.chainNotAfterMs : Infinity);
  }

  /** No ping tells of what a peer does between pings; the next one makes a connection as ever. */
  #logFault({ detail = '' }: TransportFailure): void {
    if (this.#isFaultLogged) return;
    this.#isFaultLogged = true;
    this.#options.log({
      level: 'warn',
      event: 'idle_connection_closed',
      message: 'idle connection closed; the next ping opens another',
      fields: { address: addressLabel(this.#endpoint), error: detail },
    });
  }

  #logConnection(change: ConnectionChange, fields: LogLine['fields']): void {
    const { debug, name } = this.#options;
    if (debug?.isOn === true) logConnection(debug, change, name, this.#endpoint, fields);
  }

  /** @param isGraceful lets the peer know, as one does unless the connection seems dead. */
  #disconnect(isGraceful: boolean, why: string): void {
    this.#attempt++;
    if (this.#open !== undefined) this.#logConnection('closed', { why });
    else if (this.#giveUp !== undefined) this.#logConnection('failed', { why });
    this.#giveUp?.();
    this.#giveUp = undefined;
    const open = this.#open;
    this.#open = undefined;
    if (isGraceful) open?.channel.end();
    else open?.channel.destroy();
  }
}
