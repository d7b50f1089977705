import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { destinationView } from '../../../src/status/describe.js';
import { statusRig } from '../../support/status-rig.js';

let rig = statusRig();
beforeEach(() => {
  rig = statusRig();
});
type Added = ReturnType<typeof rig.add>;
const UP = { verdict: { state: 'up', run: 1 } } as const;

const degraded = ({ registered }: Added) => {
  const { degraded: whole, targets } = destinationView(rig.status, registered);
  return [whole, ...targets.map((target) => target.degraded)];
};

test('a destination is degraded by its last pings, and says how', () => {
  const added = rig.add('gw');
  added.become('up');
  for (let i = 0; i < 8; i++) added.ping();
  assert.deepEqual(degraded(added), [null, null]);
  added.ping({ ...UP, reason: 'timeout' });
  assert.deepEqual(degraded(added), [null, null]);
  added.ping({ ...UP, retransmissions: 1 });
  const one = '1 of the last 10 pings failed, 1 was retransmitted';
  assert.deepEqual(degraded(added), [one, one]);
  for (let i = 0; i < 9; i++) added.ping({ rttMicros: 600_000 });
  const slow = '1 of the last 10 pings was retransmitted, 9 took 500 ms or longer';
  assert.deepEqual(degraded(added), [slow, slow]);
  added.ping({ ...UP, retransmissions: 1 });
  const newest = '1 of the last 10 pings was retransmitted, 9 took 500 ms or longer';
  assert.deepEqual(degraded(added), [newest, newest]);
});

test('only a destination that is up is degraded', () => {
  const added = rig.add('gw');
  for (let i = 0; i < 3; i++) added.ping({ reason: 'timeout' });
  added.become('down', 'timeout');
  assert.deepEqual(degraded(added), [null, null]);
  added.ping();
  added.become('up');
  const text = '3 of the last 4 pings failed';
  assert.deepEqual(degraded(added), [text, text]);
  // Nothing has confirmed the state for too long.
  rig.clock.advance(600_000);
  assert.deepEqual(degraded(added), [null, null]);
});

test('a destination that is up is degraded by a target that is down or draining', () => {
  const addresses = ['192.0.2.1:5060', '192.0.2.2:5060', '192.0.2.3:5060'];
  const added = rig.add('gw', { targets: addresses.map((address) => ({ address })) });
  added.ping();
  added.become('up');
  // Targets without a verdict are unknown, which is no trouble.
  assert.deepEqual(degraded(added), [null, null, null, null]);
  added.ping({ reason: 'timeout' }, 1);
  assert.deepEqual(degraded(added), ['1 of 3 addresses is down', null, null, null]);
  added.ping({ reason: 'draining', code: 503 }, 2);
  assert.deepEqual(degraded(added)[0], '1 of 3 addresses is down, 1 is draining');
  added.ping({ reason: 'timeout' }, 2);
  assert.deepEqual(degraded(added)[0], '2 of 3 addresses are down');
});

test('the address of a degraded target is named where there are several', () => {
  const added = rig.add('gw', {
    targets: [{ address: '192.0.2.1:5060' }, { transport: 'tls', address: '192.0.2.2:5061' }],
  });
  added.become('up');
  for (const index of [0, 1]) added.ping({}, index);
  for (let i = 0; i < 2; i++) added.ping({ rttMicros: 500_000 }, 1);
  const slow = '2 of the last 3 pings took 500 ms or longer';
  assert.deepEqual(degraded(added), [`tls 192.0.2.2:5061: ${slow}`, null, slow]);
});
