/**
 * A server of Prometheus's http_sd. Its list is empty until a line of input that says `big`, and
 * again after one that says `small`.
 *
 * usage: list-attack same | distinct COUNT
 *
 * The big list has so many targets: the same one each time, or all of them distinct. Prints its
 * port; each line of input is answered by how often the big list was asked for.
 */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { answerLines } from './lines.js';

/** 127.16.0.0: on loopback, and of nobody else here. */
const FIRST_ADDRESS = 0x7f100000;

const [kind, count = ''] = process.argv.slice(2);
const big = bigList();
let isBig = false;
let asked = 0;

const server = createServer((_request, response) => {
  response.setHeader('Content-Type', 'application/json');
  if (isBig) asked++;
  response.end(isBig ? big : '[]');
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const at = server.address();
console.log(typeof at === 'object' && at !== null ? at.port : 0);
answerLines((line) => {
  isBig = line === 'big';
  return `${asked} ${big.length}`;
});

function bigList(): Buffer {
  const targets = Array.from({ length: Number(count) }, (_, i) =>
    kind === 'same' ? '"127.9.9.10"' : `"${address(FIRST_ADDRESS + i)}"`,
  );
  return Buffer.from(`[{"targets":[${targets.join(',')}]}]`);
}

function address(bits: number): string {
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}
