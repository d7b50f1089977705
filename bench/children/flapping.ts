/**
 * A SIP peer over UDP for many destinations. It answers 200 until the first line of input.
 *
 * usage: flapping alternate | fall
 *
 * alternate: after that, every second ping of each Request-URI gets a 503.
 * fall: after that, every ping gets a 503.
 *
 * Prints its port, and for each line of input the number of 503 sent so far.
 */

import { createSocket } from 'node:dgram';
import { answerLines } from './lines.js';

const isAlternating = process.argv[2] === 'alternate';
const lastWasGood = new Map<string, boolean>();
let isHostile = false;
let refusals = 0;

const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
socket.on('message', (bytes, from) => {
  const end = bytes.indexOf('\r');
  if (end < 0) return;
  const status = isGood(bytes.toString('latin1', 0, end)) ? '200 OK' : '503 Out';
  socket.send([Buffer.from(`SIP/2.0 ${status}`), bytes.subarray(end)], from.port, from.address);
});
socket.bind(0, '127.0.0.1', () => console.log(socket.address().port));
answerLines(() => {
  isHostile = true;
  return String(refusals);
});

function isGood(firstLine: string): boolean {
  if (!isHostile) return true;
  const good = isAlternating && lastWasGood.get(firstLine) === false;
  lastWasGood.set(firstLine, good);
  if (!good) refusals++;
  return good;
}
