import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Transaction, type TransactionUser } from '../../../src/pinger/sip/transaction.js';
import { StallDetector } from '../../../src/pinger/time/stall-detector.js';
import { TimerWheel } from '../../../src/pinger/time/timer-wheel.js';
import type { Outcome, TransportFailure } from '../../../src/shared/outcome.js';
import { FakeClock } from '../../support/fake-clock.js';

const TIMEOUT: Outcome = { kind: 'failed', reason: 'timeout' };

/** A transaction that is let run, and what became of it. */
function harness(listener: Partial<TransactionUser> = {}) {
  const clock = new FakeClock();
  const wheel = new TimerWheel(1);
  const sends: number[] = [];
  const ends: { readonly atMs: number; readonly outcome: Outcome; readonly again: number }[] = [];
  const lates: number[] = [];
  const stallDetector = new StallDetector();
  const told = { discarded: 0 };
  const reports: TransactionUser = {
    transmit(isFirst) {
      assert.equal(isFirst, sends.length === 0 || isFirst);
      sends.push(clock.now());
      listener.transmit?.(isFirst);
    },
    ended(outcome, again) {
      ends.push({ atMs: clock.now(), outcome, again });
      listener.ended?.(outcome, again);
    },
    answeredLate: () => lates.push(clock.now()),
    discarded: () => told.discarded++,
  };
  const transaction = new Transaction(clock, wheel, 0, reports, stallDetector);
  const runUntil = (ms: number) => {
    while (clock.now() < ms) {
      clock.advance(1);
      wheel.advance(clock.now(), 1, () => transaction.ring());
    }
  };
  return { clock, wheel, transaction, stallDetector, told, sends, ends, lates, runUntil };
}

/** What reaches the transaction: a status code, nonsense, or word from the transport. */
type Stimulus = number | TransportFailure['reason'];

interface Row {
  readonly name: string;
  readonly timeoutMs: number;
  readonly isReliable?: true;
  readonly stimuli?: readonly (readonly [atMs: number, stimulus: Stimulus])[];
  readonly sends: readonly number[];
  readonly end: readonly [atMs: number, outcome: Outcome];
  readonly lates?: readonly number[];
}

const answered = (code: number, rttMicros: number): Outcome => {
  return { kind: 'answered', code, rttMicros };
};
const failed = (reason: TransportFailure['reason']): Outcome => ({ kind: 'failed', reason });

