/** Opening of a connection that can carry SIP messages. */

import type { Channel, ChannelListener } from './channel.js';
import type { DialListener } from './dial.js';
import type { Endpoint } from './transport.js';

/** Receives the progress of the opening; the last call is `opened` or `failed`. */
export interface OpeningListener extends Omit<DialListener, 'opened'> {
  opened(channel: Channel): void;
  /** The opening waits for the peer. @param what a noun: `the TLS handshake`. */
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
