/** The sockets that `UdpTransport` uses. There are two kinds: `node:dgram` and kernel sockets. */

import type { LocalAddress } from '../../shared/address.js';
import type { TransportFailure } from '../../shared/outcome.js';
import type { Endpoint } from './transport.js';

/** A local UDP port: a socket that any number of targets of one family share. */
export interface UdpPort {
  readonly port: number;
  readonly family: 4 | 6;
  /** Number of flows that send from it. */
  users: number;
  /**
   * The address that packets to `endpoint` leave from; undefined when there is no route.
   *
   * @throws SystemCallError when the system says why nothing can be sent there.
   */
  localAddressTowards(endpoint: Endpoint): LocalAddress | undefined;
  close(): void;
}

/** Carries the messages of one flow. */
export interface Carrier<Port extends UdpPort> {
  /**
   * Monotonic time at which the last request left, without retransmissions. Undefined when only the time of
   * `send` is known; NaN when it cannot be compared with arrival times.
   */
  readonly sentAtMs: number | undefined;
  send(port: Port, message: Uint8Array, isRetransmission: boolean): void;
  /**
   * The ping has ended.
   *
   * @param isAnswered undefined when it is unknown.
   */
  rest(isAnswered: boolean | undefined): void;
  close(): void;
}

export interface CarrierListener {
  /**
   * A message cannot be delivered.
   *
   * @param isPortLost nor can any other from that port: the interface that it is bound to is gone.
   */
  failed(failure: TransportFailure, isPortLost?: boolean): void;
}

export interface UdpMedium<Port extends UdpPort> {
  /** @throws when no socket can be bound. */
  open(family: 4 | 6): Port;
  /**
   * @param isForOnce the carrier is for one ping.
   */
  carrier(endpoint: Endpoint, isForOnce: boolean, listener: CarrierListener): Carrier<Port>;
  /** Closes what is left after every port is closed. */
  close(): void;
}
