import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LocateResult } from '../../../src/pinger/dns/locate.js';
import { locateQuery } from '../../../src/pinger/dns/locate.js';
import { Refresher, type RefresherListener } from '../../../src/pinger/dns/refresher.js';
import { Faults } from '../../../src/shared/faults.js';
import { parseUri } from '../../../src/shared/uri.js';
import { FakeClock } from '../../support/fake-clock.js';
import { settings } from '../../support/settings.js';

const QUERY = locateQuery(parseUri('a.test'), settings());
const TTLS = { minTtlMs: 5_000, maxTtlMs: 60_000 };
const FAILED = { kind: 'failed', reason: 'timeout', detail: 'silence', errors: [] } as const;

/** A refresher of one name; `change` replaces parts of its listener. */
function setUp(
  result: (clock: FakeClock) => LocateResult,
  change: Partial<RefresherListener> = {},
) {
  const clock = new FakeClock();
  const lookedUpAtMs: number[] = [];
  const logged: string[] = [];
  const events: string[] = [];
  const faults = new Faults({
    now: () => clock.now(),
    log: ({ event, fields }) => logged.push(`${event} ${fields['place']}`),
  });
  const locate = async () => {
    lookedUpAtMs.push(clock.now());
    return result(clock);
  };
  const refresher = new Refresher(clock, { locate }, TTLS, faults, {
    located: () => events.push('located'),
    locateFailed: (_id, _result, isFirst) => events.push(isFirst ? 'failed first' : 'failed again'),
    resolved: (micros) => events.push(`${micros} us`),
    ...change,
  });
  refresher.add(1, QUERY);
  return { clock, refresher, lookedUpAtMs, logged, events, faults };
}

const broken = () => {
  throw new Error('a bug');
};

describe('a name is looked up again', () => {
  const located =
    (ttlMs: number) =>
    (clock: FakeClock): LocateResult => ({
      ...{ kind: 'located', locations: [], lookupError: undefined, errors: [] },
      expiresAtMs: clock.now() + ttlMs,
    });

  for (const [ttlMs, everyMs] of [
    [1_000, 5_000],
    [20_000, 20_000],
    [3_600_000, 60_000],
  ] as const) {
    test(`after ${everyMs} ms when its records last ${ttlMs} ms`, async () => {
      const it = setUp(located(ttlMs));
      await it.clock.advanceSettling(2 * everyMs);
      assert.deepEqual(it.lookedUpAtMs, [0, everyMs, 2 * everyMs]);
      assert.deepEqual(it.events.slice(0, 2), ['located', '0 us']);
    });
  }

  test('after a failure with pauses that double up to 30 s', async () => {
    const it = setUp(() => FAILED);
    await it.clock.advanceSettling(91_000);
    assert.deepEqual(it.lookedUpAtMs, [0, 1_000, 3_000, 7_000, 15_000, 31_000, 61_000, 91_000]);
    assert.deepEqual(it.events.slice(0, 3), ['failed first', '0 us', 'failed again']);
  });

  test('after the lookup itself threw: it is logged as an internal error and is a local failure', async () => {
    const it = setUp(broken);
    await it.clock.advanceSettling(1_000);
    assert.deepEqual(it.lookedUpAtMs, [0, 1_000]);
    assert.deepEqual(it.events.slice(0, 1), ['failed first']);
    assert.deepEqual([it.logged, it.faults.count], [['internal_error lookup'], 2]);
  });

  for (const member of ['located', 'locateFailed', 'resolved'] as const) {
    test(`also when the listener throws in ${member}, and that is logged as an internal error`, async () => {
      const result = member === 'locateFailed' ? () => FAILED : located(1_000);
      const it = setUp(result, { [member]: broken });
      await it.clock.advanceSettling(10_000);
      assert.ok(it.lookedUpAtMs.length >= 3, String(it.lookedUpAtMs));
      assert.deepEqual(it.logged, ['internal_error result of a lookup']);
      assert.equal(it.faults.count, it.lookedUpAtMs.length);
    });
  }

  test('until it is removed, or the refresher is closed; a lookup that is under way then is ignored', async () => {
    for (const stop of ['remove', 'close'] as const) {
      const it = setUp(() => FAILED);
      it.refresher[stop](1);
      await it.clock.advanceSettling(60_000);
      assert.deepEqual([it.lookedUpAtMs, it.events, it.clock.pending], [[0], [], 0]);
    }
  });
});
