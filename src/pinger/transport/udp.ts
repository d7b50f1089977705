/**
 * SIP over UDP: one socket for each address family carries the pings of all targets.
 *
 * A NAT or a firewall on the way may forget the port that we send from, or keep an old binding alive
 * by our very pings. So after some pings without a sign of life one is sent from another port; when
 * that is answered, the target's pings go from there. Pings that are made for once do not use the common
 * port. None of it happens where a port was asked for.
 */

import { bracketed, type LocalAddress } from '../../shared/address.js';
import type { Outcome, TransportFailure } from '../../shared/outcome.js';
import type { LogLine } from '../../shared/protocol.js';
import { SystemCallError } from '../net/system-call-error.js';
import { localIfAddressIsGone } from './own-address.js';
import { failureOf } from './socket-errors.js';
import type { Endpoint, Flow, FlowListener, Transport } from './transport.js';
import type { Carrier, CarrierListener, UdpMedium, UdpPort } from './udp-medium.js';
import { UdpPorts, type UdpPortsOptions } from './udp-ports.js';

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

export class UdpTransport<Port extends UdpPort> implements Transport {
  readonly #options: UdpOptions;
  readonly #medium: UdpMedium<Port>;
  readonly #ports: UdpPorts<Port>;
  readonly #owner: FlowOwner<Port>;
  /** Flows that are open. */
  #flows = 0;
  #linger: NodeJS.Timeout | undefined;
  /** The port that a move to was logged of last; what follows is counted alone. */
  #loggedPort = 0;

  constructor(options: UdpOptions, medium: UdpMedium<Port>) {
    this.#options = options;
    this.#medium = medium;
    this.#ports = new UdpPorts(options, medium);
    this.#owner = {
      ports: this.#ports,
      medium,
      ended: () => this.#ended(),
      moved: (endpoint, from, to) => this.#moved(endpoint, from, to),
    };
  }

  open(endpoint: Endpoint, listener: FlowListener, isForOnce: boolean): Flow {
    this.#flows++;
    clearTimeout(this.#linger);
    return new UdpFlow(this.#owner, endpoint, listener, isForOnce);
  }

  close(): void {
    clearTimeout(this.#linger);
    this.#closePorts();
  }

  #closePorts(): void {
    this.#ports.close();
    this.#medium.close();
  }

  /** A flow has ended; the sockets follow the last one. */
  #ended(): void {
    if (--this.#flows > 0) return;
    clearTimeout(this.#linger);
    const idleCloseMs = this.#options.sourcePort === 0 ? IDLE_CLOSE_MS : 0;
    this.#linger = setTimeout(() => this.#closePorts(), idleCloseMs);
    this.#linger.unref();
  }

  #moved({ address, port }: Endpoint, from: number, to: number): void {
    this.#options.onRebind();
    if (this.#loggedPort === to) return;
    this.#loggedPort = to;
    this.#options.log({
      level: 'warn',
      event: 'udp_port_changed',
      message:
        'a silent target answers a ping from another UDP port, and is pinged from there from now on; a NAT or firewall on the way may have lost the old one',
      fields: { address: `${bracketed(address)}:${port}`, old_port: from, new_port: to },
    });
  }
}

/** What the flows of a transport share. */
interface FlowOwner<Port extends UdpPort> {
  readonly ports: UdpPorts<Port>;
  readonly medium: UdpMedium<Port>;
  /** A flow is closed. */
  ended(): void;
  /** The pings of a target go from another port from now on. */
  moved(endpoint: Endpoint, fromPort: number, toPort: number): void;
}

/** There are as many as targets, so a flow has no closures and no options of its own. */
class UdpFlow<Port extends UdpPort> implements Flow, CarrierListener {
  readonly isReliable = false;
  readonly #owner: FlowOwner<Port>;
  readonly #endpoint: Endpoint;
  readonly #listener: FlowListener;
  readonly #isForOnce: boolean;
  readonly #carrier: Carrier<Port>;
  /** Where pings are sent from. */
  #home: Port | undefined;
  /** Where this ping alone is sent from, to see whether that is answered. */
  #trial: Port | undefined;
  /** The port that was tried last, in vain. */
  #lastTried: Port | undefined;
  /** Our address as the target sees it, when we send from `home`. */
  #local: LocalAddress | undefined;
  /** Pings in a row without a sign of life. */
  #silences = 0;
  /** The network, or our own system, said what became of this ping. */
  #hasFailed = false;
  #wasAnswered = false;
  #isClosed = false;

