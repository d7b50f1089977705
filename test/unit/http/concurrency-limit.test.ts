import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { ConcurrencyLimit } from '../../../src/http/server/concurrency-limit.js';
import { rejectBusy } from '../../../src/http/server/pipelining.js';
import { FakeClock } from '../../support/fake-clock.js';
import { connect, exchange, serve } from '../../support/http-server.js';
import { eventually } from '../../support/process.js';

const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
const HOLD = GET.replace('/ ', '/hold ');

/** Two responses at once: `/hold` writes until the client disconnects, `/` answers at once. */
async function serving(t: Parameters<typeof serve>[0], maxWaiting: number, timeoutMs: number) {
  const limit = new ConcurrencyLimit({ max: 2, maxWaiting, timeoutMs, checkIntervalMs: 50 });
  return serve(t, async (request, response) => {
    if (!(await limit.acquire(response))) return rejectBusy(response);
    if (request.url === '/') response.end('in');
    else {
      const fill = () => {
        while (!response.destroyed && response.write('x'.repeat(60_000)));
      };
      response.on('drain', () => setImmediate(fill));
      fill();
      await once(response, 'close');
    }
    limit.release(response);
  });
}

test('a response that its client does not read is aborted for a request that waits', async (t) => {
  const { port } = await serving(t, 9, 60_000);
  const stalled = await Promise.all([connect(t, port), connect(t, port)]);
  for (const socket of stalled) {
    socket.pause();
    socket.write(HOLD);
  }
  const answers = await Promise.all(Array.from({ length: 8 }, () => exchange(port, GET)));
  for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 200/);
});

test('a response that its client reads continues; some other requests wait, and the rest get 503', async (t) => {
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
  await eventually('they are closed', () => connections.open === 0);
  assert.match(await exchange(port, GET), /^HTTP\/1\.1 200/);
});

/** As much of a response as the limit uses. */
class FakeResponse extends EventEmitter {
  destroyed = false;
  writableNeedDrain = false;
  readonly socket = { bytesWritten: 0 };

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

function limitOnFakeClock(max: number, maxWaiting: number) {
  const clock = new FakeClock();
  const times = { timeoutMs: 10_000, checkIntervalMs: 1_000, clock };
  const limit = new ConcurrencyLimit({ max, maxWaiting, ...times });
  /** The outcome is undefined while the request waits. */
  const request = () => {
    const response = new FakeResponse();
    const outcome: { isAdmitted?: boolean } = {};
    void limit.acquire(response as unknown as ServerResponse).then((isAdmitted) => {
      outcome.isAdmitted = isAdmitted;
    });
    const release = () => limit.release(response as unknown as ServerResponse);
    return { response, outcome, release };
  };
  return { clock, request };
}

test('a request beyond the limit is admitted when another is released, in order of arrival', async () => {
  const { clock, request } = limitOnFakeClock(1, 2);
  const all = [request(), request(), request(), request()];
  const outcomes = () => all.map(({ outcome }) => outcome.isAdmitted);
  await clock.advanceSettling(0);
  assert.deepEqual(outcomes(), [true, undefined, undefined, false]);
  all[0]?.release();
  await clock.advanceSettling(0);
  assert.deepEqual(outcomes(), [true, true, undefined, false]);
  all[1]?.release();
  await clock.advanceSettling(0);
  assert.deepEqual(outcomes(), [true, true, true, false]);
  await clock.advanceSettling(1_000);
  assert.equal(clock.pending, 0, 'no check runs while no request waits');
});

test('a request that waits is rejected after the timeout, or once its client disconnects', async () => {
  const { clock, request } = limitOnFakeClock(1, 5);
  request();
  const [late, gone] = [request(), request()];
  gone.response.destroy();
  await clock.advanceSettling(9_999);
  assert.deepEqual([late.outcome.isAdmitted, gone.outcome.isAdmitted], [undefined, false]);
  await clock.advanceSettling(1);
  assert.equal(late.outcome.isAdmitted, false);
});

test('a request whose client has disconnected already is rejected', async () => {
  const clock = new FakeClock();
  const limit = new ConcurrencyLimit({ max: 1, clock });
  const response = new FakeResponse();
  response.destroy();
  assert.equal(await limit.acquire(response as unknown as ServerResponse), false);
});

test('only a response without progress between two checks is aborted', async () => {
  const { clock, request } = limitOnFakeClock(3, 5);
  const [stalled, slow, computing] = [request(), request(), request()];
  stalled.response.writableNeedDrain = true;
  slow.response.writableNeedDrain = true;
  await clock.advanceSettling(60_000);
  const waiting = request();
  await clock.advanceSettling(1_000);
  const aborted = () => [stalled, slow, computing].map(({ response }) => response.destroyed);
  assert.deepEqual(aborted(), [false, false, false]);
  slow.response.socket.bytesWritten = 1;
  await clock.advanceSettling(1_000);
  assert.deepEqual(aborted(), [true, false, false]);
  stalled.release();
  await clock.advanceSettling(0);
  assert.equal(waiting.outcome.isAdmitted, true);
});
