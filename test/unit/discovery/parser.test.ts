import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Job, perform } from '../../../src/discovery/parsing/job.js';
import { Parser } from '../../../src/discovery/parsing/parser.js';
import { SourceError } from '../../../src/discovery/source-error.js';
import { folder } from '../../support/process.js';

const groups = (text: string | Buffer, format: 'JSON' | 'YAML' = 'JSON'): Job => ({
  ...{ kind: 'target_groups', bytes: Buffer.from(text as string), format, place: 'p' },
});
const never = new AbortController().signal;
const parse = (job: Job, signal = never) => new Parser().parse(job, signal);
const refused = (wanted: RegExp) => (error: unknown) =>
  error instanceof SourceError && wanted.test(error.message);
const many = (count: number, of = (i: number) => `h${i}.example`) =>
  JSON.stringify([{ targets: Array.from({ length: count }, (_, i) => of(i)), labels: { a: 'b' } }]);

describe('long lists, which have a thread of their own', () => {
  test('come to what they come to in this thread', async () => {
    const text = many(20_000).replace('}]', ', "x": 1}, {"targets": ["last.example"]}]');
    const wanted = perform(groups(text));
    assert.equal(wanted.found.length, 20_001);
    assert.deepEqual(await parse(groups(text)), wanted);
  });

  test('are refused where they are more than can be watched, and there is room for the next', async () => {
    const parser = new Parser();
    const tooMany = groups(many(140_000));
    await assert.rejects(parser.parse(tooMany, never), refused(/at most 131072 entries, got more/));
    const { found } = await parser.parse(groups(many(131_072)), never);
    assert.equal(found.length, 131_072);
  });

  test('are refused before they are parsed where they come to too many values', async () => {
    for (const text of [`[${'[],'.repeat(4_000_001)}[]]`, many(4_100_000, () => '1')]) {
      await assert.rejects(parse(groups(text)), refused(/^p: expected at most 4000000 values/));
    }
    const quoted = JSON.stringify([{ targets: [',[{"'.repeat(2e6)] }]);
    assert.equal((await parse(groups(quoted))).found.length, 1);
  });

  test('that are none are told with their line', async () => {
    const text = `[\n${'{"targets": []},\n'.repeat(10_000)}{"targets": x}]`;
    await assert.rejects(
      parse(groups(text)),
      refused(/^p: expected JSON, got what is none \((?:line 10002: )?Unexpected token .x./),
    );
    const yaml = `${'- targets: [a.example]\n'.repeat(10_000)}- targets: [a, b\n`;
    await assert.rejects(
      parse(groups(yaml, 'YAML')),
      refused(/^p: expected YAML, got what is none \(line 1000\d: /),
    );
  });

  test('are given up when nobody wants them any more', async () => {
    const closed = new AbortController();
    const parsing = parse(groups(many(100_000)), closed.signal);
    closed.abort(new Error('closed'));
    await assert.rejects(parsing, /closed/);
  });
});

describe('files in other encodings', () => {
  test('a byte order mark is passed over', async () => {
    const json = '\ufeff[{"targets": ["a.example"]}]';
    const yaml = '\ufeff- targets: [a.example]\n';
    for (const job of [
      groups(json),
      groups(Buffer.from(json, 'utf16le')),
      groups(Buffer.from(json, 'utf16le').swap16()),
      groups(yaml, 'YAML'),
    ]) {
      const { found, skipped } = await parse(job);
      assert.deepEqual([found.map(({ entry }) => entry['uri']), skipped], [['a.example'], []]);
    }
  });

  test('a line that is not UTF-8 is read as ISO-8859-1 and told of; others stay as they are', async () => {
    const line = (name: string) => `- { targets: [a.example], labels: { city: ${name} } }\n`;
    const bytes = [Buffer.from(line('Z\u00fcrich')), Buffer.from(line('K\u00f6ln'), 'latin1')];
    const { found, skipped } = await parse(groups(Buffer.concat(bytes), 'YAML'));
    const cities = found.map(({ entry }) => (entry['labels'] as { city: string }).city);
    assert.deepEqual(cities, ['Z\u00fcrich', 'K\u00f6ln']);
    const reason = 'the line is not UTF-8; it is read as ISO-8859-1';
    assert.deepEqual(skipped, [{ place: 'p:2', reason }]);
  });

  test('a kamailio.cfg in ISO-8859-1 is read, and what cannot be used is shown as it is written', async (t) => {
    const place = join(folder(t), 'kamailio.cfg');
    const text = [
      '# M\u00fcller',
      'modparam("keepalive", "destination", "sip:a.example")',
      'modparam("keepalive", "destination", "sip:M\u00fcller@b.example")',
    ].join('\r\n');
    writeFileSync(place, Buffer.from(`\ufeff${text}`.replace('\ufeff', ''), 'latin1'));
    const { found, skipped, files } = await parse({ kind: 'kamailio_cfg', place });
    assert.deepEqual(
      found.map(({ entry }) => entry['uri']),
      ['sip:a.example'],
    );
    assert.equal(skipped.length, 1);
    assert.equal(skipped[0]?.place, `${place}:3`);
    const reason = 'destination: expected UTF-8, got sip:M\\xFCller@b.example: not used';
    assert.equal(skipped[0]?.reason, reason);
    assert.deepEqual(files, [place]);
    writeFileSync(place, `\ufeff${text}`);
    assert.equal((await parse({ kind: 'kamailio_cfg', place })).found.length, 1);
  });
});
