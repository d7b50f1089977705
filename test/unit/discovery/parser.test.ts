import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import workerThreads from 'node:worker_threads';
import { type Job, perform } from '../../../src/discovery/parsing/job.js';
import { Parser } from '../../../src/discovery/parsing/parser.js';
import { SourceError } from '../../../src/discovery/source-error.js';
import { FakeClock } from '../../support/fake-clock.js';
import { folder } from '../../support/process.js';

const groups = (text: string | Buffer, format: 'JSON' | 'YAML' = 'JSON'): Job => ({
  ...{ kind: 'target_groups', bytes: Buffer.from(text as string), format, place: 'p' },
});
const never = new AbortController().signal;
const parse = (job: Job, signal = never) => new Parser(new FakeClock()).parse(job, signal);
const refused = (wanted: RegExp) => (error: unknown) =>
  error instanceof SourceError && wanted.test(error.message);
const many = (count: number, of = (i: number) => `h${i}.example`) =>
  JSON.stringify([{ targets: Array.from({ length: count }, (_, i) => of(i)), labels: { a: 'b' } }]);

describe('long lists, which are parsed in a separate thread', () => {
  test('give the same result as in this thread', async () => {
    const text = many(20_000).replace('}]', ', "x": 1}, {"targets": ["last.example"]}]');
    const wanted = perform(groups(text));
    assert.equal(wanted.found.length, 20_001);
    assert.deepEqual(await parse(groups(text)), wanted);
  });

  test('are rejected when they have too many entries, and the next one is parsed', async () => {
    const parser = new Parser(new FakeClock());
    const tooMany = groups(many(140_000));
    await assert.rejects(parser.parse(tooMany, never), refused(/at most 131072 entries, got more/));
    const { found } = await parser.parse(groups(many(131_072)), never);
    assert.equal(found.length, 131_072);
  });

  test('are rejected before they are parsed when they have too many values', async () => {
    for (const text of [`[${'[],'.repeat(4_000_001)}[]]`, many(4_100_000, () => '1')]) {
      await assert.rejects(parse(groups(text)), refused(/^p: expected at most 4000000 values/));
    }
    const quoted = JSON.stringify([{ targets: [',[{"'.repeat(2e6)] }]);
    assert.equal((await parse(groups(quoted))).found.length, 1);
  });

  test('that are invalid are reported with their line', async () => {
    const text = `[\n${'{"targets": []},\n'.repeat(10_000)}{"targets": x}]`;
    await assert.rejects(
      parse(groups(text)),
      refused(/^p(?::10002)?: invalid JSON: Unexpected token .x./),
    );
    const yaml = `${'- targets: [a.example]\n'.repeat(10_000)}- targets: [a, b\n`;
    await assert.rejects(parse(groups(yaml, 'YAML')), refused(/^p:1000\d: invalid YAML: /));
  });

  test('are abandoned when the source is closed', async () => {
    const closed = new AbortController();
    const parsing = parse(groups(many(100_000)), closed.signal);
    closed.abort(new Error('closed'));
    await assert.rejects(parsing, /closed/);
  });
});

test('a list that takes too long is abandoned after a minute', async () => {
  const clock = new FakeClock();
  const parsing = new Parser(clock).parse(groups(many(100_000)), never);
  const failing = assert.rejects(
    parsing,
    refused(/^p: expected to be parsed within 60 s, took longer$/),
  );
  await clock.advanceSettling(60_000);
  await failing;
  assert.equal(clock.pending, 0);
});

/** Replaces what parser threads do during a test. */
function replaceThreads(t: TestContext, act: (thread: EventEmitter) => void): void {
  class Thread extends EventEmitter {
    constructor() {
      super();
      setImmediate(() => act(this));
    }

    async terminate(): Promise<void> {}
  }
  const { Worker } = workerThreads;
  const replace = (by: unknown) => {
    Object.assign(workerThreads, { Worker: by });
    syncBuiltinESMExports();
  };
  replace(Thread);
  t.after(() => replace(Worker));
}

for (const [title, act, error] of [
  [
    'that takes too much memory is rejected',
    (thread) =>
      thread.emit('error', Object.assign(new Error('x'), { code: 'ERR_WORKER_OUT_OF_MEMORY' })),
    refused(/^p: expected to be parsed within 512 MB, took more$/),
  ],
  [
    'whose parser throws is an internal error',
    (thread) => thread.emit('error', new RangeError('a bug')),
    /RangeError: a bug/,
  ],
  [
    'whose parser exits is an internal error',
    (thread) => thread.emit('exit', 1),
    /the parser thread exited unexpectedly/,
  ],
] as const satisfies readonly (readonly [
  string,
  (thread: EventEmitter) => void,
  RegExp | ((error: unknown) => boolean),
])[]) {
  test(`a list ${title}`, async (t) => {
    replaceThreads(t, act);
    await assert.rejects(parse(groups(many(100_000))), error);
  });
}

describe('files in other encodings', () => {
  test('a byte order mark is ignored', async () => {
    const json = '\ufeff[{"targets": ["a.example"]}]';
    const yaml = '\ufeff- targets: [a.example]\n';
    for (const job of [
      groups(json),
      groups(Buffer.from(json, 'utf16le')),
      groups(Buffer.from(json, 'utf16le').swap16()),
      groups(yaml, 'YAML'),
    ]) {
      const { found, remarks } = await parse(job);
      assert.deepEqual([found.map(({ entry }) => entry['uri']), remarks], [['a.example'], []]);
    }
  });

  test('a line that is not UTF-8 is read as ISO-8859-1 and reported; the other lines are UTF-8', async () => {
    const line = (name: string) => `- { targets: [a.example], labels: { city: ${name} } }\n`;
    const bytes = [Buffer.from(line('Z\u00fcrich')), Buffer.from(line('K\u00f6ln'), 'latin1')];
    const { found, remarks } = await parse(groups(Buffer.concat(bytes), 'YAML'));
    const cities = found.map(({ entry }) => (entry['labels'] as { city: string }).city);
    assert.deepEqual(cities, ['Z\u00fcrich', 'K\u00f6ln']);
    const reason = 'the line is not UTF-8; it is read as ISO-8859-1';
    assert.deepEqual(remarks, [{ kind: 'adjusted', place: 'p:2', reason }]);
  });

  test('a kamailio.cfg in ISO-8859-1 is read, and invalid values are shown with their bytes', async (t) => {
    const place = join(folder(t), 'kamailio.cfg');
    const text = [
      '# M\u00fcller',
      'modparam("keepalive", "destination", "sip:a.example")',
      'modparam("keepalive", "destination", "sip:M\u00fcller@b.example")',
    ].join('\r\n');
    writeFileSync(place, Buffer.from(`\ufeff${text}`.replace('\ufeff', ''), 'latin1'));
    const { found, remarks, files } = await parse({ kind: 'kamailio_cfg', place });
    assert.deepEqual(
      found.map(({ entry }) => entry['uri']),
      ['sip:a.example'],
    );
    assert.equal(remarks.length, 1);
    assert.equal(remarks[0]?.place, `${place}:3`);
    const reason = 'destination: expected UTF-8, got sip:M\\xFCller@b.example';
    assert.equal(remarks[0]?.reason, reason);
    assert.deepEqual(files, [place]);
    writeFileSync(place, `\ufeff${text}`);
    assert.equal((await parse({ kind: 'kamailio_cfg', place })).found.length, 1);
  });
});
