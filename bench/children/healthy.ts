/**
 * Sends small requests one after the other on one connection.
 *
 * usage: healthy PORT PATH      for each line of input, prints the longest wait since the last line,
 *                               the 99th percentile and the median, in milliseconds
 */

import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { percentile } from '../samples.js';

const [port = '', path = ''] = process.argv.slice(2);
const question = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
const socket = connect(Number(port), '127.0.0.1').setNoDelay(true);
await once(socket, 'connect');

let waitsMs: number[] = [];
let askedAt = 0;
// Plain bytes, so that no parsing or garbage collection of this process is measured. A response is one chunk.
socket.on('data', () => {
  waitsMs.push(performance.now() - askedAt);
  ask();
});
ask();

const questions = createInterface({ input: process.stdin });
questions.on('line', () => {
  console.log([1, 0.99, 0.5].map((share) => percentile(waitsMs, share)).join(' '));
  waitsMs = [];
});
questions.on('close', () => socket.destroy());

function ask(): void {
  askedAt = performance.now();
  socket.write(question);
}
