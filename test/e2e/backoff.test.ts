import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { eventually } from '../support/process.js';

const MAX_BACKOFF_MS = 4_000;

test('after delete_counter failures in a row a target is pinged at max_backoff until it responds', async (t) => {
  let isUp = false;
  const times: number[] = [];
  const peer = await startFarEnd(t, 'udp', (_request, good) => {
    times.push(performance.now());
    return isUp ? [good] : [good.replace('200 OK', '500 Broken')];
  });
  const uri = `127.0.0.1:${peer.port}`;
  const settings = { ping_interval: 0.2, delete_counter: 3, max_backoff: MAX_BACKOFF_MS / 1000 };
  const exporter = await startExporter(t, { destinations: [{ uri, name: 'gw', ...settings }] });
  await eventually('it backs off', () => times.length >= 5);
  const gaps = () => times.slice(1).map((time, i) => time - (times[i] ?? 0));
  // The third gap is 0.5 to 1.5 times max_backoff. On a busy machine a gap is longer, or shorter by
  // the delay of the request before it.
  const [, , third = 0, fourth = 0] = gaps();
  assert.ok(third > MAX_BACKOFF_MS / 4, `${third} ms`);
  assert.ok(fourth > MAX_BACKOFF_MS / 2, `${fourth} ms`);
  assert.equal(await exporter.isAlive('gw'), 2, 'its state is not stale');
  isUp = true;
  await eventually('it is up', async () => (await exporter.isAlive('gw')) === 1);
  const count = times.length;
  await eventually('it is pinged at its interval again', () =>
    gaps()
      .slice(count)
      .some((gap) => gap < MAX_BACKOFF_MS / 2),
  );
});
