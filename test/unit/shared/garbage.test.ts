import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runToEnd } from '../../support/process.js';

const GARBAGE = new URL('../../../src/shared/garbage.js', import.meta.url).href;
const PROGRAM = `
const { freeGarbage } = await import(${JSON.stringify(GARBAGE)});
let garbage = Array.from({ length: 300_000 }, () => ({}));
const used = () => process.memoryUsage().heapUsed;
const before = used();
garbage = undefined;
freeGarbage();
console.log(before - used() > 3e6);
`;

/** Node.js 20 has no such choice. */
const CAN_FREE = Number.parseInt(process.versions.node, 10) >= 22;

test('garbage is freed where the collector is exposed', () => {
  for (const [flags, isFreed] of [
    [['--expose-gc'], CAN_FREE],
    [[], false],
  ] as const) {
    const args = [...flags, '--input-type=module', '-e', PROGRAM];
    assert.equal(runToEnd(process.execPath, args).output, `${isFreed}\n`);
  }
});
