import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Journal, type JournalOptions } from '../../../src/platform/journal.js';
import { readJournal, StateDirectoryError } from '../../../src/platform/journal-reader.js';
import { RUNTIME_FILE } from '../../../src/registry/runtime-destination.js';
import { FakeClock } from '../../support/fake-clock.js';
import { folder as directory, runToEnd } from '../../support/process.js';
import { needs } from '../../support/tools.js';

const CLOCK = new FakeClock(0, Date.parse('2026-01-02T03:04:05Z'));
const FILE = 'runtime-destinations.jsonl';
const HEADER = '{"format":"sip-keepalive-exporter run-time destinations","version":1}\n';
const COPY = /^runtime-destinations\.jsonl\.corrupt-2026-01-02T030405\.000Z-[0-9a-f]{8}$/;

function journalIn(path: string, change: Partial<JournalOptions> = {}): Journal {
  const none = { unknown: [], all: () => [], count: () => 0, isCorrupt: false, clock: CLOCK };
  return new Journal({ file: { directory: path, ...RUNTIME_FILE }, ...none, ...change });
}

const read = (path: string) => readJournal({ directory: path, ...RUNTIME_FILE });

const valuesIn = (path: string) => read(path).records.map(({ value }) => value);
const copiesIn = (path: string) => readdirSync(path).filter((name) => COPY.test(name));

async function written(t: Pick<TestContext, 'after'>, count: number) {
  const path = directory(t);
  const journal = journalIn(path);
  await journal.start();
  const appended = Array.from({ length: count }, (_, i) => ({ n: i, text: 'é\n"' }));
  const kept: object[] = [];
  await Promise.all(appended.map((record) => journal.append(record, () => kept.push(record))));
  assert.deepEqual(kept, appended);
  await journal.close();
  return { path, appended };
}

test('records are read in the order in which they were appended, from a file with mode 600', async (t) => {
  const { path, appended } = await written(t, 50);
  assert.deepEqual(valuesIn(path), appended);
  assert.equal(read(path).corruption, undefined);
  assert.deepEqual(readdirSync(path), [FILE]);
  assert.equal(statSync(join(path, FILE)).mode & 0o777, 0o600);
});

test('a missing folder is created with mode 700, and is empty', (t) => {
  const path = join(directory(t), 'a', 'b');
  const nothing = { records: [], corruption: undefined, isOnlyTorn: false, exposure: undefined };
  assert.deepEqual(read(path), nothing);
  assert.ok(existsSync(path));
  assert.equal(statSync(path).mode & 0o777, 0o700);
});

test('a file cut off at any byte: every whole record is read, and the file is reported and copied unless a line ends there', async (t) => {
  const { path, appended } = await written(t, 6);
  const bytes = readFileSync(join(path, FILE));
  const ends = [...bytes.entries()].filter(([, byte]) => byte === 10).map(([at]) => at + 1);
  for (let length = 0; length < bytes.length; length++) {
    const cut = directory(t);
    writeFileSync(join(cut, FILE), bytes.subarray(0, length));
    const whole = ends.filter((end) => end <= length).length;
    const { corruption, isOnlyTorn } = read(cut);
    assert.equal(isOnlyTorn, length >= HEADER.length - 1 && !ends.includes(length));
    assert.deepEqual(valuesIn(cut), appended.slice(0, Math.max(whole - 1, 0)), `${length} bytes`);
    const isClean = ends.includes(length);
    assert.equal(corruption === undefined, isClean, `${length} bytes: ${corruption}`);
    const journal = journalIn(cut, { isCorrupt: corruption !== undefined });
    await journal.start();
    await journal.close();
    assert.equal(readdirSync(cut).length, isClean ? 1 : 2);
  }
});

