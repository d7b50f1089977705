import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ProbeHistory } from '../../src/http/probe-history.js';
import { addressBytes, fnv32a } from '../../src/http/probe-metrics.js';
import type { ProbeReport } from '../../src/shared/probe.js';

describe('the hash of an address', () => {
  // FNV-1a of 32 bits: the vectors of its authors.
  for (const [text, hash] of [
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ] as const) {
    test(`is FNV-1a: of "${text}"`, () => assert.equal(fnv32a([...Buffer.from(text)]), hash));
  }

  for (const [address, bytes] of [
    ['192.0.2.1', 'c0000201'],
    ['::1', '00000000000000000000000000000001'],
    ['2001:db8::', '20010db8000000000000000000000000'],
    ['2001:db8:1:2:3:4:5:6', '20010db8000100020003000400050006'],
    ['fe80::1:0:2', 'fe800000000000000000000100000002'],
  ] as const) {
    test(`is taken of the bytes of ${address}`, () => {
      assert.equal(Buffer.from(addressBytes(address)).toString('hex'), bytes);
    });
  }
});

test('the history keeps a hundred probes, and a hundred that failed for longer', () => {
  const history = new ProbeHistory();
  const add = (isAlive: boolean) =>
    history.add({
      target: 'x',
      module: 'm',
      report: { isAlive, log: [] } as unknown as ProbeReport,
    });
  for (let i = 0; i < 150; i++) add(false);
  for (let i = 0; i < 120; i++) add(true);
  const kept = history.all();
  assert.equal(kept.length, 200);
  assert.deepEqual([kept[0]?.id, kept.at(-1)?.id], [270, 51], 'the newest first');
  assert.equal(history.find(50), undefined);
  assert.equal(history.find(51)?.report.isAlive, false);
  assert.equal(history.find(Number.NaN), undefined);
});