const ROWS: readonly Row[] = [
  {
    name: 'timer E doubles from T1 and is capped at T2, until timer F',
    timeoutMs: 32_000,
    sends: [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500],
    end: [32_000, TIMEOUT],
  },
  {
    name: 'the deadline counts from the first send and cuts off what timer E still had in mind',
    timeoutMs: 3000,
    sends: [0, 500, 1500],
    end: [3000, TIMEOUT],
  },
  {
    name: 'a deadline before T1 leaves one send',
    timeoutMs: 200,
    sends: [0],
    end: [200, TIMEOUT],
  },
  {
    name: 'no retransmissions on a reliable transport',
    timeoutMs: 32_000,
    isReliable: true,
    sends: [0],
    end: [32_000, TIMEOUT],
  },
  {
    name: 'none after a 1xx on a reliable transport either',
    timeoutMs: 32_000,
    isReliable: true,
    stimuli: [[100, 100]],
    sends: [0],
    end: [32_000, TIMEOUT],
  },
  {
    name: 'timer E that runs as a 1xx comes fires once more, and then every T2',
    timeoutMs: 20_000,
    stimuli: [[600, 100]],
    sends: [0, 500, 1500, 5500, 9500, 13_500, 17_500],
    end: [20_000, TIMEOUT],
  },
  {
    name: 'a 1xx before the first retransmission leaves that one in its place',
    timeoutMs: 10_000,
    stimuli: [[100, 180]],
    sends: [0, 500, 4500, 8500],
    end: [10_000, TIMEOUT],
  },
  {
    name: 'a second 1xx changes nothing',
    timeoutMs: 10_000,
    stimuli: [
      [100, 100],
      [1000, 183],
      [4000, 199],
    ],
    sends: [0, 500, 4500, 8500],
    end: [10_000, TIMEOUT],
  },
  {
    name: 'a final answer after a 1xx ends it',
    timeoutMs: 10_000,
    stimuli: [
      [100, 100],
      [700, 200],
    ],
    sends: [0, 500],
    end: [700, answered(200, 700_000)],
  },
  {
    name: 'a final answer stops everything, and its copies are nobody’s late answers',
    timeoutMs: 5000,
    stimuli: [
      [20, 200],
      [21, 200],
      [6000, 200],
    ],
    sends: [0],
    end: [20, answered(200, 20_000)],
  },
  {
    name: 'the round trip counts from the first send, whichever send was answered',
    timeoutMs: 5000,
    stimuli: [[1520, 486]],
    sends: [0, 500, 1500],
    end: [1520, answered(486, 1_520_000)],
  },
  {
    name: 'a late answer is counted once',
    timeoutMs: 1000,
    stimuli: [
      [1200, 200],
      [1201, 200],
    ],
    sends: [0, 500],
    end: [1000, TIMEOUT],
    lates: [1200],
  },
  {
    name: 'a late 1xx is no answer',
    timeoutMs: 1000,
    stimuli: [
      [1200, 100],
      [1300, 503],
    ],
    sends: [0, 500],
    end: [1000, TIMEOUT],
    lates: [1300],
  },
  {
    name: 'a failure of the transport ends it, and an answer after that is not a late one',
    timeoutMs: 5000,
    stimuli: [
      [510, 'refused'],
      [520, 'unreachable'],
      [530, 200],
    ],
    sends: [0, 500],
    end: [510, failed('refused')],
  },
  {
    name: 'an answer that cannot be understood ends it',
    timeoutMs: 5000,
    stimuli: [
      [30, 'malformed'],
      [40, 200],
    ],
    sends: [0],
    end: [30, { kind: 'failed', reason: 'malformed', detail: 'torn' }],
  },
];

describe('the non-INVITE client transaction (RFC 3261 17.1.2.2)', () => {
  for (const { name, timeoutMs, isReliable = false, stimuli = [], ...wanted } of ROWS) {
    test(name, () => {
      const { transaction, wheel, sends, ends, lates, runUntil } = harness();
      assert.equal(transaction.isPending, false);
      transaction.start(timeoutMs, isReliable);
      assert.equal(transaction.isPending, true);
      for (const [atMs, stimulus] of stimuli) {
        runUntil(atMs);
        if (typeof stimulus === 'number') transaction.receive(stimulus);
        else if (stimulus === 'malformed') transaction.receiveMalformed('torn');
        else transaction.fail({ reason: stimulus });
      }
      runUntil(40_000);
      assert.deepEqual(sends, wanted.sends);
      const [atMs, outcome] = wanted.end;
      assert.deepEqual(ends, [{ atMs, outcome, again: wanted.sends.length - 1 }]);
      assert.deepEqual(lates, wanted.lates ?? []);
      assert.equal(transaction.isPending, false);
      assert.equal(wheel.size, 0);
    });
  }
});

