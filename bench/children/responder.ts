/** The far end for a machine without a C compiler; same protocol as bench/native/responder.c. */

import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';

const STATUS = Buffer.from('SIP/2.0 200 OK\r\nServer: bench');

let requests = 0;
const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
socket.on('message', (bytes, from) => {
  const headers = bytes.indexOf('\r');
  if (headers < 0) return;
  requests++;
  socket.send([STATUS, bytes.subarray(headers)], from.port, from.address);
});
socket.bind(Number(process.argv[2]), () => console.log('ready'));

const questions = createInterface({ input: process.stdin });
questions.on('line', () => console.log(`${requests} 0`));
questions.on('close', () => socket.close());
