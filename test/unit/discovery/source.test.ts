import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SourceSettings } from '../../../src/config/source-settings.js';
import type { Findings, Reconciled, Remark } from '../../../src/discovery/found.js';
import type { Reader, ReadResult } from '../../../src/discovery/reader.js';
import { Source } from '../../../src/discovery/source.js';
import { SourceError } from '../../../src/discovery/source-error.js';
import type { LogLine } from '../../../src/shared/protocol.js';
import { FakeClock } from '../../support/fake-clock.js';
import { NO_NAMING } from '../../support/settings.js';

const REFRESH_MS = 5_000;
const SETTINGS: SourceSettings = {
  ...{ kind: 'file_sd', files: [], name: 's', owner: 'o', module: '', labels: {} },
  refreshMs: REFRESH_MS,
  ...NO_NAMING,
};
const NOTHING: ReadResult = { found: [], remarks: [], errors: [] };
const remarks = (count: number, kind: Remark['kind'] = 'skipped'): Remark[] =>
  Array.from({ length: count }, (_, i) => ({ kind, place: `f:${i}`, reason: 'wrong' }));
const reconciled = (change: Partial<Reconciled> = {}): Reconciled => ({
  ...{ destinations: 0, remarks: [], renamed: new Map(), names: [], renamedDestinations: [] },
  ...change,
});

/** A file whose stamp and content a test sets. */
class FakeReader implements Reader {
  currentStamp: string | undefined = '1';
  result: ReadResult = { ...NOTHING };
  error: unknown;
  reads = 0;
  onRead = async () => {};

  stamp(): string | undefined {
    if (this.currentStamp === 'throws') throw new Error('no stamp');
    return this.currentStamp;
  }

  async read(): Promise<ReadResult> {
    this.reads++;
    await this.onRead();
    if (this.error !== undefined) throw this.error;
    return this.result;
  }
}

function setUp(t: TestContext, change: { readonly reader?: FakeReader } = {}) {
  const clock = new FakeClock();
  const reader = change.reader ?? new FakeReader();
  const lines: LogLine[] = [];
  const findings: Findings[] = [];
  const options = {
    clock,
    log: (line: LogLine) => lines.push(line),
    onFindings: async (found: Findings) => void findings.push(found),
  };
  const source = new Source(SETTINGS, reader, options);
  t.after(() => source.close());
  const events = () => lines.map(({ event }) => event);
  return { clock, reader, lines, findings, options, source, events };
}

test('a source is read at the start, and again only when its stamp changes', async (t) => {
  const { clock, reader, source, findings } = setUp(t);
  assert.equal(source.health.isUp, false);
  await source.start();
  assert.deepEqual([reader.reads, findings.length], [1, 1]);
  assert.deepEqual(source.health, {
    ...{ source: 's', kind: 'file_sd', isUp: true, destinations: 0, skipped: 0, failures: 0 },
    error: '',
    lastSuccessMs: clock.epoch(),
  });
  await clock.advanceSettling(10 * REFRESH_MS);
  assert.equal(reader.reads, 1);
});

test('a file that has changed is read once it has been the same for a second', async (t) => {
  const { clock, reader, source } = setUp(t);
  await source.start();
  reader.currentStamp = '2';
  await clock.advanceSettling(REFRESH_MS);
  assert.equal(reader.reads, 1, 'it may be half written');
  reader.currentStamp = '3';
  await clock.advanceSettling(1_000);
  assert.equal(reader.reads, 1, 'it is still being written');
  await clock.advanceSettling(1_000);
  assert.equal(reader.reads, 2);
});

test('a file that changes while it is read is read once more', async (t) => {
  const { clock, reader, source } = setUp(t);
  reader.onRead = async () => {
    reader.currentStamp = '2';
  };
  await source.start();
  await clock.advanceSettling(REFRESH_MS + 1_000);
  assert.equal(reader.reads, 2);
  await clock.advanceSettling(10 * REFRESH_MS);
  assert.equal(reader.reads, 2);
});

test('a source without a stamp is read at every interval', async (t) => {
  const { clock, reader, source } = setUp(t);
  reader.currentStamp = undefined;
  await source.start();
  await clock.advanceSettling(3 * REFRESH_MS);
  assert.equal(reader.reads, 4);
  await source.refresh();
  assert.equal(reader.reads, 4, 'a reload does not wait for it');
});

test('the same result is not applied again, unless entries of it were skipped', async (t) => {
  const { clock, reader, source, findings } = setUp(t);
  reader.currentStamp = undefined;
  await source.start();
  await clock.advanceSettling(REFRESH_MS);
  assert.equal(findings.length, 1);
  source.report(reconciled({ remarks: remarks(1) }));
  await clock.advanceSettling(REFRESH_MS);
  assert.equal(findings.length, 2, 'the entry may be possible now');
});

test('a failure is logged once, counted each time, and the end of it is logged', async (t) => {
  const { clock, reader, source, lines, events, findings } = setUp(t);
  reader.error = new SourceError('f:3: invalid JSON: x');
  await source.start();
  await clock.advanceSettling(2 * REFRESH_MS);
  assert.deepEqual([source.health.failures, source.health.isUp], [3, false]);
  assert.deepEqual(lines, [
    {
      ...{ level: 'error', event: 'discovery_failed' },
      message: 'cannot read destination source; keeping previous destinations',
      fields: { source: 's', error: 'f:3: invalid JSON: x' },
    },
  ]);
  reader.error = new SourceError('f:4: another');
  await clock.advanceSettling(REFRESH_MS);
  reader.error = undefined;
  await clock.advanceSettling(REFRESH_MS);
  assert.deepEqual(events(), ['discovery_failed', 'discovery_failed', 'discovery_recovered']);
  assert.deepEqual([source.health.isUp, findings.length], [true, 1]);
});

