import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Journal, readJournal } from '../../src/engine/journal.js';
import { folder } from '../support/process.js';

const NOW = new Date('2026-01-02T03:04:05Z');
const FILE = 'additions.jsonl';

async function written(t: { after(end: () => unknown): void }, count: number) {
  const path = folder(t as never);
  const records: object[] = [];
  const options = { folder: path, all: () => records, count: () => records.length };
  const journal = new Journal(options);
  await journal.start();
  const appended = Array.from({ length: count }, (_, i) => ({ n: i, text: 'é\n"' }));
  await Promise.all(appended.map((record) => journal.append(record)));
  await journal.close();
  return { path, appended };
}

test('what was appended is read in its order', async (t) => {
  const { path, appended } = await written(t, 50);
  assert.deepEqual(readJournal(path, NOW), { records: appended, damage: undefined });
  assert.deepEqual(readdirSync(path), [FILE]);
});

test('a folder that is not there is made, and holds nothing', (t) => {
  const path = join(folder(t), 'a', 'b');
  assert.deepEqual(readJournal(path, NOW), { records: [], damage: undefined });
  assert.ok(existsSync(path));
});

test('cut off at every byte: every whole record is read, and what is not whole is told and set aside', async (t) => {
  const { path, appended } = await written(t, 6);
  const bytes = readFileSync(join(path, FILE));
  const ends = [...bytes.entries()].filter(([, byte]) => byte === 10).map(([at]) => at + 1);
  for (let length = 0; length < bytes.length; length++) {
    const cut = folder(t);
    writeFileSync(join(cut, FILE), bytes.subarray(0, length));
    const whole = ends.filter((end) => end <= length).length;
    const { records, damage } = readJournal(cut, NOW);
    assert.deepEqual(records, appended.slice(0, Math.max(whole - 1, 0)), `${length} bytes`);
    const isClean = ends.includes(length);
    assert.equal(damage === undefined, isClean, `${length} bytes: ${damage}`);
    assert.equal(readdirSync(cut).length, isClean ? 1 : 2);
  }
});

for (const [what, text, why] of [
  ['an empty file', '', /expected a header/],
  [
    'a file from a future version',
    '{"format":"sip-keepalive-exporter additions","version":2}\n',
    /expected version 1, got 2/,
  ],
  ['a file of another program', '{"format":"x"}\n{}\n', /expected a header/],
  ['zeros', '\0'.repeat(4096), /expected a header/],
] as const) {
  test(`${what} is set aside, told of, and holds nothing`, (t) => {
    const path = folder(t);
    writeFileSync(join(path, FILE), text);
    const { records, damage } = readJournal(path, NOW);
    assert.deepEqual(records, []);
    assert.match(damage ?? '', why);
    assert.equal(readFileSync(join(path, `${FILE}.damaged-2026-01-02T030405.000Z`), 'utf8'), text);
  });
}

test('a long file is written anew, in one piece, as what it comes to', async (t) => {
  const path = folder(t);
  const all = new Map<number, object>();
  const options = { folder: path, all: () => [...all.values()], count: () => all.size };
  const journal = new Journal(options);
  await journal.start();
  for (let i = 0; i < 3_000; i++) {
    const record = { n: i % 3, turn: i };
    all.set(i % 3, record);
    await journal.append(record);
  }
  await journal.close();
  const { records, damage } = readJournal(path, NOW);
  assert.equal(damage, undefined);
  assert.ok(records.length < 1_100, `${records.length} records`);
  assert.deepEqual(records.slice(-3), [...all.values()].slice(0, 3).sort());
  assert.deepEqual(readdirSync(path), [FILE]);
});

test('an append that cannot be written is refused, and later ones are taken once it can', async (t) => {
  const path = folder(t);
  const kept: object[] = [];
  const journal = new Journal({ folder: path, all: () => kept, count: () => 0 });
  await journal.start();
  await journal.append({ n: 0 });
  kept.push({ n: 0 });
  // The next one has to write the file anew, where a folder stands in its way.
  mkdirSync(join(path, `${FILE}.new`));
  const long = Array.from({ length: 1_001 }, (_, n) => journal.append({ n }));
  await Promise.allSettled(long);
  await assert.rejects(journal.append({ n: 1 }));
  chmodSync(join(path, `${FILE}.new`), 0o700);
  const { rmdirSync } = await import('node:fs');
  rmdirSync(join(path, `${FILE}.new`));
  await journal.append({ n: 2 });
  await journal.close();
  const { records, damage } = readJournal(path, NOW);
  assert.equal(damage, undefined);
  assert.deepEqual(records, [{ n: 0 }, { n: 2 }]);
});
