/**
 * SIP over UDP: one socket for each address family carries the pings of all targets.
 *
 * A NAT or a firewall on the path may drop the binding of the source port, or the pings themselves may keep
 * an old binding alive. So after some unanswered pings one is sent from another port; if it is answered,
 * the target is pinged from there. One-off pings do not use the common port. If a source port is
 * configured, all pings use it.
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
 * Time for which unused sockets stay open for the next flow. On a configured source port they are closed
 * in the same turn of the event loop, because another transport may need the port.
 */
const IDLE_CLOSE_MS = 30_000;
/** Number of unanswered pings in a row after which one is sent from another port. */
const MAX_SILENCES = 3;

export interface UdpOptions extends UdpPortsOptions {
  readonly log: (line: LogLine) => void;
  /** A target is pinged from another port from now on. */
  readonly onRebind: () => void;
}

export class UdpTransport<Port extends UdpPort> implements Transport {
  readonly #options: UdpOptions;
  readonly #medium: UdpMedium<Port>;
  readonly #ports: UdpPorts<Port>;
  readonly #owner: FlowOwner<Port>;
  /** Number of open flows. */
  #flows = 0;
  #linger: NodeJS.Timeout | undefined;
  /** The last port for which a move was logged. Further moves to it are only counted. */
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

  /** A flow has ended. After the last one the sockets are closed. */
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
        'silent target answered a ping from another UDP port and is pinged from there; a NAT or firewall may have dropped the binding of the old port',
      fields: { address: `${bracketed(address)}:${port}`, old_port: from, new_port: to },
    });
  }
}

/** Dependencies that all flows of a transport share. */
interface FlowOwner<Port extends UdpPort> {
  readonly ports: UdpPorts<Port>;
  readonly medium: UdpMedium<Port>;
  /** A flow has ended. */
  ended(): void;
  /** The pings of a target go from another port from now on. */
  moved(endpoint: Endpoint, fromPort: number, toPort: number): void;
}

/** There may be as many flows as targets, so a flow has no closures or options of its own, to save memory. */
class UdpFlow<Port extends UdpPort> implements Flow, CarrierListener {
  readonly isReliable = false;
  readonly #owner: FlowOwner<Port>;
  readonly #endpoint: Endpoint;
  readonly #listener: FlowListener;
  readonly #isForOnce: boolean;
  readonly #carrier: Carrier<Port>;
  /** The port that pings are sent from. */
  #home: Port | undefined;
  /** The port that only the current ping is sent from, as a trial. */
  #trial: Port | undefined;
  /** The port of the last failed trial. */
  #lastTried: Port | undefined;
  /** The local address of packets from `home`. */
  #local: LocalAddress | undefined;
  /** Number of unanswered pings in a row. */
  #silences = 0;
  /** Whether the network or this host reported an error for the current ping. */
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
    // The local address may have been removed: the next ping determines it again.
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
    // The routes may choose another address for the next ping.
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

  /** Ends a trial: further pings are sent from the new port if it worked, otherwise from `home`. */
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
