/** A process that answers OPTIONS on port 5060, UDP and TCP: `answerer.js SERVER`, its Server header. */

import * as dgram from 'node:dgram';
import * as net from 'node:net';
import { buildOptionsResponse } from '../../src/pinger/sip/uas.js';

const PORT = 5060;
const [, , server = ''] = process.argv;

function answerTo(request: Buffer, from: { readonly address: string; readonly port: number }) {
  const answer = Buffer.from(buildOptionsResponse(request, from, 'far') ?? '').toString('latin1');
  return answer.replace('\r\n', `\r\nServer: ${server}\r\n`);
}

for (const type of ['udp4', 'udp6'] as const) {
  const socket = dgram.createSocket({ type, ipv6Only: type === 'udp6' });
  socket.on('message', (request, from) => {
    socket.send(answerTo(request, from), from.port, from.address, () => {});
  });
  socket.bind(PORT);
}
net
  .createServer((socket) => {
    const { remoteAddress: address = '', remotePort: port = 0 } = socket;
    socket.on('data', (request) => socket.write(answerTo(request, { address, port })));
    socket.on('error', () => {});
  })
  .listen(PORT, '0.0.0.0');
