import assert from 'node:assert/strict';
import {
  appendFileSync,
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
import { setTimeout as sleep } from 'node:timers/promises';
import type { IncidentsOptions } from '../../../src/incidents/incidents.js';
import { FakeClock } from '../../support/fake-clock.js';
import { ALL, incidentsRig } from '../../support/incidents-rig.js';
import { eventually, folder } from '../../support/process.js';
import { change } from '../../support/state-changes.js';

const FILE = 'incidents.jsonl';
const HEADER = '{"format":"sip-keepalive-exporter incidents","version":1}\n';

/** A process that uses this directory; `laterMs` is how long after the first it starts. */
function started(
  t: Pick<TestContext, 'after'>,
  directory: string,
  laterMs = 0,
  options: Partial<IncidentsOptions> = {},
) {
  const clock = new FakeClock(0, 1_700_000_000_000 + laterMs);
  const rig = incidentsRig({ directory, ...options }, clock);
  rig.incidents.start();
  t.after(() => rig.incidents.close());
  /** Waits until the file has this many lines besides its header. Writes that are due are done. */
  const hasLines = (count: number) =>
    eventually(`${count} lines`, () => {
      clock.advance(0);
      return linesIn(directory) === count;
    });
  return { ...rig, hasLines };
}

const textIn = (directory: string) => readFileSync(join(directory, FILE), 'utf8');
/** Besides the header; -1 without a file. */
const linesIn = (directory: string) =>
  existsSync(join(directory, FILE)) ? textIn(directory).split('\n').length - 2 : -1;
const copiesIn = (directory: string) =>
  readdirSync(directory).filter((name) => name.startsWith(`${FILE}.corrupt-`));

test('incidents survive a crash, and one that lasts goes on and ends when the destination is up', async (t) => {
  const directory = folder(t);
  const first = started(t, directory);
  first.become('a', 'down', { reason: 'code', detail: 'answered with 503', sipCode: 503 });
  first.become('b', 'down');
  await first.hasLines(2);
  first.fake.advance(10_000);
  first.become('b', 'up', { from: 'down' });
  await first.hasLines(3);
  const before = first.views();
  const second = started(t, directory, 60_000);
  assert.deepEqual(second.short(), ['a down 60 null', 'b down 10 up']);
  assert.deepEqual(
    second.views().map((one) => ({ ...one, duration: 0 })),
    before.map((one) => ({ ...one, duration: 0 })),
  );
  second.become('a', 'down', { from: 'unknown' });
  second.fake.advance(5_000);
  second.become('a', 'up', { from: 'down' });
  second.become('b', 'down');
  await second.incidents.close();
  const third = started(t, directory, 70_000);
  assert.deepEqual(third.short(), ['a down 65 up', 'b down 10 up', 'b down 5 null']);
  assert.deepEqual(third.logged, []);
  assert.deepEqual(readdirSync(directory), [FILE]);
  assert.equal(statSync(join(directory, FILE)).mode & 0o777, 0o600);
});

test('a change is written at once, and further ones together a second later', async (t) => {
  const directory = folder(t);
  const { become, fake, hasLines } = started(t, directory);
  await hasLines(0);
  fake.advance(1_000);
  become('a', 'down');
  await hasLines(1);
  for (const name of ['b', 'c', 'd']) become(name, 'down');
  become('d', 'up', { from: 'down' });
  fake.advance(999);
  await sleep(100);
  assert.equal(linesIn(directory), 1);
  fake.advance(1);
  await hasLines(4);
});

test('after a clean stop every incident is in the file', async (t) => {
  const directory = folder(t);
  const first = started(t, directory);
  for (let i = 0; i < 2_500; i++) first.become(`d${i}`, 'down');
  await first.incidents.close();
  assert.equal(first.fake.pending, 0);
  assert.equal(started(t, directory).views().length, 2_500);
});

test('across a restart no duration is negative, though the clock was set back', async (t) => {
  const directory = folder(t);
  const first = started(t, directory);
  first.become('a', 'down');
  await first.incidents.close();
  const second = started(t, directory, -3_600_000);
  assert.deepEqual(second.short(), ['a down 0 null']);
  second.fake.advance(2_000);
  second.become('a', 'up', { from: 'unknown' });
  second.become('b', 'down');
  assert.deepEqual(second.short(), ['a down 2 up', 'b down 0 null']);
  await second.incidents.close();
});

test('an incident of a destination that is gone, or has another URI, ends once the list is complete', async (t) => {
  const directory = folder(t);
  const first = started(t, directory);
  for (const name of ['stays', 'gone', 'moved']) first.become(name, 'down');
  await first.incidents.close();
  let isComplete = false;
  const uris = new Map([
    ['stays', 'sip:stays.example'],
    ['moved', 'sip:other.example'],
  ]);
  const second = started(t, directory, 10_000, {
    uriOf: (name) => uris.get(name),
    isListComplete: () => isComplete,
  });
  second.fake.advance(30_000);
  assert.ok(second.views().every(({ ended_at }) => ended_at === null));
  isComplete = true;
  second.fake.advance(1_000);
  assert.deepEqual(second.short(), [
    ...['stays down 41 null', 'gone down 41 removed', 'moved down 41 removed'],
  ]);
  second.become('stays', 'up', { from: 'unknown' });
  await second.incidents.close();
  assert.equal(second.fake.pending, 0);
});

/** A file with incidents that have ended and one that lasts. */
async function filled(t: Pick<TestContext, 'after'>, directory: string): Promise<string> {
  const first = started(t, directory);
  for (const name of ['é', 'b', 'c']) {
    first.become(name, 'down');
    first.fake.advance(1_000);
    if (name !== 'c') first.become(name, 'up', { from: 'down' });
  }
  await first.incidents.close();
  // The next start leaves one line of each.
  await started(t, directory).hasLines(3);
  return textIn(directory);
}

test('a file cut off at any byte: every whole line counts, and the start does not fail', async (t) => {
  const bytes = Buffer.from(await filled(t, folder(t)));
  const cut = folder(t);
  for (let length = 0; length <= bytes.length; length++) {
    const directory = join(cut, String(length));
    mkdirSync(directory);
    writeFileSync(join(directory, FILE), bytes.subarray(0, length));
    const rig = incidentsRig({ directory });
    rig.incidents.start();
    const lines = bytes.subarray(0, length).toString('latin1').split('\n').length - 1;
    assert.equal(rig.views().length, Math.max(lines - 1, 0), `${length} bytes`);
    const isReported = length < HEADER.length - 1;
    assert.deepEqual(
      rig.events(),
      isReported ? ['warn state_file_corrupt'] : [],
      `${length} bytes`,
    );
    if (length % 40 !== 0) continue;
    await rig.incidents.close();
    assert.equal(copiesIn(directory).length, isReported ? 1 : 0);
    assert.equal(linesIn(directory), rig.views().length);
  }
});

test('a damaged line costs only itself, and the file is copied', async (t) => {
  const text = await filled(t, folder(t));
  const lines = text.split('\n');
  for (const [what, line, error] of [
    ['rubbish', 'rubbish', /line 3 is not valid JSON/],
    ['zeros', '\0\0\0', /line 3 is not valid JSON/],
    ['other JSON', '{"op":"later"}', /1 lines are no incidents of this version/],
    ['null', 'null', /1 lines are no incidents/],
    ['an id that is too great', lines[2]?.replace(/"id":\d+/, '"id":1e300'), /no incidents/],
    ['a time that is none', lines[2]?.replace(/"began_at":"/, '"began_at":"x'), /no incidents/],
    ['a negative duration', lines[2]?.replace(/"duration":/, '"duration":-'), /no incidents/],
    ['an unknown reason', lines[2]?.replace('"timeout"', '"later"'), /no incidents/],
    ['labels that are none', lines[2]?.replace('"labels":{}', '"labels":{"a":1}'), /no incidents/],
  ] as const) {
    const directory = folder(t);
    const damaged = [...lines.slice(0, 2), line, ...lines.slice(3)].join('\n');
    assert.notEqual(damaged, text, what);
    writeFileSync(join(directory, FILE), damaged);
    const rig = started(t, directory);
    assert.deepEqual(rig.short(), ['é down 1 up', 'c down 0 null'], what);
    assert.deepEqual(rig.events(), ['warn state_file_corrupt']);
    assert.match(String(rig.logged[0]?.fields['error']), error);
    await rig.incidents.close();
    assert.equal(readFileSync(join(directory, copiesIn(directory)[0] ?? ''), 'utf8'), damaged);
    assert.deepEqual(started(t, directory).logged, [], 'the damage is gone');
  }
});

test('an incident whose end was lost ended when the next of its destination began, at the latest', async (t) => {
  const directory = folder(t);
  const first = started(t, directory);
  first.become('a', 'down');
  await first.incidents.close();
  const [header, lost] = textIn(directory).split('\n');
  const later = String(lost)
    .replace(/"id":\d+/, '"id":1800000000000')
    .replace(/"began_at":"[^"]+"/, '"began_at":"2023-11-14T23:00:00.000Z"');
  writeFileSync(join(directory, FILE), [header, lost, later, ''].join('\n'));
  const { incidents, short, views } = started(t, directory, 86_400_000);
  assert.deepEqual(short(), ['a down null null', `a down ${86_400 - 46 * 60 - 40} null`]);
  assert.equal(views()[1]?.ended_at, '2023-11-14T23:00:00.000Z');
  await incidents.close();
});

test('a file of a later version is copied, and what is known of it is used', async (t) => {
  const directory = folder(t);
  const text = (await filled(t, directory)).replace('"version":1', '"version":2');
  writeFileSync(join(directory, FILE), text.replaceAll('"labels":{}', '"labels":{},"more":[1]'));
  const rig = started(t, directory);
  assert.equal(rig.views().length, 3);
  assert.match(String(rig.logged[0]?.fields['error']), /expected version 1, got 2/);
  await rig.incidents.close();
  assert.match(readFileSync(join(directory, copiesIn(directory)[0] ?? ''), 'utf8'), /"more"/);
  assert.ok(textIn(directory).startsWith(HEADER));
});

for (const [what, make] of [
  ['a link', (path: string) => symlinkSync('/etc/hostname', path)],
  ['a folder', (path: string) => mkdirSync(path)],
  ['a link to a device', (path: string) => symlinkSync('/dev/zero', path)],
] as const) {
  test(`${what} instead of the file is left as it is: incidents stay in memory, with one warning`, async (t) => {
    const directory = folder(t);
    make(join(directory, FILE));
    const { become, events, views, incidents, fake } = started(t, directory);
    for (let i = 0; i < 5; i++) {
      become(`d${i}`, 'down');
      fake.advance(60_000);
    }
    assert.deepEqual(events(), ['warn state_file_unreadable']);
    assert.equal(views().length, 5);
    await incidents.close();
    assert.equal(fake.pending, 0);
    assert.deepEqual(readdirSync(directory), [FILE]);
  });
}

test('a folder that cannot be written is one warning, retried, and nothing is missing afterwards', async (t) => {
  const directory = folder(t);
  // The new file cannot be created: its folder is one that does not exist, until it does.
  writeFileSync(join(directory, FILE), HEADER);
  const rig = started(t, directory);
  const elsewhere = `${directory}-elsewhere`;
  renameSync(directory, elsewhere);
  t.after(() => renameSync(elsewhere, directory));
  for (let i = 0; i < 4; i++) {
    rig.become(`d${i}`, 'down');
    rig.fake.advance(20_000);
    await eventually('the warning', () => rig.events().length === 1);
  }
  assert.deepEqual(rig.events(), ['warn state_file_unwritable']);
  assert.equal(rig.views().length, 4);
  renameSync(elsewhere, directory);
  await eventually('the file is written again', () => {
    rig.fake.advance(10_000);
    return rig.events().length === 2;
  });
  assert.deepEqual(rig.events(), ['warn state_file_unwritable', 'info state_file_recovered']);
  assert.equal(linesIn(directory), 4);
  await rig.incidents.close();
  renameSync(directory, elsewhere);
});

test('the file stays bounded while thousands of destinations flap each second', async (t) => {
  const directory = folder(t);
  const rig = started(t, directory);
  let longest = 0;
  for (let second = 0; second < 30; second++) {
    for (let i = 0; i < 1_000; i++) rig.become(`d${i}`, second % 2 === 0 ? 'down' : 'up');
    rig.fake.advance(1_000);
    await sleep(10);
    if (second % 5 === 0) longest = Math.max(longest, linesIn(directory));
  }
  assert.equal(rig.incidents.dropped, 15 * 1_000 - 10_000);
  assert.ok(longest <= 2 * 11_000 + 1_000 + 2_000, `${longest} lines`);
  await rig.incidents.close();
  const again = started(t, directory);
  assert.equal(again.views().length, 10_000);
  assert.equal(JSON.stringify(again.views()), JSON.stringify(rig.views()));
  assert.equal(again.incidents.list(ALL).dropped, 0);
});

test('a file that others can write to and that is not ours is not read', {
  skip: process.geteuid?.() === 0 ? false : 'only root can give a file away',
}, async (t) => {
  const directory = folder(t);
  appendFileSync(join(directory, FILE), HEADER);
  chmodSync(directory, 0o777);
  chownSync(join(directory, FILE), 12_345, 12_345);
  const rig = started(t, directory);
  assert.deepEqual(rig.events(), ['warn state_file_unreadable']);
  rig.incidents.removed([change('a')]);
  await rig.incidents.close();
});
