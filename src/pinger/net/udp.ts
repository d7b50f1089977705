/** What `node:dgram` lacks: to bind at once, and to say whether a socket is connected. */

import * as dgram from 'node:dgram';

/** Asked for, in bytes; the system grants what its limits allow. */
const BUFFER_BYTES = 4 * 1024 * 1024;

/** A bound socket, at once: the addresses are numeric, so nothing is looked up. @throws */
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
  let failure: Error | undefined;
  socket.once('error', (error) => {
    failure = error;
  });
  socket.bind({ port, exclusive: true, ...(address === '' ? {} : { address }) });
  socket.removeAllListeners('error');
  if (failure !== undefined) {
    socket.close();
    throw failure;
  }
  return socket;
}

/** `connect` fails without throwing; only a connected socket has a remote address. */
export function isConnected(socket: dgram.Socket): boolean {
  try {
    socket.remoteAddress();
    return true;
  } catch {
    return false;
  }
}
