/** Events of a socket while a query to a DNS server is open. */

import type { SocketError } from './server.js';

export type ServerEvent =
  | { readonly kind: 'message'; readonly bytes: Buffer }
  | { readonly kind: 'socketError'; readonly error: SocketError }
  /** The server sends something other than DNS, or too much. `detail` is a noun phrase. */
  | { readonly kind: 'malformed'; readonly detail: string };

export type ServerEventListener = (event: ServerEvent) => void;
