/** UDP helpers that `node:dgram` lacks: a synchronous bind, and whether a socket is connected. */

import * as dgram from 'node:dgram';

/** Requested size in bytes; the system grants what its limits allow. */
const BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * Binds synchronously; addresses are numeric, so there is nothing to look up.
 *
 * @throws when the address or port cannot be bound.
 */
export function bind(
  family: 4 | 6,
  address: string,
  port: number,
  reuseAddr: boolean,
): dgram.Socket {
  const socket = dgram.createSocket({
    type: family === 4 ? 'udp4' : 'udp6',
    ipv6Only: family === 6,
    reuseAddr,
    recvBufferSize: BUFFER_BYTES,
    sendBufferSize: BUFFER_BYTES,
    lookup: (host, _options, callback) => callback(null, host, family),
  });
  let bindError: Error | undefined;
  socket.once('error', (error) => {
    bindError = error;
  });
  socket.bind({ port, exclusive: true, ...(address === '' ? {} : { address }) });
  socket.removeAllListeners('error');
  if (bindError !== undefined) {
    socket.close();
    throw bindError;
  }
  return socket;
}

/** A failed `connect` does not throw, but only a connected socket has a remote address. */
export function isConnected(socket: dgram.Socket): boolean {
  try {
    socket.remoteAddress();
    return true;
  } catch {
    return false;
  }
}
