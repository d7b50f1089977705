import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  Transaction,
  type TransactionEnd,
  type TransactionUser,
} from '../../../src/pinger/sip/transaction.js';
import { StallDetector } from '../../../src/pinger/time/stall-detector.js';
import { TimerWheel } from '../../../src/pinger/time/timer-wheel.js';
import type { Outcome, TransportFailure } from '../../../src/shared/outcome.js';
import { FakeClock } from '../../support/fake-clock.js';

const TIMEOUT: Outcome = { kind: 'failed', reason: 'timeout' };

/** A transaction on a fake clock, and a record of what it did. */
function harness(transmit: () => void = () => {}) {
  const clock = new FakeClock();
  const wheel = new TimerWheel(1);
  const stallDetector = new StallDetector();
  const sends: number[] = [];
  const ends: { readonly atMs: number; readonly outcome: Outcome; readonly again: number }[] = [];
  const lates: number[] = [];
  const counts = { unobserved: 0 };
  const user: TransactionUser = {
    transmit(isFirst) {
      assert.equal(isFirst, sends.length === 0 || isFirst);
      sends.push(clock.now());
      transmit();
    },
    answeredLate: () => lates.push(clock.now()),
  };
  const transaction = new Transaction({ clock, timers: wheel, stallDetector }, 0, user);
  const record = (end: TransactionEnd | undefined) => {
    if (end === 'unobserved') counts.unobserved++;
    else if (end !== undefined) {
      ends.push({ atMs: clock.now(), outcome: end, again: transaction.retransmissions });
    }
  };
  const receive = (status: number) => record(transaction.receive(status));
  const timerFired = () => record(transaction.timerFired());
  const runUntil = (ms: number) => {
    while (clock.now() < ms) {
      clock.advance(1);
      wheel.advance(clock.now(), 1, timerFired);
    }
  };
  return {
    ...{ clock, wheel, transaction, stallDetector, counts, sends, ends, lates },
    ...{ record, receive, timerFired, runUntil },
  };
}

/** What reaches the transaction: a status code, garbage, or a failure of the transport. */
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
    name: 'the deadline counts from the first send and cancels timer E',
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
    name: 'no retransmissions after a 1xx on a reliable transport',
    timeoutMs: 32_000,
    isReliable: true,
    stimuli: [[100, 100]],
    sends: [0],
    end: [32_000, TIMEOUT],
  },
  {
    name: 'a timer E that runs when a 1xx arrives fires once more, and then every T2',
    timeoutMs: 20_000,
    stimuli: [[600, 100]],
    sends: [0, 500, 1500, 5500, 9500, 13_500, 17_500],
    end: [20_000, TIMEOUT],
  },
  {
    name: 'a 1xx before the first retransmission does not move it',
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
    name: 'a final answer stops everything, and its copies are not counted as late',
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
    name: 'the round trip counts from the first send, whichever send is answered',
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
    name: 'a late 1xx is not counted',
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
    name: 'a malformed answer ends it',
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
  for (const { name, timeoutMs, isReliable = false, stimuli = [], ...expected } of ROWS) {
    test(name, () => {
      const { transaction, wheel, sends, ends, lates, record, receive, runUntil } = harness();
      assert.equal(transaction.isPending, false);
      transaction.start(timeoutMs, isReliable);
      assert.equal(transaction.isPending, true);
      for (const [atMs, stimulus] of stimuli) {
        runUntil(atMs);
        if (typeof stimulus === 'number') receive(stimulus);
        else if (stimulus === 'malformed') record(transaction.receiveMalformed('torn'));
        else record(transaction.fail({ reason: stimulus }));
      }
      runUntil(40_000);
      assert.deepEqual(sends, expected.sends);
      const [atMs, outcome] = expected.end;
      assert.deepEqual(ends, [{ atMs, outcome, again: expected.sends.length - 1 }]);
      assert.deepEqual(lates, expected.lates ?? []);
      assert.equal(transaction.isPending, false);
      assert.equal(wheel.size, 0);
    });
  }
});

describe('a transaction', () => {
  test('measures the round trip in microseconds', () => {
    const { clock, transaction, receive, ends } = harness();
    clock.advance(0.125);
    transaction.start(5000, false);
    clock.advance(12.3456);
    receive(200);
    assert.deepEqual(ends[0]?.outcome, answered(200, 12_346));
  });

  test('that fails during a send ends at once', () => {
    const { transaction, record, ends, sends } = harness(() =>
      record(transaction.fail({ reason: 'local' })),
    );
    transaction.start(5000, false);
    assert.deepEqual(sends, [0]);
    assert.deepEqual(ends, [{ atMs: 0, outcome: failed('local'), again: 0 }]);
  });

  test('that is abandoned reports nothing', () => {
    const { transaction, wheel, ends, lates, receive, runUntil } = harness();
    transaction.start(1000, false);
    transaction.abandon();
    assert.equal(wheel.size, 0);
    receive(200);
    runUntil(2000);
    receive(200);
    assert.deepEqual([ends, lates], [[], []]);
  });

  test('can start again after its end', () => {
    const { clock, transaction, sends, ends, receive, runUntil } = harness();
    transaction.start(1000, false);
    runUntil(1500);
    assert.equal(transaction.awaitsLate, true);
    transaction.start(1000, false);
    assert.equal(transaction.awaitsLate, false);
    runUntil(2100);
    receive(200);
    assert.deepEqual(sends, [0, 500, 1500, 2000]);
    assert.deepEqual(ends[1]?.outcome, answered(200, 600_000));
    assert.equal(ends[1]?.again, 1);
    assert.equal(clock.now(), 2100);
  });

  test('that starts again after a timeout no longer expects a late answer', () => {
    const { transaction, ends, lates, receive, runUntil } = harness();
    transaction.start(1000, false);
    runUntil(1000);
    assert.deepEqual([ends.length, transaction.awaitsLate], [1, true]);
    transaction.start(1000, false);
    assert.equal(transaction.awaitsLate, false);
    receive(200);
    receive(200);
    assert.deepEqual([ends.length, lates], [2, []]);
  });
});

