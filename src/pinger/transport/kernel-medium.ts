/** UDP with kernel sockets: batched, with kernel timestamps and ICMP errors. Only for Linux. */

import { bracketed, type LocalAddress } from '../../shared/address.js';
import type { Arrival, KernelPort, NetworkError, Sender } from '../net/kernel-port.js';
import type { KernelUdp } from '../net/kernel-udp.js';
import { ORIGIN_LOCAL } from '../net/layout.js';
import { type SockaddrWords, sockaddr, sockaddrWords } from '../net/sockaddr.js';
import { icmpDetail } from './icmp.js';
import { failureOf } from './socket-errors.js';
import type { Endpoint, MessageHandler, Source } from './transport.js';
import type { Carrier, CarrierListener, UdpMedium, UdpPort } from './udp-medium.js';

/** The settings of one transport. */
export interface UdpSettings {
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly dscp: number;
  readonly interfaceName: string;
  readonly onMessage: MessageHandler;
}

export interface KernelMediumOptions extends UdpSettings {
  readonly udp: KernelUdp;
  /** Carriers of all media of the thread, because an error may reach another socket than the one that sent. */
  readonly carriers: CarriersByPeer;
  /** The kernel did not report when a request left. */
  readonly onUnstamped: () => void;
}

/** The carriers by the address that they send to, to deliver errors to them. */
export class CarriersByPeer {
  /** Most peers have one carrier, which needs no set. */
  readonly #carriers = new Map<string, KernelCarrier | Set<KernelCarrier>>();

  add(peer: string, carrier: KernelCarrier): void {
    const known = this.#carriers.get(peer);
    if (known instanceof Set) known.add(carrier);
    else this.#carriers.set(peer, known === undefined ? carrier : new Set([known, carrier]));
  }

  remove(peer: string, carrier: KernelCarrier): void {
    const known = this.#carriers.get(peer);
    if (known instanceof Set) known.delete(carrier);
    if (known === carrier || (known instanceof Set && known.size === 0)) {
      this.#carriers.delete(peer);
    }
  }

  of(peer: string): readonly KernelCarrier[] {
    const known = this.#carriers.get(peer) ?? [];
    return known instanceof KernelCarrier ? [known] : [...known];
  }
}

export class KernelMedium implements UdpMedium<KernelUdpPort> {
  readonly #options: KernelMediumOptions;

  constructor(options: KernelMediumOptions) {
    this.#options = options;
  }

  open(family: 4 | 6): KernelUdpPort {
    return new KernelUdpPort(family, this.#options);
  }

  carrier(
    endpoint: Endpoint,
    _isForOnce: boolean,
    listener: CarrierListener,
  ): Carrier<KernelUdpPort> {
    return new KernelCarrier(this.#options, endpoint, listener);
  }

  close(): void {}
}

export class KernelUdpPort implements UdpPort {
  readonly family: 4 | 6;
  readonly kernel: KernelPort;
  users = 0;
  readonly #options: KernelMediumOptions;
  /** Targets that are reached from the same address share one object. */
  readonly #locals = new Map<string, LocalAddress>();

  /** @throws SystemCallError when it cannot be opened. */
  constructor(family: 4 | 6, options: KernelMediumOptions) {
    const { udp, carriers, sourceAddress, sourcePort, dscp, interfaceName, onMessage } = options;
    this.family = family;
    this.#options = options;
    const source = new KernelSource(udp, () => this.kernel);
    this.kernel = udp.open(
      { family, address: sourceAddress, port: sourcePort, dscp, interfaceName },
      {
        message: (bytes, from) => onMessage(bytes, source.at(from)),
        networkError: (error) => {
          for (const carrier of carriers.of(peerKey(error))) carrier.networkError(error);
        },
      },
    );
  }

  get port(): number {
    return this.kernel.socket.port;
  }

  localAddressTowards({ address, port, family }: Endpoint): LocalAddress {
    const { udp, sourceAddress, interfaceName } = this.#options;
    return this.#local(
      sourceAddress || udp.addressTowards(family, interfaceName, sockaddr(family, address, port)),
    );
  }

  close(): void {
    this.#options.udp.close(this.kernel);
  }

  #local(address: string): LocalAddress {
    const known = this.#locals.get(address);
    if (known !== undefined) return known;
    const local = { address, port: this.port };
    this.#locals.set(address, local);
    return local;
  }
}

