/** How a connection that can carry SIP messages is opened. */

import type { Channel, ChannelListener } from './channel.js';
import type { DialListener } from './dial.js';
import type { Endpoint } from './transport.js';

/** Learns how the opening goes; one of `opened` and `failed` is the last call. */
export interface OpeningListener extends Omit<DialListener, 'opened'> {
  opened(channel: Channel): void;
  /** The opening waits for the peer now, and for what: `the TLS handshake`. */
  waitingFor(what: string): void;
}

export interface ChannelRequest {
  readonly endpoint: Endpoint;
  /** The channel will carry one ping. */
  readonly isForOnce: boolean;
  readonly opening: OpeningListener;
  readonly listener: ChannelListener;
}

/** Opens a channel. Returns a function that cancels the opening. */
export type OpenChannel = (request: ChannelRequest) => () => void;