for (const [what, text, why, values] of [
  ['an empty file', '', /expected a header/, []],
  [
    'a file from a later version',
    '{"format":"sip-keepalive-exporter run-time destinations","version":2}\n{"a":1}\n',
    /expected version 1, got 2/,
    [{ a: 1 }],
  ],
  ['a file of another program', '{"format":"x"}\n{}\n', /expected a header/, []],
  ['zeros', '\0'.repeat(4096), /expected a header/, []],
] as const) {
  test(`${what} is reported and copied before it is replaced, and its valid records are read`, async (t) => {
    const path = directory(t);
    writeFileSync(join(path, FILE), text);
    const { corruption } = read(path);
    assert.deepEqual(valuesIn(path), values);
    assert.match(corruption ?? '', why);
    const copies: string[] = [];
    const onCopied = (copy: string) => copies.push(copy);
    const journal = journalIn(path, { isCorrupt: true, all: () => values, onCopied });
    await journal.start();
    await journal.append({ b: 2 }, () => {});
    await journal.close();
    const [copy = ''] = copiesIn(path);
    assert.deepEqual(copies, [join(path, copy)]);
    assert.equal(readFileSync(join(path, copy), 'utf8'), text);
    assert.deepEqual(valuesIn(path), [...values, { b: 2 }]);
  });
}

test('a corrupt file that cannot be copied is not replaced, and appends are refused until it can be', async (t) => {
  const path = directory(t);
  const text = '{"format":"sip-keepalive-exporter run-time destinations","version":2}\n{"a":1}\n';
  writeFileSync(join(path, FILE), text);
  const journal = journalIn(path, { isCorrupt: true, all: () => [{ a: 1 }] });
  const elsewhere = join(path, 'elsewhere');
  renameSync(join(path, FILE), elsewhere);
  await assert.rejects(journal.start(), { message: /corrupt state file cannot be copied: ENOENT/ });
  await assert.rejects(
    journal.append({ b: 2 }, () => assert.fail('it is not written')),
    { message: /corrupt state file cannot be copied/ },
  );
  assert.equal(readFileSync(elsewhere, 'utf8'), text);
  assert.deepEqual(readdirSync(path), ['elsewhere']);
  renameSync(elsewhere, join(path, FILE));
  await journal.append({ b: 2 }, () => {});
  await journal.close();
  assert.deepEqual(valuesIn(path), [{ a: 1 }, { b: 2 }]);
  assert.equal(readFileSync(join(path, copiesIn(path)[0] ?? ''), 'utf8'), text);
});

test('unknown records are kept byte for byte', async (t) => {
  const path = directory(t);
  const line = '{"op":"later", "n":123456789012345678901234567890,"x":1.0}';
  writeFileSync(join(path, FILE), `${HEADER}${line}\n`);
  const unknown = read(path).records.map((record) => record.line);
  const journal = journalIn(path, { unknown });
  await journal.start();
  await journal.append({ b: 2 }, () => {});
  await journal.close();
  assert.equal(readFileSync(join(path, FILE), 'utf8'), `${HEADER}${line}\n{"b":2}\n`);
});

test('a long file is replaced by one with the resulting records', async (t) => {
  const path = directory(t);
  const all = new Map<number, object>();
  const journal = journalIn(path, { all: () => [...all.values()], count: () => all.size });
  await journal.start();
  for (let i = 0; i < 3_000; i++) {
    const record = { n: i % 3, turn: i };
    await journal.append(record, () => all.set(i % 3, record));
  }
  await journal.close();
  assert.equal(read(path).corruption, undefined);
  const values = valuesIn(path);
  assert.ok(values.length < 1_100, `${values.length} records`);
  assert.deepEqual(values.slice(-3), [...all.values()]);
  assert.deepEqual(readdirSync(path), [FILE]);
});

test('a file that is replaced between two batches contains every record', async (t) => {
  const path = directory(t);
  const all: object[] = [];
  // With a count of 0 the file is always too long after a thousand lines.
  const journal = journalIn(path, { all: () => all });
  await journal.start();
  const records = Array.from({ length: 5_000 }, (_, n) => ({ n }));
  const appends: Promise<void>[] = [];
  for (const [i, record] of records.entries()) {
    appends.push(journal.append(record, () => all.push(record)));
    if (i % 700 === 0) await appends[i];
  }
  await Promise.all(appends);
  await journal.close();
  assert.deepEqual(valuesIn(path), records);
});

