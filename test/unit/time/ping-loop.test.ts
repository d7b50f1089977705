import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PingLoop } from '../../../src/pinger/time/ping-loop.js';
import { Scheduler } from '../../../src/pinger/time/scheduler.js';
import { StallDetector } from '../../../src/pinger/time/stall-detector.js';
import { TimerWheel } from '../../../src/pinger/time/timer-wheel.js';
import { Faults } from '../../../src/shared/faults.js';
import { FakeClock } from '../../support/fake-clock.js';

/** A loop over polled sockets whose peer answers after `rttMs`. */
function setUp({ targets, intervalMs, rttMs }: Record<'targets' | 'intervalMs' | 'rttMs', number>) {
  const clock = new FakeClock();
  const timers = new TimerWheel(1000);
  const stallDetector = new StallDetector();
  const faults = new Faults({ now: () => clock.now(), log: () => {} });
  const log: string[] = [];
  const answers: { readonly id: number; readonly atMs: number }[] = [];
  const counts = { drains: 0, answered: 0, lateMs: 0 };
  let queued: number[] = [];
  const sockets = {
    lastSentMs: Number.NEGATIVE_INFINITY,
    drain: () => {
      counts.drains++;
      while ((answers[0]?.atMs ?? Number.POSITIVE_INFINITY) <= clock.now()) {
        const { id = 0 } = answers.shift() ?? {};
        log.push(`answer ${id}`);
        counts.answered++;
        timers.clear(id);
        scheduler.done(id, { ms: intervalMs, isExact: false });
      }
    },
    flush: () => {
      if (queued.length > 0) sockets.lastSentMs = clock.now();
      for (const id of queued) answers.push({ id, atMs: clock.now() + rttMs });
      queued = [];
    },
  };
  const scheduler = new Scheduler(
    clock,
    1000,
    (id, latenessMs) => {
      counts.lateMs = Math.max(counts.lateMs, latenessMs);
      queued.push(id);
      timers.set(id, clock.now() + 1000);
    },
    true,
  );
  const loop: PingLoop = new PingLoop({
    ...{ clock, timers, scheduler, stallDetector, faults, sockets },
    onTimer: (id) => log.push(`timer ${id}`),
    heartbeat: () => {},
    onStall: () => log.push('stall'),
    received: () => 0,
    afterReads: (callback) => callback(),
  });
  for (let id = 0; id < targets; id++) scheduler.add(id, `target ${id}`, intervalMs);
  loop.start();
  return { clock, loop, scheduler, sockets, counts, log, queue: (id: number) => queued.push(id) };
}

describe('polled sockets', () => {
  test('are read before timers fire: an answer that arrived in time ends its ping', () => {
    const it = setUp({ targets: 1, intervalMs: 10_000, rttMs: 999.5 });
    it.clock.advance(1_100);
    assert.deepEqual(it.log, ['answer 0']);
  });

  test('are read soon after a send, and less and less often while nothing comes', () => {
    const quick = setUp({ targets: 1, intervalMs: 60_000, rttMs: 1 });
    quick.clock.advance(10);
    assert.equal(quick.counts.answered, 1, 'a millisecond later it is read');
    const silent = setUp({ targets: 1, intervalMs: 60_000, rttMs: 900 });
    silent.clock.advance(900);
    assert.ok(silent.counts.drains < 30, `${silent.counts.drains} reads in 900 ms`);
  });

  test('are read twice a second while nothing is in flight', () => {
    const it = setUp({ targets: 1, intervalMs: 60_000, rttMs: 1 });
    it.clock.advance(1_000);
    const before = it.counts.drains;
    it.clock.advance(50_000);
    assert.ok(it.counts.drains - before <= 110, `${it.counts.drains - before} reads in 50 s`);
    assert.ok(it.counts.drains - before >= 80, `${it.counts.drains - before} reads in 50 s`);
  });

  test('are read once a batch at a high rate, and no ping counts as late for waiting for its batch', () => {
    const it = setUp({ targets: 1000, intervalMs: 1_000, rttMs: 1 });
    it.clock.advance(5_000);
    const { drains, answered } = it.counts;
    it.counts.lateMs = 0;
    it.clock.advance(10_000);
    assert.equal(it.scheduler.tickMs, 20);
    assert.ok(it.counts.drains - drains <= 1001, `${it.counts.drains - drains} reads in 10 s`);
    const rate = (it.counts.answered - answered) / 10;
    assert.ok(rate > 990 && rate < 1010, `${rate} pings a second`);
    assert.equal(it.counts.lateMs, 0);
  });

  test('send what is queued between two ticks at once', async () => {
    const it = setUp({ targets: 0, intervalMs: 1_000, rttMs: 1 });
    it.queue(7);
    it.loop.flushSoon();
    await Promise.resolve();
    assert.equal(it.sockets.lastSentMs, it.clock.now());
    it.clock.advance(5);
    assert.deepEqual(it.log, ['answer 7']);
  });
});
