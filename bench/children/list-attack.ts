/**
 * An http_sd server of Prometheus. Its list is empty until the input line `big`, and again after the
 * line `small`.
 *
 * usage: list-attack same | distinct COUNT
 *
 * The big list has COUNT targets: all equal, or all distinct. Prints its port, and for each line
 * of input the number of requests for the big list.
 */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { answerLines } from './lines.js';

/** 127.16.0.0: on loopback, and not used by other parts. */
const FIRST_ADDRESS = 0x7f100000;

const [kind, count = ''] = process.argv.slice(2);
const big = bigList();
let isBig = false;
let requests = 0;

const server = createServer((_request, response) => {
  response.setHeader('Content-Type', 'application/json');
  if (isBig) requests++;
  response.end(isBig ? big : '[]');
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const at = server.address();
console.log(typeof at === 'object' && at !== null ? at.port : 0);
answerLines((line) => {
  isBig = line === 'big';
  return `${requests} ${big.length}`;
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
