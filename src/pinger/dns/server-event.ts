/** What is heard of a server while it is asked. */

import type { SocketError } from './server.js';

export type ServerEvent =
  | { readonly kind: 'message'; readonly bytes: Buffer }
  /** The socket failed. */
  | { readonly kind: 'fault'; readonly fault: SocketError }
  /** The server sends what is no DNS, or more than anybody asked for; why, in words. */
  | { readonly kind: 'garbage'; readonly why: string };

/** Told of what is heard. */
export type ServerEventListener = (heard: ServerEvent) => void;