test('an append that cannot be written is refused, and later ones succeed once the disk works again', async (t) => {
  const path = join(directory(t), 'state');
  mkdirSync(path);
  const all: object[] = [];
  const journal = journalIn(path, { all: () => all });
  const append = (record: object) => journal.append(record, () => all.push(record));
  await journal.start();
  await append({ n: 0 });
  await Promise.all(Array.from({ length: 1_001 }, (_, n) => append({ n: n + 1 })));
  // The next one has to replace the file, and the folder does not exist.
  renameSync(path, `${path}-gone`);
  await assert.rejects(append({ n: -1 }));
  renameSync(`${path}-gone`, path);
  await append({ n: 2_000 });
  await journal.close();
  assert.equal(read(path).corruption, undefined);
  assert.deepEqual(valuesIn(path), all);
  assert.equal(all.length, 1_003);
  assert.deepEqual(readdirSync(path), [FILE]);
});

test('links of another user are not followed when writing', async (t) => {
  const path = directory(t);
  const victim = join(directory(t), 'victim');
  writeFileSync(victim, 'untouched');
  symlinkSync(victim, join(path, `${FILE}.new`));
  symlinkSync(victim, join(path, `${FILE}.new-0123456789abcdef`));
  const journal = journalIn(path);
  await journal.start();
  await journal.append({ a: 1 }, () => {});
  await journal.close();
  assert.equal(readFileSync(victim, 'utf8'), 'untouched');
  assert.deepEqual(readdirSync(path), [FILE], 'the leftovers of a crash are removed');
});

for (const [what, make] of [
  ['a symbolic link', (path: string) => symlinkSync('/etc/hostname', path)],
  ['a symbolic link to nothing', (path: string) => symlinkSync('/nowhere', path)],
  ['something else', (path: string) => mkdirSync(path)],
  ['a symbolic link to a device', (path: string) => symlinkSync('/dev/zero', path)],
] as const) {
  test(`${what} instead of the file is refused with a reason`, (t) => {
    const path = directory(t);
    make(join(path, FILE));
    assert.throws(
      () => read(path),
      (error) =>
        error instanceof StateDirectoryError &&
        /runtime-destinations\.jsonl: expected a regular file, got /.test(error.message),
    );
  });
}

test(
  'a FIFO instead of the file is refused with a reason, without waiting for it',
  needs('mkfifo'),
  (t) => {
    const path = directory(t);
    runToEnd('mkfifo', [join(path, FILE)]);
    assert.throws(() => read(path), {
      message: /expected a regular file, got something else/,
    });
  },
);

test('a folder that other users can write to is reported', (t) => {
  const path = directory(t);
  for (const [mode, who] of [
    [0o777, /everybody can write to it \(mode 777\)/],
    [0o1777, /everybody can write to it \(mode 1777\)/],
    [0o770, /its group can write to it \(mode 770\)/],
    [0o755, undefined],
    [0o700, undefined],
  ] as const) {
    chmodSync(path, mode);
    const { exposure } = read(path);
    if (who === undefined) assert.equal(exposure, undefined);
    else assert.match(exposure ?? '', who);
  }
});

test('a file of another user in a folder that other users can write to is refused', {
  skip: process.geteuid?.() === 0 ? false : 'only root can give a file away',
}, (t) => {
  const path = directory(t);
  writeFileSync(join(path, FILE), HEADER);
  chownSync(join(path, FILE), 12_345, 12_345);
  assert.equal(read(path).corruption, undefined);
  chmodSync(path, 0o777);
  assert.throws(() => read(path), {
    message: /expected a file of user \d+, got one of user 12345/,
  });
});

test('a folder that cannot be used is refused with a reason', () => {
  assert.throws(
    () => read('/dev/null/state'),
    (error) =>
      error instanceof StateDirectoryError &&
      /state_dir: expected a writable directory/.test(error.message),
  );
});

test('a folder that cannot be created, and a file full of invalid lines, are reported in a short message', (t) => {
  assert.throws(() => read('/proc/none/of/this'), {
    name: 'StateFolderError',
    message: /^state_dir: expected a writable directory, got /,
  });
  const where = directory(t);
  writeFileSync(join(where, FILE), `${HEADER}${'no record\n'.repeat(100_000)}`);
  const { corruption = '' } = read(where);
  assert.match(corruption, /line 2 is not valid JSON.*; 99990 more lines are invalid$/);
  assert.ok(corruption.length < 1_000);
});