class KernelCarrier implements Carrier<KernelUdpPort>, Sender {
  readonly #options: KernelMediumOptions;
  readonly #peer: SockaddrWords;
  readonly #key: string;
  readonly #listener: CarrierListener;
  /** The number of the send whose timestamp is expected; -1 for none. */
  #number = -1;
  #isFirst = false;
  #isStamped = false;
  #sentAtMs = Number.NaN;
  /** How many times the wall clock had been set at that time. */
  #clockSteps = 0;

  constructor(options: KernelMediumOptions, endpoint: Endpoint, listener: CarrierListener) {
    const { address, port, family } = endpoint;
    this.#options = options;
    this.#peer = sockaddrWords(family, address, port);
    this.#key = peerKey(endpoint);
    this.#listener = listener;
    options.carriers.add(this.#key, this);
  }

  get sentAtMs(): number | undefined {
    return this.#clockSteps === this.#options.udp.clockSteps ? this.#sentAtMs : Number.NaN;
  }

  send(port: KernelUdpPort, message: Uint8Array, isRetransmission: boolean): void {
    this.#isFirst = !isRetransmission;
    this.#options.udp.send(port.kernel, message, this.#peer, this);
  }

  rest(isAnswered: boolean | undefined): void {
    if (isAnswered === true && !this.#isStamped) this.#options.onUnstamped();
  }

  close(): void {
    this.#options.carriers.remove(this.#key, this);
  }

  handedOver(number: number, atMs: number): void {
    if (!this.#isFirst) return;
    this.#isFirst = false;
    this.#number = number;
    this.#isStamped = false;
    this.#sentAtMs = atMs;
    this.#clockSteps = this.#options.udp.clockSteps;
  }

  stamped(number: number, atMs: number): void {
    // A timestamp from before the numbers restarted is older than this send.
    if (number !== this.#number || this.#isStamped || atMs < this.#sentAtMs - 1) return;
    this.#isStamped = true;
    this.#sentAtMs = atMs;
  }

  failed(code: string): void {
    this.#listener.failed(failureOf({ name: code, message: code, code }), code === 'ENODEV');
  }

  networkError(error: NetworkError): void {
    const failure = failureOf({ name: error.code, message: error.code, code: error.code });
    // The kernel knows the MTU now and fragments the retransmission.
    if (error.code === 'EMSGSIZE' || error.origin === ORIGIN_LOCAL) return;
    const detail = icmpDetail(error);
    this.#listener.failed(detail === undefined ? failure : { ...failure, detail });
  }
}

/** The source of a message; one object for all messages of a port. */
class KernelSource implements Source {
  readonly isConnection = false;
  readonly #udp: KernelUdp;
  readonly #port: () => KernelPort;
  #from: Arrival = { address: '', port: 0, atMs: undefined };

  constructor(udp: KernelUdp, port: () => KernelPort) {
    this.#udp = udp;
    this.#port = port;
  }

  at(from: Arrival): this {
    this.#from = from;
    return this;
  }

  get address(): string {
    return this.#from.address;
  }

  get port(): number {
    return this.#from.port;
  }

  get arrivedAtMs(): number | undefined {
    return this.#from.atMs;
  }

  answer(message: Uint8Array, port: number): void {
    if (port === 0) return;
    const { family } = this.#port().socket;
    this.#udp.send(this.#port(), message, sockaddrWords(family, this.address, port), undefined);
  }
}

function peerKey({ address, port }: { readonly address: string; readonly port: number }): string {
  return `${bracketed(address)}:${port}`;
}
