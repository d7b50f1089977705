import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MonitoredDestination } from '../../../src/pinger/monitor/destination.js';
import { Outbox } from '../../../src/pinger/monitor/outbox.js';
import { VerdictTracker } from '../../../src/pinger/monitor/verdicts.js';
import { type Pause, Scheduler } from '../../../src/pinger/time/scheduler.js';
import { TimerWheel } from '../../../src/pinger/time/timer-wheel.js';
import { NO_PEERS, type PingSettings } from '../../../src/shared/destination.js';
import { Faults } from '../../../src/shared/faults.js';
import { createLedger } from '../../../src/shared/ledger/layout.js';
import { LedgerWriter } from '../../../src/shared/ledger/writer.js';
import type { Outcome } from '../../../src/shared/outcome.js';
import { responseCodes } from '../../../src/shared/status-codes.js';
import { parseUri } from '../../../src/shared/uri.js';
import { FakeClock } from '../../support/fake-clock.js';
import { settings } from '../../support/settings.js';

const ALIVE: Outcome = { kind: 'answered', code: 200, rttMicros: 1000 };
const DEAD: Outcome = { kind: 'failed', reason: 'timeout', detail: '' };
const LOCAL: Outcome = { kind: 'failed', reason: 'local', detail: '' };

/** The verdicts about targets whose pings end as the test says. */
function verdictRig(clock = new FakeClock()) {
  const writer = new LedgerWriter(createLedger(), () => clock.epoch());
  const faults = new Faults({ now: () => clock.now(), log: (line) => assert.fail(line.message) });
  const verdicts = new VerdictTracker(clock, writer, new Outbox(() => {}, faults));
  const monitored = (given: PingSettings): MonitoredDestination => {
    const slot = { index: 0, generation: 1 };
    const uri = parseUri('sip:192.0.2.1');
    return {
      ...{ slot, uri, hop: uri, codes: responseCodes(given), isFollowed: false },
      destination: { name: 'gw', uri: 'sip:192.0.2.1', settings: given },
      ...{ targets: [], peers: NO_PEERS, server: '', serverDueMs: 0 },
      ...{ resolvedAtMs: undefined, errors: [] },
    };
  };
  return { writer, verdicts, monitored };
}

const exact = (ms: number): Pause => ({ ms, isExact: true });
const inPhase = (ms: number): Pause => ({ ms, isExact: false });
const [INTERVAL, RETRY, DOWN, BACKOFF] = [
  inPhase(30_000),
  exact(2_000),
  inPhase(10_000),
  inPhase(300_000),
];

const QUICK = { intervalMs: 30_000, retryIntervalMs: 2_000, downIntervalMs: 10_000 };
const SAME = { intervalMs: 30_000, retryIntervalMs: 30_000, downIntervalMs: 30_000 };
const OUTCOMES = { o: ALIVE, x: DEAD, l: LOCAL } as const;

/** A 503 with a Retry-After of this time. */
const busy = (retryAfterMs: number): Outcome => ({
  ...{ kind: 'answered', code: 503, rttMicros: 1000, retryAfterMs },
});

