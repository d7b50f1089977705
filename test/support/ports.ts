import * as dgram from 'node:dgram';
import { once } from 'node:events';
import * as net from 'node:net';

const MAX_TRIES = 20;

/** A port on which nothing listens, over UDP or TCP. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const port = await freeUdpPort(host);
    if (await isTcpFree(host, port)) return port;
  }
  throw new Error('no free port');
}

async function freeUdpPort(host: string): Promise<number> {
  const socket = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, host);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

function isTcpFree(host: string, port: number): Promise<boolean> {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
