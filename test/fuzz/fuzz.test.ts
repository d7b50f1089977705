import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fuzzer } from './fuzzer.js';
import { Random } from './random.js';
import { TARGETS } from './targets.js';

/** Fixed, so that the inputs are the same each time. */
const SEED = 1;
const EXECUTIONS = 250;

describe('the fuzzer', () => {
  for (const [name, target] of TARGETS) {
    test(`${name}: its properties hold for ${EXECUTIONS} inputs made from the corpus`, async () => {
      const errors: unknown[] = [];
      const fuzzer = new Fuzzer({
        target,
        seed: SEED,
        isOver: (executions) => executions >= EXECUTIONS,
        begin: () => {},
        onFinding: ({ error, input }) =>
          errors.push(error, input.toString('latin1').slice(0, 2000)),
      });
      const { executions } = await fuzzer.run();
      assert.ok(executions >= EXECUTIONS);
      assert.deepEqual(errors, []);
    });
  }

  test('finds an input that takes several mutations in a row', async () => {
    let found = 0;
    const gate = {
      seeds: [Buffer.from('aaaa')],
      dictionary: ['f', 'u', 'z', 'z'],
      run: (input: Buffer) => {
        if (input.toString('latin1').includes('fuzz')) throw new Error('found');
      },
    };
    const fuzzer = new Fuzzer({
      ...{ target: gate, seed: SEED, begin: () => {} },
      isOver: (executions) => found > 0 || executions >= 200_000,
      onFinding: () => found++,
    });
    await fuzzer.run();
    assert.ok(found > 0);
  });

  test('makes the same inputs for the same seed', () => {
    const [a, b] = [new Random(7), new Random(7)];
    const draw = (random: Random) => Array.from({ length: 50 }, () => random.below(1000));
    assert.deepEqual(draw(a), draw(b));
  });
});
