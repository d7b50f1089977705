/**
 * A SIP peer over TCP or WebSocket. It answers each ping until the first line of input. After that
 * it floods every connection that sends anything.
 *
 * usage: peer-attack answers | crlf | trying | pings | none
 *
 * Prints its port, and for each line of input the number of flooded connections and bytes so far.
 * With `none` it keeps answering.
 */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { answerLines } from './lines.js';
import { manyOf, sendWithoutEnd } from './without-end.js';

/** RFC 6455 1.3. */
const WS_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** A final text frame, and a ping without payload (RFC 6455 5.2). */
const TEXT = 0x81;
const PING = Buffer.from([0x89, 0]);
const CRLF = Buffer.from('\r\n');

const kind = process.argv[2] ?? '';
let isHostile = false;
let floods = 0;
let sent = 0;

const server = createServer((socket) => {
  socket.on('error', () => {});
  if (kind === 'pings') overWebSocket(socket);
  else overTcp(socket);
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const at = server.address();
console.log(typeof at === 'object' && at !== null ? at.port : 0);
answerLines(() => {
  isHostile = kind !== 'none';
  return `${floods} ${sent}`;
});

function overTcp(socket: Socket): void {
  socket.on('data', (request) => {
    if (!isHostile) {
      socket.write(answerTo(request, '200 OK'));
      return;
    }
    flood(socket, manyOf(kind === 'crlf' ? CRLF : answerTo(request, statusOf(kind))));
  });
}

function overWebSocket(socket: Socket): void {
  socket.once('data', (upgrade) => {
    socket.write(acceptance(upgrade.toString('latin1')));
    socket.on('data', (frame) => {
      if (isHostile) flood(socket, manyOf(PING));
      else if (frame[0] === TEXT) socket.write(textFrame(answerTo(unmasked(frame), '200 OK')));
    });
  });
}

function flood(socket: Socket, bytes: Buffer): void {
  floods++;
  socket.removeAllListeners('data').resume();
  sendWithoutEnd(socket, bytes, (count) => {
    sent += count;
  });
}

function statusOf(attack: string): string {
  return attack === 'trying' ? '100 Trying' : '200 OK';
}

/** The request with a status line as its first line: it has all headers that the exporter reads. */
function answerTo(request: Buffer, status: string): Buffer {
  return Buffer.concat([
    Buffer.from(`SIP/2.0 ${status}`),
    request.subarray(Math.max(0, request.indexOf('\r'))),
  ]);
}

function acceptance(upgrade: string): string {
  const key = /^sec-websocket-key: *(\S+)/im.exec(upgrade)?.[1] ?? '';
  const accept = createHash('sha1')
    .update(key + WS_GUID)
    .digest('base64');
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Protocol: sip',
    `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  ].join('\r\n');
}

/** The payload of a masked frame of 126 to 65,535 bytes, as pings are. */
function unmasked(frame: Buffer): Buffer {
  const mask = frame.subarray(4, 8);
  return Buffer.from(frame.subarray(8).map((byte, i) => byte ^ (mask[i % 4] ?? 0)));
}

function textFrame(payload: Buffer): Buffer {
  const head = Buffer.from([TEXT, 126, 0, 0]);
  head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}