describe('the pause after each ping (o: alive, x: failed, l: local error)', () => {
  for (const [what, change, pings, wanted] of [
    ['fall 1', { ...QUICK, fall: 1 }, 'oxo', [INTERVAL, DOWN, INTERVAL]],
    ['fall 2', { ...QUICK, fall: 2 }, 'oxxx', [INTERVAL, RETRY, DOWN, DOWN]],
    ['fall 3', { ...QUICK, fall: 3 }, 'oxxxx', [INTERVAL, RETRY, RETRY, DOWN, DOWN]],
    ['fall 3, one lost', { ...QUICK, fall: 3 }, 'oxoo', [INTERVAL, RETRY, INTERVAL, INTERVAL]],
    ['rise 1', { ...QUICK, rise: 1 }, 'xoo', [DOWN, INTERVAL, INTERVAL]],
    ['rise 2', { ...QUICK, rise: 2 }, 'xoo', [DOWN, RETRY, INTERVAL]],
    ['rise 2, failed again', { ...QUICK, rise: 2 }, 'xoxx', [DOWN, RETRY, DOWN, DOWN]],
    ['the first pings with rise 3', { ...QUICK, rise: 3 }, 'ooo', [RETRY, RETRY, INTERVAL]],
    ['the first pings with fall 2', { ...QUICK, fall: 2 }, 'xx', [RETRY, DOWN]],
    [
      'the first pings, alternating',
      { ...QUICK, rise: 2, fall: 2 },
      'xoxoo',
      [RETRY, RETRY, RETRY, RETRY, INTERVAL],
    ],
    ['a local error first', { ...QUICK, fall: 2 }, 'llo', [INTERVAL, INTERVAL, INTERVAL]],
    [
      'a local error while up',
      { ...QUICK, fall: 2 },
      'ollo',
      [INTERVAL, INTERVAL, INTERVAL, INTERVAL],
    ],
    [
      'a local error while unconfirmed confirms nothing',
      { ...QUICK, fall: 2 },
      'oxlllx',
      [INTERVAL, RETRY, RETRY, RETRY, RETRY, DOWN],
    ],
    ['a local error while down', { ...QUICK, fall: 1 }, 'xll', [DOWN, DOWN, DOWN]],
    [
      'delete_counter 4',
      { ...QUICK, fall: 2, deleteCounter: 4 },
      'xxxxxo',
      [RETRY, DOWN, DOWN, BACKOFF, BACKOFF, INTERVAL],
    ],
    [
      'delete_counter 2 and rise 2',
      { ...QUICK, rise: 2, deleteCounter: 2 },
      'xxxoxx',
      [DOWN, BACKOFF, BACKOFF, RETRY, DOWN, BACKOFF],
    ],
    [
      'delete_counter below fall',
      { ...QUICK, fall: 3, deleteCounter: 1 },
      'oxxx',
      [INTERVAL, RETRY, RETRY, BACKOFF],
    ],
    [
      'a max_backoff below ping_interval',
      { ...QUICK, deleteCounter: 1, maxBackoffMs: 5_000 },
      'x',
      [INTERVAL],
    ],
    [
      'a max_backoff below down_interval',
      { ...QUICK, downIntervalMs: 600_000, deleteCounter: 1 },
      'x',
      [inPhase(600_000)],
    ],
    [
      'none of these settings',
      { ...SAME, fall: 3, rise: 2 },
      'oxxxxoo',
      [INTERVAL, INTERVAL, INTERVAL, INTERVAL, INTERVAL, INTERVAL, INTERVAL],
    ],
  ] as const satisfies readonly (readonly [string, object, string, readonly Pause[]])[]) {
    test(`with ${what}: ${pings}`, () => {
      const { writer, verdicts, monitored } = verdictRig();
      const slot = writer.openTarget(0);
      const destination = monitored(settings(change));
      const pauses = [...pings].map((ping) => {
        const outcome = OUTCOMES[ping as keyof typeof OUTCOMES];
        verdicts.ended(destination, slot, outcome, 0);
        return verdicts.pause(destination, slot);
      });
      assert.deepEqual(pauses, wanted);
    });
  }

  test('follows new settings from the next ping on', () => {
    const { writer, verdicts, monitored } = verdictRig();
    const slot = writer.openTarget(0);
    const before = monitored(settings({ ...SAME, fall: 5 }));
    for (const outcome of [ALIVE, DEAD, DEAD]) verdicts.ended(before, slot, outcome, 0);
    assert.deepEqual(verdicts.pause(before, slot), INTERVAL);
    const after = monitored(settings({ ...QUICK, fall: 3 }));
    assert.deepEqual(verdicts.pause(after, slot), RETRY);
    verdicts.ended(after, slot, DEAD, 0);
    assert.deepEqual(verdicts.pause(after, slot), DOWN);
  });
});

describe('a Retry-After', () => {
  const RESPECTED = { ...QUICK, respectRetryAfter: true, timeoutMs: 1_000, maxBackoffMs: 120_000 };
  for (const [what, change, outcomes, wanted] of [
    ['is not respected by default', QUICK, [busy(60_000)], [DOWN]],
    ['plus the timeout is the pause', RESPECTED, [busy(60_000)], [exact(61_000)]],
    ['is limited to max_backoff', RESPECTED, [busy(600_000)], [exact(120_000)]],
    ['of 136 years is limited, too', RESPECTED, [busy(1000 * (2 ** 32 - 1))], [exact(120_000)]],
    ['does not shorten down_interval', RESPECTED, [busy(0)], [exact(10_000)]],
    [
      'does not shorten down_interval above max_backoff',
      { ...RESPECTED, downIntervalMs: 600_000 },
      [busy(300_000)],
      [exact(600_000)],
    ],
    [
      'does not shorten the pause of delete_counter',
      { ...RESPECTED, deleteCounter: 1 },
      [busy(60_000)],
      [exact(120_000)],
    ],
    [
      'does not delay the pings that confirm a failure',
      { ...RESPECTED, fall: 3 },
      [ALIVE, busy(60_000), busy(60_000), busy(60_000)],
      [INTERVAL, RETRY, RETRY, exact(61_000)],
    ],
    [
      'counts for the next ping only',
      RESPECTED,
      [busy(60_000), DEAD, busy(60_000), ALIVE],
      [exact(61_000), DOWN, exact(61_000), INTERVAL],
    ],
  ] as const satisfies readonly (readonly [
    string,
    object,
    readonly Outcome[],
    readonly Pause[],
  ])[]) {
    test(what, () => {
      const { writer, verdicts, monitored } = verdictRig();
      const slot = writer.openTarget(0);
      const destination = monitored(settings(change));
      const pauses = outcomes.map((outcome) => {
        verdicts.ended(destination, slot, outcome, 0);
        const retryAfterMs = outcome.kind === 'answered' ? outcome.retryAfterMs : undefined;
        return verdicts.pause(destination, slot, retryAfterMs);
      });
      assert.deepEqual(pauses, wanted);
    });
  }
});