describe('a transaction', () => {
  test('measures the round trip in microseconds', () => {
    const { clock, transaction, ends } = harness();
    clock.advance(0.125);
    transaction.start(5000, false);
    clock.advance(12.3456);
    transaction.receive(200);
    assert.deepEqual(ends[0]?.outcome, answered(200, 12_346));
  });

  test('that fails as it is sent ends at once', () => {
    const { transaction, ends, sends } = harness({
      transmit: () => transaction.fail({ reason: 'local' }),
    });
    transaction.start(5000, false);
    assert.deepEqual(sends, [0]);
    assert.deepEqual(ends, [{ atMs: 0, outcome: failed('local'), again: 0 }]);
  });

  test('that is abandoned says nothing any more', () => {
    const { transaction, wheel, ends, lates, runUntil } = harness();
    transaction.start(1000, false);
    transaction.abandon();
    assert.equal(wheel.size, 0);
    transaction.receive(200);
    runUntil(2000);
    transaction.receive(200);
    assert.deepEqual([ends, lates], [[], []]);
  });

  test('starts afresh after its end', () => {
    const { clock, transaction, sends, ends, runUntil } = harness();
    transaction.start(1000, false);
    runUntil(1500);
    assert.equal(transaction.awaitsLate, true);
    transaction.start(1000, false);
    assert.equal(transaction.awaitsLate, false);
    runUntil(2100);
    transaction.receive(200);
    assert.deepEqual(sends, [0, 500, 1500, 2000]);
    assert.deepEqual(ends[1]?.outcome, answered(200, 600_000));
    assert.equal(ends[1]?.again, 1);
    assert.equal(clock.now(), 2100);
  });

  test('that starts again as it times out awaits no late answer', () => {
    const { transaction, ends, lates, runUntil } = harness({
      ended: () => {
        if (ends.length === 1) transaction.start(1000, false);
      },
    });
    transaction.start(1000, false);
    runUntil(1001);
    assert.equal(transaction.awaitsLate, false);
    transaction.receive(200);
    transaction.receive(200);
    assert.deepEqual(lates, []);
  });
});

describe('a stall of ours', () => {
  /** A ping of 1 s that begins at 0; the thread stands still from 400 ms on, until `untilMs`. */
  function stalled(untilMs: number) {
    const it = harness();
    it.transaction.start(1000, false);
    it.runUntil(400);
    it.stallDetector.expect(401);
    it.clock.advance(untilMs - 400);
    assert.equal(it.stallDetector.check(it.clock.now()), true);
    return it;
  }
  /** What the loop does once the sockets are read. */
  function catchUp({ stallDetector, wheel, clock, transaction }: ReturnType<typeof harness>) {
    stallDetector.caughtUp(clock.now());
    wheel.advance(clock.now(), 1, () => transaction.ring());
  }

  test('leaves an answer that was read before the deadline without a round-trip time', () => {
    const it = stalled(900);
    it.transaction.receive(200);
    assert.deepEqual(it.ends[0]?.outcome, { kind: 'answered', code: 200, rttMicros: undefined });
  });

  test('that lay over the deadline leaves open whether an answer came in time: it is discarded', () => {
    const it = stalled(5000);
    it.transaction.receive(200);
    catchUp(it);
    assert.deepEqual([it.ends.length, it.told.discarded, it.lates.length], [0, 1, 0]);
  });

  test('that kept a retransmission back leaves open whether it would have been answered', () => {
    const it = stalled(5000);
    catchUp(it);
    assert.deepEqual([it.ends.length, it.told.discarded], [0, 1]);
  });

  test('that kept nothing back does not excuse a missing answer', () => {
    const it = harness();
    it.transaction.start(300, false);
    it.runUntil(200);
    it.stallDetector.expect(201);
    it.clock.advance(5000);
    assert.equal(it.stallDetector.check(it.clock.now()), true);
    catchUp(it);
    assert.deepEqual([it.ends[0]?.outcome, it.told.discarded], [TIMEOUT, 0]);
  });

  test('that is over changes nothing for what comes after', () => {
    const it = stalled(600);
    catchUp(it);
    it.clock.advance(100);
    it.transaction.receive(200);
    assert.deepEqual(it.ends[0]?.outcome, { kind: 'answered', code: 200, rttMicros: 700_000 });
  });
});

test('an answer after the deadline, before the timer rang, is a timeout and a late answer', () => {
  const it = harness();
  it.transaction.start(1000, false);
  it.runUntil(999);
  it.clock.advance(1);
  it.transaction.receive(200);
  assert.deepEqual([it.ends[0]?.outcome, it.lates], [TIMEOUT, [1000]]);
});
