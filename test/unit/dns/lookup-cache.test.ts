/** Lookups: cached until they expire, shared, and queued fairly. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LookupCache } from '../../../src/pinger/dns/lookup-cache.js';
import { LookupQueue } from '../../../src/pinger/dns/lookup-queue.js';
import type { DnsAnswer, RecordType } from '../../../src/pinger/dns/records.js';
import { FakeClock } from '../../support/fake-clock.js';

const RECORD: DnsAnswer = {
  kind: 'records',
  records: [{ type: 'A', address: '192.0.2.1', ttlSeconds: 10 }],
  ttlSeconds: 10,
};
const SERVFAIL: DnsAnswer = { kind: 'failed', reason: 'servfail', detail: '' };

/** A DNS whose queries wait until the test answers them. */
class HeldDns {
  readonly clock = new FakeClock();
  readonly queries: string[] = [];
  readonly counts = { inFlight: 0, waiting: 0, most: 0, shed: 0, cut: 0 };
  readonly #answers = new Map<string, (answer: DnsAnswer) => void>();
  readonly lookups = new LookupCache(
    this.clock,
    (name, type) => {
      this.queries.push(`${type} ${name}`);
      return new Promise((resolve) => this.#answers.set(`${type} ${name}`, resolve));
    },
    {
      setLookups: (inFlight, waiting) => {
        const most = Math.max(this.counts.most, inFlight);
        Object.assign(this.counts, { inFlight, waiting, most });
      },
      recordLookupShed: () => this.counts.shed++,
      recordRecordsCut: (count) => {
        this.counts.cut += count;
      },
    },
  );

  async answer(question: string, answer = RECORD): Promise<void> {
    const give = this.#answers.get(question);
    assert.ok(give !== undefined, `${question} is not queried`);
    this.#answers.delete(question);
    give(answer);
    await settled();
  }

  get open(): readonly string[] {
    return [...this.#answers.keys()];
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('an answer', () => {
  test('serves all requesters until it expires', async () => {
    const dns = new HeldDns();
    const all = ['a', 'b', 'c'].map((asker) => dns.lookups.forRequester(asker)('a.test', 'A'));
    await settled();
    await dns.answer('A a.test');
    assert.deepEqual(
      (await Promise.all(all)).map(({ expiresAtMs }) => expiresAtMs),
      [10_000, 10_000, 10_000],
    );
    dns.clock.advance(9_000);
    const { expiresAtMs } = await dns.lookups.forRequester('d')('a.test', 'A');
    assert.deepEqual(
      [dns.queries.length, expiresAtMs],
      [1, 10_000],
      'the time that is left is its own',
    );
    dns.clock.advance(1_000);
    void dns.lookups.forRequester('d')('a.test', 'A');
    await settled();
    assert.equal(dns.queries.length, 2);
  });

  test('that is a failure is not cached', async () => {
    const dns = new HeldDns();
    for (let i = 1; i <= 2; i++) {
      const lookedUp = dns.lookups.forRequester('a')('a.test', 'A');
      await settled();
      await dns.answer('A a.test', SERVFAIL);
      assert.equal((await lookedUp).answer.kind, 'failed');
      assert.equal(dns.queries.length, i);
    }
  });

  test('with too many records is cached in part, the most preferred first', async () => {
    const dns = new HeldDns();
    const records = Array.from({ length: 5_000 }, (_, i) => ({
      ...{ type: 'SRV' as const, priority: 5_000 - i, weight: 0, port: 5060 },
      ...{ target: `h${i}.test`, ttlSeconds: 60 },
    }));
    const lookedUp = dns.lookups.forRequester('a')('a.test', 'SRV');
    await settled();
    await dns.answer('SRV a.test', { kind: 'records', records, ttlSeconds: 60 });
    const { answer } = await lookedUp;
    assert.ok(answer.kind === 'records');
    assert.equal(answer.records.length, 1024);
    assert.ok(answer.records[0]?.type === 'SRV' && answer.records[0].priority === 1);
    assert.deepEqual([answer.cut, dns.counts.cut], [3_976, 3_976]);
  });

  test('is evicted early when the cache takes too much memory', async () => {
    const clock = new FakeClock();
    const records = Array.from({ length: 1_000 }, (_, i) => ({
      ...{ type: 'SRV' as const, priority: 1, weight: 0, port: 5060, ttlSeconds: 3_600 },
      target: `${'a'.repeat(200)}${i}.test`,
    }));
    let count = 0;
    const lookups = new LookupCache(
      clock,
      async () => {
        count++;
        return { kind: 'records', records, ttlSeconds: 3_600 };
      },
      { setLookups() {}, recordLookupShed() {}, recordRecordsCut() {} },
    );
    for (let i = 0; i < 500; i++) await lookups.forRequester('a')(`${i}.test`, 'SRV');
    assert.equal(count, 500);
    assert.ok(lookups.bytes <= 32 * 1024 * 1024, `${lookups.bytes} bytes`);
    assert.ok(lookups.bytes > 16 * 1024 * 1024, `${lookups.bytes} bytes`);
    await lookups.forRequester('a')('499.test', 'SRV');
    assert.equal(count, 500, 'the newest is there');
    await lookups.forRequester('a')('0.test', 'SRV');
    assert.equal(count, 501, 'the oldest is not');
  });

  test('that an internal error prevents is not cached, and its place is freed', async () => {
    let count = 0;
    let underWay = 0;
    const lookups = new LookupCache(
      new FakeClock(),
      async () => {
        count++;
        if (count === 1) throw new Error('ours');
        return RECORD;
      },
      {
        setLookups: (inFlight) => {
          underWay = inFlight;
        },
        recordLookupShed() {},
        recordRecordsCut() {},
      },
    );
    await assert.rejects(lookups.forRequester('a')('a.test', 'A'), /ours/);
    assert.equal(underWay, 0);
    assert.equal((await lookups.forRequester('a')('a.test', 'A')).answer.kind, 'records');
  });
});

describe('the lookup queue', () => {
  test('runs at most 64 queries, and 8 for one requester, also while one ends and another starts', async () => {
    const dns = new HeldDns();
    const ask = (asker: string, count: number) => {
      const lookUp = dns.lookups.forRequester(asker);
      for (let i = 0; i < count; i++) void lookUp(`${i}.${asker}`, 'A');
    };
    ask('hog.test', 1_500);
    await settled();
    assert.deepEqual([dns.open.length, dns.counts.waiting], [8, 1_492]);
    for (let i = 0; i < 20; i++) ask(`${i}.test`, 10);
    await settled();
    assert.deepEqual([dns.open.length, dns.counts.inFlight], [64, 64]);
    while (dns.open.length > 0) {
      const [question = ''] = dns.open;
      const answered = dns.answer(question, SERVFAIL);
      // A new requester, while the free place is being given to one that waits.
      if (dns.queries.length < 1_000)
        void dns.lookups.forRequester('new.test')(`${dns.queries.length}`, 'AAAA');
      await answered;
      assert.ok(dns.open.length <= 64, `${dns.open.length} at once`);
    }
    assert.equal(dns.counts.most, 64);
    assert.deepEqual([dns.counts.inFlight, dns.counts.waiting], [0, 0]);
  });

  test('never exceeds its limits, whatever is shared, fails or ends', async () => {
    let peak = 0;
    const step = fc.oneof(
      fc.record({ requester: fc.nat(11), name: fc.nat(199) }),
      fc.constantFrom('answer' as const, 'throw' as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 300, maxLength: 600 }), async (steps) => {
        const open: ((answer: DnsAnswer | Error) => void)[] = [];
        let inFlight = 0;
        const query = async (): Promise<DnsAnswer> => {
          inFlight++;
          peak = Math.max(peak, inFlight);
          const answer = await new Promise<DnsAnswer | Error>((resolve) => open.push(resolve));
          inFlight--;
          if (answer instanceof Error) throw answer;
          return answer;
        };
        const counts = { inFlight: 0, waiting: 0 };
        const lookups = new LookupCache(new FakeClock(), query, {
          setLookups: (flying, waiting) => Object.assign(counts, { inFlight: flying, waiting }),
          recordLookupShed: () => assert.fail('nothing is refused'),
          recordRecordsCut() {},
        });
        const results: Promise<unknown>[] = [];
        const end = (answer: DnsAnswer | Error) => open.shift()?.(answer);
        for (const one of steps) {
          if (one === 'answer') end(SERVFAIL);
          else if (one === 'throw') end(new Error('internal'));
          else {
            const lookUp = lookups.forRequester(`${one.requester}.test`);
            results.push(lookUp(`${one.name}.test`, 'A').catch(() => {}));
          }
          // Some steps fall between the end of one query and the start of the next.
          if (results.length % 3 === 0) await Promise.resolve();
          assert.ok(counts.inFlight <= 64, `${counts.inFlight} in flight`);
        }
        await settled();
        while (open.length > 0) {
          end(SERVFAIL);
          await settled();
        }
        await Promise.all(results);
        assert.deepEqual(counts, { inFlight: 0, waiting: 0 });
      }),
      { numRuns: 20, endOnFailure: true },
    );
    assert.ok(peak > 8 && peak <= 64, `${peak} at once`);
  });

  test('does not delay others when one requester has a thousand lookups', async () => {
    const dns = new HeldDns();
    const hog = dns.lookups.forRequester('hog.test');
    for (let i = 0; i < 1_500; i++) void hog(`h${i}.hog.test`, 'A');
    await settled();
    for (let i = 0; i < 20; i++) void dns.lookups.forRequester(`${i}.test`)(`${i}.test`, 'A');
    await settled();
    const others = dns.queries.filter((question) => !question.includes('hog'));
    assert.equal(others.length, 20, 'each is queried at once');
  });

  test('starts a waiting lookup early when another requester has a free place', async () => {
    const dns = new HeldDns();
    const hog = dns.lookups.forRequester('hog.test');
    for (let i = 0; i < 100; i++) void hog(`h${i}.hog.test`, 'A');
    const shared = hog('sip.carrier.test', 'A');
    const mine = dns.lookups.forRequester('carrier.test')('sip.carrier.test', 'A');
    await settled();
    assert.ok(dns.open.includes('A sip.carrier.test'));
    await dns.answer('A sip.carrier.test');
    assert.equal((await mine).answer.kind, 'records');
    assert.equal((await shared).answer.kind, 'records');
    while (dns.open.length > 0) await dns.answer(dns.open[0] ?? '', SERVFAIL);
    assert.deepEqual([dns.counts.inFlight, dns.counts.waiting], [0, 0], 'no turn is lost');
    assert.equal(dns.queries.filter((one) => one === 'A sip.carrier.test').length, 1);
  });

  test('refuses and counts lookups when it is full, as a local error', async () => {
    const dns = new HeldDns();
    const hog = dns.lookups.forRequester('hog.test');
    for (let i = 0; i < 50_008; i++) void hog(`h${i}`, 'A');
    const types: readonly RecordType[] = ['A', 'AAAA'];
    const [shed] = await Promise.all(types.map((type) => hog('one.more', type)));
    assert.ok(shed?.answer.kind === 'failed' && shed.answer.reason === 'local');
    assert.deepEqual([dns.counts.shed, dns.counts.waiting], [2, 50_000]);
    void dns.lookups.forRequester('b.test')('b.test', 'A');
    await settled();
    assert.ok(dns.queries.includes('A b.test'), 'a requester with a free place does not wait');
  });

  test('serves waiting requesters in turn', () => {
    const turns = new LookupQueue({ maxInFlight: 1, maxInFlightPerRequester: 1, maxWaiting: 100 });
    const order: string[] = [];
    for (const asker of ['a', 'a', 'a', 'b', 'b', 'c']) {
      assert.ok(turns.acquire(asker, () => order.push(asker)));
    }
    while (turns.inFlight > 0) turns.release(order.at(-1) ?? '');
    assert.equal(order.join(''), 'abcaba');
  });

  test('keeps its limits and serves all', () => {
    const asker = fc.constantFrom('a', 'b', 'c');
    fc.assert(
      fc.property(fc.array(fc.oneof(asker, fc.constant('end')), { maxLength: 60 }), (steps) => {
        const turns = new LookupQueue({
          maxInFlight: 3,
          maxInFlightPerRequester: 2,
          maxWaiting: 10,
        });
        const running: string[] = [];
        let begun = 0;
        let taken = 0;
        const check = () => {
          assert.equal(turns.inFlight, running.length);
          assert.ok(running.length <= 3 && turns.waiting <= 10);
          for (const one of ['a', 'b', 'c']) {
            assert.ok(running.filter((other) => other === one).length <= 2);
          }
        };
        const end = () => {
          const [first] = running.splice(0, 1);
          if (first !== undefined) turns.release(first);
        };
        for (const step of steps) {
          const start = () => {
            begun++;
            running.push(step);
          };
          if (step === 'end') end();
          else taken += Number(turns.acquire(step, start));
          check();
        }
        while (running.length > 0) end();
        assert.deepEqual([begun, turns.waiting, turns.inFlight], [taken, 0, 0]);
      }),
    );
  });
});