  constructor(
    owner: FlowOwner<Port>,
    endpoint: Endpoint,
    listener: FlowListener,
    isForOnce: boolean,
  ) {
    this.#owner = owner;
    this.#endpoint = endpoint;
    this.#listener = listener;
    this.#isForOnce = isForOnce;
    this.#carrier = owner.medium.carrier(endpoint, isForOnce, this);
  }

  get sentAtMs(): number | undefined {
    return this.#carrier.sentAtMs;
  }

  prepare(): void {
    const { ports } = this.#owner;
    const { family } = this.#endpoint;
    this.#hasFailed = false;
    this.#leaveLost();
    this.#home ??= this.#isForOnce ? ports.once(family) : ports.common(family);
    if (this.#home === undefined) {
      this.#listener.failed(ports.failureOf(family));
      return;
    }
    if (this.#silences >= MAX_SILENCES) {
      this.#silences = 0;
      this.#trial = ports.another(this.#home, this.#lastTried);
    }
    let local: LocalAddress | undefined;
    try {
      local = this.#localAddress(this.#home);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      this.failed(failureOf(error), error.code === 'ENODEV');
      return;
    }
    if (local === undefined) this.#listener.failed({ reason: 'unreachable' });
    else this.#listener.ready(local);
  }

  send(message: Uint8Array): void {
    this.#send(message, false);
  }

  resend(message: Uint8Array): void {
    this.#send(message, true);
  }

  failed(failure: TransportFailure, isPortLost = false): void {
    this.#hasFailed = true;
    const port = this.#trial ?? this.#home;
    if (isPortLost && port !== undefined) this.#owner.ports.lose(port);
    // The address that we send from may be gone: it is looked up again for the next ping.
    if (failure.reason !== 'refused') this.#local = undefined;
    this.#listener.failed(failure);
  }

  pingEnded(isAnswered: boolean | undefined): void {
    if (isAnswered === true) {
      this.#silences = 0;
      this.#wasAnswered = true;
    } else if (isAnswered === false && !this.#hasFailed) this.#silences++;
    this.#carrier.rest(isAnswered);
    this.#endTrial(isAnswered === true);
  }

  explain(outcome: Outcome): Outcome {
    const { sourceAddress } = this.#owner.ports;
    const explained = localIfAddressIsGone(outcome, sourceAddress || (this.#local?.address ?? ''));
    // The routes may choose another one for the next ping.
    if (explained !== outcome) this.#local = undefined;
    return explained;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.pingEnded(undefined);
    this.#carrier.close();
    this.#releaseHome();
    this.#owner.ended();
  }

  #releaseHome(): void {
    const { ports } = this.#owner;
    if (this.#home === undefined) return;
    if (this.#isForOnce && !this.#wasAnswered) ports.retire(this.#home);
    ports.release(this.#home);
  }

  #send(message: Uint8Array, isRetransmission: boolean): void {
    const port = this.#trial ?? this.#home;
    if (port !== undefined) this.#carrier.send(port, message, isRetransmission);
  }

  /** Pings go on from another port when the one that they came from is of no use any more. */
  #leaveLost(): void {
    const { ports } = this.#owner;
    if (this.#home === undefined || !ports.isLost(this.#home)) return;
    ports.release(this.#home);
    this.#home = undefined;
    this.#local = undefined;
  }

  /** Pings go on from the port that was tried, or from the one before. */
  #endTrial(isAnswered: boolean): void {
    const { ports } = this.#owner;
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
    this.#owner.moved(this.#endpoint, home.port, trial.port);
    ports.replace(home, trial);
  }

  #localAddress(home: Port): LocalAddress | undefined {
    if (this.#trial !== undefined) return this.#trial.localAddressTowards(this.#endpoint);
    this.#local ??= home.localAddressTowards(this.#endpoint);
    return this.#local;
  }
}
