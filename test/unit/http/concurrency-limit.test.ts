import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { ConcurrencyLimit } from '../../../src/http/server/concurrency-limit.js';
import { refuse } from '../../../src/http/server/pipelining.js';
import { connect, exchange, serve } from '../../support/http-server.js';
import { eventually } from '../../support/process.js';

const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
const HOLD = GET.replace('/ ', '/hold ');

/** Two at once; `/hold` writes without end to whoever reads, `/` answers at once. */
async function serving(t: Parameters<typeof serve>[0], mostWaiting: number, patienceMs: number) {
  const places = new ConcurrencyLimit({ most: 2, mostWaiting, patienceMs, lookMs: 50 });
  return serve(t, async (request, response) => {
    if (!(await places.take(response))) return refuse(response);
    if (request.url === '/') response.end('in');
    else {
      const fill = () => {
        while (!response.destroyed && response.write('x'.repeat(60_000)));
      };
      response.on('drain', () => setImmediate(fill));
      fill();
      await once(response, 'close');
    }
    places.leave(response);
  });
}

test('who does not read makes room for who waits', async (t) => {
  const { port } = await serving(t, 9, 60_000);
  const stalled = await Promise.all([connect(t, port), connect(t, port)]);
  for (const socket of stalled) {
    socket.pause();
    socket.write(HOLD);
  }
  const answers = await Promise.all(Array.from({ length: 8 }, () => exchange(port, GET)));
  for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 200/);
});

test('who reads keeps its place; of the others some wait, the rest get 503 at once', async (t) => {
  const { port, connections } = await serving(t, 2, 300);
  const reading = await Promise.all([connect(t, port), connect(t, port)]);
  for (const socket of reading) {
    socket.resume();
    socket.write(HOLD);
    await once(socket, 'data');
  }
  const answers = await Promise.all(Array.from({ length: 8 }, () => exchange(port, GET)));
  for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 503 .*\r\nRetry-After: 1\r\n/s);
  assert.ok(reading.every((socket) => !socket.destroyed));
  for (const socket of reading) socket.destroy();
  await eventually('they are gone', () => connections.open === 0);
  assert.match(await exchange(port, GET), /^HTTP\/1\.1 200/);
});
