import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appRig } from '../../support/app-rig.js';
import { IDLE_STATUS } from '../../support/idle-app.js';

const UP = { verdict: { state: 'up', run: 1 } } as const;

test('/api/v1/status counts the destinations as the status page shows them', async (t) => {
  const { add, clock, json } = await appRig(t);
  const status = async () => (await json('/api/v1/status')).body as { states: unknown };
  const none = { down: 0, degraded: 0, unknown: 0, draining: 0, up: 0 };
  assert.deepEqual(await status(), {
    ...IDLE_STATUS,
    ...{ now: '2023-11-14T22:13:20.000Z', destinations: 0, states: none },
    ready: { ok: true, reason: null },
  });
  add('new');
  for (const [name, reason] of [
    ['down', 'timeout'],
    ['draining', 'draining'],
  ] as const) {
    const added = add(name);
    added.ping({ reason });
    added.become('down', reason);
  }
  for (let i = 0; i < 450; i++) {
    const added = add(`up ${i}`);
    added.ping();
    added.become('up');
  }
  const degraded = add('degraded');
  for (let i = 0; i < 2; i++) degraded.ping({ ...UP, reason: 'timeout' });
  degraded.ping();
  degraded.become('up');
  const counts = { down: 1, degraded: 1, unknown: 1, draining: 1, up: 450 };
  assert.deepEqual((await status()).states, counts);
  // Requests at the same time get the same count.
  const both = await Promise.all([status(), status()]);
  for (const { states } of both) assert.deepEqual(states, counts);
  // What no ping has confirmed for long is unknown, and not degraded.
  clock.advance(3_600_000);
  assert.deepEqual((await status()).states, { ...none, unknown: 454 });
});

test('/api/v1/status says why the exporter is not ready', async (t) => {
  const reject = () => Promise.reject(new Error('unused'));
  const pinger = { isReady: false, probe: reject, explanation: reject };
  const { json } = await appRig(t, { pinger });
  const { body } = await json('/api/v1/status');
  const { ready } = body as { ready: unknown };
  assert.deepEqual(ready, { ok: false, reason: 'The pinger thread is not running' });
});
