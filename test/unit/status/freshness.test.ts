import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { State } from '../../../src/shared/state.js';
import { effectiveState, lastSeenMs } from '../../../src/status/freshness.js';
import { settings } from '../../support/settings.js';
import { statusRig } from '../../support/status-rig.js';

describe('a state stays for three intervals and a timeout after the last sign of the peer', () => {
  const base = { intervalMs: 10_000, timeoutMs: 2_000 };
  const slow = { ...base, deleteCounter: 5, maxBackoffMs: 60_000 };
  const rare = { ...base, downIntervalMs: 40_000 };
  const quick = { ...base, retryIntervalMs: 3_000, downIntervalMs: 5_000 };
  const patient = { ...base, respectRetryAfter: true, maxBackoffMs: 60_000 };
  const one = [{ address: '192.0.2.1:5060' }];
  for (const [what, change, targets, state, lastsMs] of [
    ['of a destination that is up', base, one, 'up', 32_000],
    ['of one that is down', base, one, 'down', 32_000],
    ['of one that is down and pinged less often', slow, one, 'down', 182_000],
    ['of one that may be down until its Retry-After', patient, one, 'down', 182_000],
    ['of one that is up, whatever its Retry-After was', patient, one, 'up', 32_000],
    ['of one that is up, whatever its backoff', slow, one, 'up', 32_000],
    ['of one that is down, and pinged less often then', rare, one, 'down', 122_000],
    ['of one that is up, and pinged less often while down', rare, one, 'up', 32_000],
    ['of one that is down, and pinged more often then', quick, one, 'down', 32_000],
    ['of a name without addresses, which is looked up every 30 s', base, [], 'down', 92_000],
  ] as const satisfies readonly (readonly [string, object, readonly object[], State, number])[]) {
    test(what, () => {
      const { clock, status, add } = statusRig();
      const { registered } = add('gw', { settings: settings(change), targets });
      const seenMs = clock.epoch();
      clock.advance(lastsMs);
      assert.equal(effectiveState(status, registered, state, seenMs), state);
      clock.advance(1);
      assert.equal(effectiveState(status, registered, state, seenMs), 'unknown');
    });
  }
});

describe('the last sign of a destination', () => {
  test('is never, before anything is known', () => {
    assert.equal(lastSeenMs(undefined, [undefined]), 0);
  });

  test('is the newest of its state and the pings of its targets', () => {
    const { clock, status, add } = statusRig();
    const added = add('gw', {
      targets: [{ address: '192.0.2.1:5060' }, { address: '192.0.2.2:5060' }],
    });
    const { slot, targets } = added.registered;
    const seen = () =>
      lastSeenMs(
        status.ledger.destination(slot),
        targets.map((target) => status.ledger.target(target.slot)),
      );
    added.become('up');
    assert.equal(seen(), clock.epoch());
    clock.advance(1_000);
    added.ping({ reason: 'timeout' }, 1);
    assert.equal(seen(), clock.epoch());
    const seenMs = clock.epoch();
    clock.advance(1_000);
    added.ping({ reason: 'local' }, 0);
    assert.equal(seen(), seenMs, 'a local error is no sign of the peer');
  });

  test('of a name without addresses is its last lookup', () => {
    const { clock, status, writer, add } = statusRig();
    const { registered } = add('gw', { targets: [] });
    clock.advance(5_000);
    writer.recordResolutionFailure(registered.slot, 'nxdomain', false, clock.epoch());
    assert.equal(lastSeenMs(status.ledger.destination(registered.slot), []), clock.epoch());
  });
});
