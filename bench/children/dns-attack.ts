/**
 * A DNS server on loopback. It behaves well until the first line of input, then it attacks.
 *
 * usage: dns-attack crowd | flood
 *
 * crowd: the SRV answer of h.test, over TCP, has 1,500 targets in a zone that does not answer.
 * flood: every UDP answer is truncated; over TCP it sends a length of 0 and then endless bytes.
 *
 * Every other name has the address 127.1.0.1 with a TTL of one second. Prints its port, and for each
 * line of input the number of harmful messages so far.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import * as packet from 'dns-packet';
import { answerLines } from './lines.js';
import { sendWithoutEnd } from './without-end.js';

const TARGETS = 1_500;
/** The names are short: all targets have to fit into one message of 65,535 bytes. */
const HOG = '_sip._udp.h.test';
const SILENT_ZONE = '.d';
const NXDOMAIN = 3;
const TTL_SECONDS = 1;

const kind = process.argv[2];
let isHostile = false;
let harms = 0;

const tcp = createServer(serve).listen(0, '127.0.0.1');
await once(tcp, 'listening');
const at = tcp.address();
const port = typeof at === 'object' && at !== null ? at.port : 0;
const udp = createSocket('udp4');
udp.on('message', (bytes, from) => {
  const message = answer(packet.decode(bytes), false);
  if (message !== undefined) udp.send(message, from.port, from.address);
});
udp.bind(port, '127.0.0.1', () => console.log(port));
answerLines(() => {
  isHostile = true;
  return String(harms);
});

/** Expects one query per connection, in one chunk. */
function serve(socket: Socket): void {
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    if (kind === 'flood') {
      harms++;
      socket.removeAllListeners('data').resume();
      sendWithoutEnd(socket, Buffer.alloc(65_536));
      return;
    }
    const message = answer(packet.decode(bytes.subarray(2)), true);
    if (message === undefined) return;
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    socket.write(Buffer.concat([length, message]));
  });
}

/** Undefined for no answer. */
function answer(query: packet.DecodedPacket, isOverTcp: boolean): Buffer | undefined {
  const [question] = query.questions ?? [];
  const { name = '', type = '' } = question ?? {};
  if (name.endsWith(SILENT_ZONE)) return undefined;
  if (isHostile && kind === 'flood') return reply(query, [], packet.TRUNCATED_RESPONSE);
  if (name === HOG && type === 'SRV') {
    if (!isHostile) return reply(query, [target('h.test')]);
    if (!isOverTcp) return reply(query, [], packet.TRUNCATED_RESPONSE);
    harms++;
    const targets = Array.from({ length: TARGETS }, (_, i) => target(`x${i}${SILENT_ZONE}`));
    return reply(query, targets);
  }
  if (type === 'A' && !name.startsWith('_')) {
    return reply(query, [{ type: 'A', name, data: '127.1.0.1', ttl: TTL_SECONDS }]);
  }
  return reply(query, [], name.startsWith('_') ? NXDOMAIN : 0);
}

function target(host: string): packet.Answer {
  const data = { priority: 1, weight: 1, port: 5060, target: host };
  return { type: 'SRV', name: HOG, ttl: TTL_SECONDS, data };
}

function reply(query: packet.DecodedPacket, answers: packet.Answer[], flags = 0): Buffer {
  const { id = 0, questions = [] } = query;
  return packet.encode({ type: 'response', id, questions, answers, flags });
}
