/** What `UdpTransport` needs of the sockets under it. There are two: `node:dgram`, and the kernel's own. */

import type { LocalAddress } from '../../shared/address.js';
import type { TransportFailure } from '../../shared/outcome.js';
import type { Endpoint } from './transport.js';

/** A UDP port of ours: a socket that any number of targets of one family share. */
export interface UdpPort {
  readonly port: number;
  readonly family: 4 | 6;
  /** Flows that send from it. */
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
   * Monotonic: when the last request that was sent for the first time left; undefined when no more is
   * known than when it was sent, NaN when not even that can be compared with arrivals.
   */
  readonly sentAtMs: number | undefined;
  send(port: Port, message: Uint8Array, isRetransmission: boolean): void;
  /**
   * The ping has ended.
   *
   * @param isAnswered undefined when that is not known.
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
   * @param isForOnce it will carry one ping.
   */
  carrier(endpoint: Endpoint, isForOnce: boolean, listener: CarrierListener): Carrier<Port>;
  /** Every port is closed. */
  close(): void;
}