const WINDOW_MS = 100;

/** Pings of a fleet whose gateways all die and return at the same moments. */
function fleetRig(count: number, given: PingSettings, timeoutMs: number) {
  const clock = new FakeClock();
  const { writer, verdicts, monitored } = verdictRig(clock);
  const destination = monitored(given);
  const slots = Array.from({ length: count }, (_, index) => writer.openTarget(index));
  const fleet = { isDead: false };
  /** Pings by the window in which they started. */
  const perWindow: number[] = [];
  const downAfterMs: number[] = [];
  let diedAtMs = 0;
  /** By ID: the outcome of the pending ping. */
  const outcomes: Outcome[] = [];
  const ends = new TimerWheel(count);
  const end = (id: number) => {
    const slot = slots[id] ?? assert.fail(`no target ${id}`);
    const before = writer.verdictOf(slot).state;
    verdicts.ended(destination, slot, outcomes[id] ?? assert.fail('no ping'), 0);
    const after = writer.verdictOf(slot).state;
    if (before === 'up' && after === 'down') downAfterMs.push(clock.now() - diedAtMs);
    scheduler.done(id, verdicts.pause(destination, slot));
  };
  const scheduler = new Scheduler(clock, count, (id) => {
    const window = Math.floor(clock.now() / WINDOW_MS);
    perWindow[window] = (perWindow[window] ?? 0) + 1;
    outcomes[id] = fleet.isDead ? DEAD : ALIVE;
    ends.set(id, clock.now() + (fleet.isDead ? timeoutMs : 10));
  });
  for (let id = 0; id < count; id++) {
    scheduler.add(id, `gw-${id} 10.0.${id >> 8}.${id & 255}:5060`, given.intervalMs);
  }
  return {
    downAfterMs,
    /** Runs and returns the number of pings in each window. */
    run(ms: number): number[] {
      const first = Math.ceil(clock.now() / WINDOW_MS);
      for (let i = 0; i < ms; i++) {
        clock.advance(1);
        ends.advance(clock.now(), count, end);
        scheduler.tick();
      }
      const last = Math.floor(clock.now() / WINDOW_MS);
      return Array.from({ length: last - first }, (_, i) => perWindow[first + i] ?? 0);
    },
    die() {
      fleet.isDead = true;
      diedAtMs = clock.now();
    },
    revive() {
      fleet.isDead = false;
    },
    states: () => new Set(slots.map((slot) => writer.verdictOf(slot).state)),
  };
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

describe('gateways that die and return together', () => {
  const given = settings({ ...QUICK, downIntervalMs: 5_000, fall: 3, rise: 2 });
  for (const count of [100, 10_000]) {
    test(`(${count}) are known to be down in time, and never pinged in a burst`, () => {
      const it = fleetRig(count, given, 1_000);
      it.run(60_000);
      const healthy = it.run(30_000);
      assert.equal(sum(healthy), count, 'a healthy gateway is pinged once an interval');
      it.die();
      const dying = it.run(36_000);
      assert.equal(it.downAfterMs.length, count);
      // An interval until the first ping, two retries and a timeout.
      assert.ok(Math.max(...it.downAfterMs) <= 35_010, `${Math.max(...it.downAfterMs)}`);
      assert.ok(Math.min(...it.downAfterMs) >= 5_000);
      const down = it.run(30_000);
      assert.ok(Math.abs(sum(down) - 6 * count) <= count / 20, `${sum(down)} pings`);
      it.revive();
      const returning = it.run(10_000);
      assert.deepEqual(it.states(), new Set(['up']));
      it.run(60_000);
      const again = it.run(30_000);
      assert.equal(sum(again), count);
      // The rate is highest when all of them return: within down_interval, each is pinged twice.
      const average = (2 * count * WINDOW_MS) / given.downIntervalMs;
      const limit = average + 5 * Math.sqrt(average);
      for (const windows of [healthy, dying, down, returning, again]) {
        assert.ok(Math.max(...windows) <= limit, `${Math.max(...windows)} of ${limit}`);
      }
    });
  }
});
