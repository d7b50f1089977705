/**
 * SIP over UDP: one socket for each address family carries the pings of all targets.
 *
 * A socket without a peer never hears of ICMP errors. So a request that has to be retransmitted, and
 * every request to a target that left the last one without an answer, goes out through a socket that
 * is bound to the same port and connected to that address: a closed port is then told within a round
 * trip, and a healthy target costs no socket. On Linux the kernel tells a connected UDP socket of port
 * and protocol unreachable; that a host or a network cannot be reached is known only when our own
 * routes say so.
 *
 * A NAT or a firewall on the way may forget the port that we send from, or keep an old binding alive
 * by our very pings. So after some pings without a sign of life one is sent from another port; when
 * that is answered, the target's pings go from there. A ping that is made for once has a port of its
 * own. None of it happens where a port was asked for.
 */

import { bracketed, type LocalAddress } from '../../shared/address.js';
import type { Outcome } from '../../shared/outcome.js';
import type { LogLine } from '../../shared/protocol.js';
import { unlessOurAddressIsGone } from './own-address.js';
import { failureOf } from './socket-errors.js';
import type { Endpoint, Flow, FlowListener, Transport } from './transport.js';
import { type Connected, UdpPorts, type UdpPortsOptions } from './udp-ports.js';
import type { SharedSocket } from './udp-socket.js';

/**
 * How long sockets stay open that nobody uses: whoever comes next may use them. On a port that was
 * asked for, not beyond the turn: others may want it, for another address.
 */
const IDLE_CLOSE_MS = 30_000;
/** Pings in a row without a sign of life after which one is sent from another port. */
const MAX_SILENCES = 3;

export interface UdpOptions extends UdpPortsOptions {
  readonly log: (line: LogLine) => void;
  /** A target's pings go from another port from now on. */
  readonly onRebind: () => void;
}

export class UdpTransport implements Transport {
  readonly #options: UdpOptions;
  readonly #ports: UdpPorts;
  /** Flows that are open. */
  #flows = 0;
  #linger: NodeJS.Timeout | undefined;
  /** The port that a move to was logged of last; what follows is counted alone. */
  #loggedPort = 0;

  constructor(options: UdpOptions) {
    this.#options = options;
    this.#ports = new UdpPorts(options);
  }