test('an unexpected error is logged as an internal one, and the source is read again', async (t) => {
  const { clock, reader, source, lines } = setUp(t);
  reader.error = new TypeError('x is not a function');
  await source.start();
  assert.match(String(lines[0]?.fields['error']), /^internal error: TypeError: x is not/);
  reader.error = undefined;
  reader.currentStamp = 'throws';
  await clock.advanceSettling(REFRESH_MS);
  assert.match(String(lines[1]?.fields['error']), /^internal error: Error: no stamp/);
  await source.refresh();
  assert.equal(source.health.failures, 3, 'the stamp throws again');
  reader.currentStamp = '1';
  await clock.advanceSettling(REFRESH_MS);
  assert.equal(source.health.isUp, true);
});

test('a part that cannot be read is a failure, and the other part is applied', async (t) => {
  const { reader, source, findings } = setUp(t);
  reader.result = { ...NOTHING, errors: ['a: wrong', 'b: wrong'] };
  await source.start();
  assert.deepEqual([findings.length, source.health.isUp, source.health.failures], [1, false, 1]);
});

test('a reload reads a file that has changed, and shares a read that is in progress', async (t) => {
  const { reader, source } = setUp(t);
  await source.start();
  await source.refresh();
  assert.equal(reader.reads, 1);
  reader.currentStamp = '2';
  await Promise.all([source.refresh(), source.refresh()]);
  assert.equal(reader.reads, 2);
});

test('a source that is closed during a read applies nothing and logs nothing', async (t) => {
  const { clock, reader, source, findings, lines } = setUp(t);
  reader.onRead = async () => source.close();
  await source.start();
  assert.deepEqual([findings, lines, clock.pending], [[], [], 0]);
  const failing = setUp(t);
  failing.reader.onRead = async () => {
    failing.source.close();
    throw new SourceError('too late');
  };
  await failing.source.start();
  assert.deepEqual(failing.lines, []);
});

test('a source that is closed while its findings are applied does not count as read', async (t) => {
  const clock = new FakeClock();
  const reader = new FakeReader();
  const source: Source = new Source(SETTINGS, reader, {
    ...{ clock, log: () => assert.fail('nothing to log') },
    onFindings: async () => source.close(),
  });
  t.after(() => source.close());
  await source.start();
  assert.deepEqual([source.health.lastSuccessMs, clock.pending], [0, 0]);
});

test('each kind of remark has its own event, and only entries that are not monitored count as skipped', async (t) => {
  const { source, lines } = setUp(t);
  source.report(
    reconciled({
      remarks: [
        ...remarks(1),
        { kind: 'adjusted', place: 'f:7', reason: 'ping_from: ignored' },
        { kind: 'duplicate', place: 'f:8', reason: 'also at f:1' },
      ],
    }),
  );
  assert.deepEqual(
    lines.map(({ event, fields }) => [event, fields['place']]),
    [
      ['entry_skipped', 'f:0'],
      ['entry_adjusted', 'f:7'],
      ['entry_duplicate', 'f:8'],
    ],
  );
  assert.equal(source.health.skipped, 3);
});

test('only new remarks are logged, 20 at most, with the number of the others', async (t) => {
  const { source, lines, events } = setUp(t);
  source.report(reconciled({ remarks: remarks(2_000) }));
  assert.equal(lines.length, 21);
  assert.deepEqual([lines[20]?.event, lines[20]?.fields['count']], ['remarks_truncated', 1_980]);
  source.report(reconciled({ remarks: remarks(2_000) }));
  assert.equal(lines.length, 21);
  source.report(reconciled());
  source.report(reconciled({ remarks: remarks(1) }));
  assert.equal(events().at(-1), 'entry_skipped');
  assert.equal(lines.length, 22);
});

test('a label with another name in the metrics is logged once', async (t) => {
  const { source, lines } = setUp(t);
  const renamed = new Map([['module', 'exported_module']]);
  source.report(reconciled({ renamed }));
  source.report(reconciled({ renamed }));
  assert.deepEqual(
    lines.map(({ event, fields }) => [event, fields['label'], fields['exposed']]),
    [['label_renamed', 'module', 'exported_module']],
  );
});

test('new names of destinations are logged, 20 at most, with the number of the others', async (t) => {
  const { source, lines } = setUp(t);
  const renamedDestinations = Array.from({ length: 23 }, (_, i) => ({
    ...{ from: `sip:${i}`, to: `gw${i}` },
  }));
  source.report(reconciled({ renamedDestinations }));
  const [first] = lines;
  assert.deepEqual(
    [first?.event, first?.fields['destination'], first?.fields['previous']],
    ['destination_renamed', 'gw0', 'sip:0'],
  );
  const last = lines.at(-1);
  assert.deepEqual(
    [last?.event, last?.fields['count'], lines.length],
    ['renames_truncated', 3, 21],
  );
});

test('a successor of the same name starts with the numbers and the remarks of its predecessor', async (t) => {
  const { source, options, lines } = setUp(t);
  source.report(reconciled({ destinations: 7, remarks: remarks(2) }));
  const successor = new Source(SETTINGS, new FakeReader(), options, source);
  const { destinations, skipped, isUp } = successor.health;
  assert.deepEqual([destinations, skipped, isUp], [7, 2, false]);
  successor.report(reconciled({ destinations: 7, remarks: remarks(2) }));
  assert.equal(lines.length, 2);
});