describe('a stall of the thread', () => {
  /** A ping with a timeout of 1 s that starts at 0; the thread stalls from 400 ms until `untilMs`. */
  function stalled(untilMs: number) {
    const it = harness();
    it.transaction.start(1000, false);
    it.runUntil(400);
    it.stallDetector.expect(401);
    it.clock.advance(untilMs - 400);
    assert.equal(it.stallDetector.check(it.clock.now()), true);
    return it;
  }
  /** As the loop does once it has read the sockets. */
  function catchUp({ stallDetector, wheel, clock, timerFired }: ReturnType<typeof harness>) {
    stallDetector.caughtUp(clock.now());
    wheel.advance(clock.now(), 1, timerFired);
  }

  test('leaves an answer that was read before the deadline without a round-trip time', () => {
    const it = stalled(900);
    it.receive(200);
    assert.deepEqual(it.ends[0]?.outcome, { kind: 'answered', code: 200, rttMicros: undefined });
  });

  test('beyond the deadline leaves unknown whether an answer arrived in time', () => {
    const it = stalled(5000);
    it.receive(200);
    catchUp(it);
    assert.deepEqual([it.ends.length, it.counts.unobserved, it.lates.length], [0, 1, 0]);
  });

  test('that prevented a retransmission leaves unknown whether it would have been answered', () => {
    const it = stalled(5000);
    catchUp(it);
    assert.deepEqual([it.ends.length, it.counts.unobserved], [0, 1]);
  });

  test('that prevented nothing does not change a timeout', () => {
    const it = harness();
    it.transaction.start(300, false);
    it.runUntil(200);
    it.stallDetector.expect(201);
    it.clock.advance(5000);
    assert.equal(it.stallDetector.check(it.clock.now()), true);
    catchUp(it);
    assert.deepEqual([it.ends[0]?.outcome, it.counts.unobserved], [TIMEOUT, 0]);
  });

  test('that is over changes nothing for later answers', () => {
    const it = stalled(600);
    catchUp(it);
    it.clock.advance(100);
    it.receive(200);
    assert.deepEqual(it.ends[0]?.outcome, { kind: 'answered', code: 200, rttMicros: 700_000 });
  });
});

test('an answer after the deadline but before the timer is a timeout and a late answer', () => {
  const it = harness();
  it.transaction.start(1000, false);
  it.runUntil(999);
  it.clock.advance(1);
  it.receive(200);
  assert.deepEqual([it.ends[0]?.outcome, it.lates], [TIMEOUT, [1000]]);
});

describe('time stamps of the kernel', () => {
  const stamped = (atMs: number, sentAtMs?: number) => {
    const it = harness();
    it.transaction.start(1_000, false);
    return { ...it, take: () => it.record(it.transaction.receive(200, atMs, true, sentAtMs)) };
  };

  test('give the round-trip time, whenever the answer is read', () => {
    const it = stamped(2.5, 0.25);
    it.clock.advance(20);
    it.take();
    assert.deepEqual(it.ends[0]?.outcome, answered(200, 2_250));
  });

  test('show that an answer in the socket during a stall was in time, with its round-trip time', () => {
    const it = stamped(900, 1);
    it.clock.advance(5_000);
    it.stallDetector.expect(401);
    it.stallDetector.check(it.clock.now());
    it.take();
    assert.deepEqual(it.ends[0]?.outcome, answered(200, 899_000));
    assert.equal(it.counts.unobserved, 0);
  });

  test('show that an answer arrived after the deadline, also after a stall', () => {
    const it = stamped(1_001, 1);
    it.clock.advance(5_000);
    it.stallDetector.expect(401);
    it.stallDetector.check(it.clock.now());
    it.take();
    assert.deepEqual([it.ends[0]?.outcome, it.lates.length], [TIMEOUT, 1]);
  });

  test('with a step of the wall clock between them give no round-trip time, and the answer counts', () => {
    const it = stamped(2, Number.NaN);
    it.take();
    assert.deepEqual(it.ends[0]?.outcome, { kind: 'answered', code: 200, rttMicros: undefined });
  });

  test('that put an answer before its request give a round-trip time of 0', () => {
    const it = stamped(1, 1.001);
    it.take();
    assert.deepEqual(it.ends[0]?.outcome, answered(200, 0));
  });
});