  open(endpoint: Endpoint, listener: FlowListener, isForOnce: boolean): Flow {
    this.#flows++;
    clearTimeout(this.#linger);
    const ended = () => this.#ended();
    const moved = (from: number, to: number) => this.#moved(endpoint, from, to);
    return new UdpFlow({ ports: this.#ports, endpoint, listener, isForOnce, ended, moved });
  }

  close(): void {
    clearTimeout(this.#linger);
    this.#ports.close();
  }

  /** A flow has ended; the sockets follow the last one. */
  #ended(): void {
    if (--this.#flows > 0) return;
    clearTimeout(this.#linger);
    const idleCloseMs = this.#options.sourcePort === 0 ? IDLE_CLOSE_MS : 0;
    this.#linger = setTimeout(() => this.#ports.close(), idleCloseMs);
    this.#linger.unref();
  }

  #moved({ address, port }: Endpoint, from: number, to: number): void {
    this.#options.onRebind();
    if (this.#loggedPort === to) return;
    this.#loggedPort = to;
    this.#options.log({
      level: 'warn',
      message:
        'a silent target answers a ping from another UDP port, and is pinged from there from now on; a NAT or firewall on the way may have lost the old one',
      fields: { address: `${bracketed(address)}:${port}`, old_port: from, new_port: to },
    });
  }
}

interface UdpFlowOptions {
  readonly ports: UdpPorts;
  readonly endpoint: Endpoint;
  readonly listener: FlowListener;
  readonly isForOnce: boolean;
  readonly ended: () => void;
  readonly moved: (fromPort: number, toPort: number) => void;
}

class UdpFlow implements Flow {
  readonly isReliable = false;
  readonly #options: UdpFlowOptions;
  /** Where pings are sent from. */
  #home: SharedSocket | undefined;
  /** Where this ping alone is sent from, to see whether that is answered. */
  #trial: SharedSocket | undefined;
  /** The port that was tried last, in vain. */
  #lastTried: SharedSocket | undefined;
  /** Our address as the target sees it, when we send from `home`. */
  #local: LocalAddress | undefined;
  #own: Connected | undefined;
  /** The last ping got no answer: this one is sent through a connected socket from the start. */
  #isSuspect: boolean;
  /** Pings in a row without a sign of life. */
  #silences = 0;
  /** The network, or our own system, said what became of this ping. */
  #isToldOf = false;
  #isClosed = false;

  constructor(options: UdpFlowOptions) {
    this.#options = options;
    this.#isSuspect = options.isForOnce;
  }

  prepare(): void {
    const { ports, endpoint, listener, isForOnce } = this.#options;
    this.#isToldOf = false;
    this.#home ??= isForOnce ? ports.own(endpoint.family) : ports.common(endpoint.family);
    if (this.#home === undefined) {
      listener.failed(ports.failureOf(endpoint.family));
      return;
    }
    if (this.#silences >= MAX_SILENCES) {
      this.#silences = 0;
      this.#trial = ports.another(this.#home, this.#lastTried);
    }
    const local = this.#localAddress(this.#home);
    if (local === undefined) listener.failed({ reason: 'unreachable' });
    else listener.ready(local);
  }

  send(message: Uint8Array): void {
    if (this.#isSuspect) this.resend(message);
    else this.#sendShared(message);
  }

  resend(message: Uint8Array): void {
    const { ports, endpoint } = this.#options;
    const port = this.#trial ?? this.#home;
    if (this.#own === undefined && port !== undefined) {
      this.#own = ports.connect(port, endpoint, this);
    }
    if (this.#own === undefined) this.#sendShared(message);
    else this.#own.socket.send(message, this.#onSent);
  }

  rest(isAnswered: boolean | undefined): void {
    const { ports } = this.#options;
    this.#isSuspect = isAnswered === false;
    if (isAnswered === true) this.#silences = 0;
    else if (isAnswered === false && !this.#isToldOf) this.#silences++;
    if (this.#own !== undefined) {
      ports.disconnect(this.#own, this);
      this.#own = undefined;
    }
    this.#endTrial(isAnswered === true);
  }

  explain(outcome: Outcome): Outcome {
    const { sourceAddress } = this.#options.ports;
    const told = unlessOurAddressIsGone(outcome, sourceAddress || (this.#local?.address ?? ''));
    // The routes may choose another one for the next ping.
    if (told !== outcome) this.#local = undefined;
    return told;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.rest(undefined);
    if (this.#home !== undefined) this.#options.ports.release(this.#home);
    this.#options.ended();
  }

  /** The network said that what was sent cannot be delivered. */
  fail(error: NodeJS.ErrnoException): void {
    const failure = failureOf(error);
    this.#isToldOf = true;
    // The address that we send from may be gone: it is looked up again for the next ping.
    if (failure.reason !== 'refused') this.#local = undefined;
    this.#options.listener.failed(failure);
  }

  /** Pings go on from the port that was tried, or from the one before. */
  #endTrial(isAnswered: boolean): void {
    const { ports, moved } = this.#options;
    const trial = this.#trial;
    const home = this.#home;
    this.#trial = undefined;
    if (trial === undefined || home === undefined) return;
    if (!isAnswered) {
      this.#lastTried = trial;
      ports.release(trial);
      return;
    }
    this.#home = trial;
    this.#local = undefined;
    moved(home.port, trial.port);
    ports.replace(home, trial);
  }

  #localAddress(home: SharedSocket): LocalAddress | undefined {
    const { endpoint } = this.#options;
    if (this.#trial !== undefined) return this.#trial.localAddressTowards(endpoint);
    this.#local ??= home.localAddressTowards(endpoint);
    return this.#local;
  }

  #sendShared(message: Uint8Array): void {
    const { address, port } = this.#options.endpoint;
    (this.#trial ?? this.#home)?.socket.send(message, port, address, this.#onSent);
  }

  readonly #onSent = (error: NodeJS.ErrnoException | null): void => {
    if (error !== null) this.fail(error);
  };
}
