import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createLog, type LogOptions, logfmt } from '../../../src/platform/log.js';
import type { LogLine } from '../../../src/shared/protocol.js';

/** Parses a line of logfmt: `key=bare` or `key="quoted"`, separated by spaces. */
function readLogfmt(line: string): [key: string, value: string][] {
  const pairs: [string, string][] = [];
  let rest = line;
  while (rest !== '') {
    const [all, key = '', quoted, bare = ''] =
      /^([^\s="]+)=(?:("(?:[^"\\]|\\.)*")|([^\s"=]*))(?: |$)/su.exec(rest) ?? [];
    assert.ok(all !== undefined, rest);
    pairs.push([key, quoted === undefined ? bare : String(JSON.parse(quoted))]);
    rest = rest.slice(all.length);
  }
  return pairs;
}

const QUOTED: readonly (readonly [value: unknown, text: string])[] = [
  ['plain', 'plain'],
  ['sip:a@b.example;lr', 'sip:a@b.example;lr'],
  ['größer', 'größer'],
  ['', '""'],
  ['two words', '"two words"'],
  ['a=b', '"a=b"'],
  ['say "hi"', '"say \\"hi\\""'],
  ['back\\slash', '"back\\\\slash"'],
  ['two\nlines', '"two\\nlines"'],
  ['tab\there', '"tab\\there"'],
  ['bell\u0007', '"bell\\u0007"'],
  ['\u00a0', '"\u00a0"'],
  [42, '42'],
  [0.5, '0.5'],
  [true, 'true'],
  [null, 'null'],
  [['a', 1], '"[\\"a\\",1]"'],
];

describe('logfmt', () => {
  for (const [value, text] of QUOTED) {
    test(`writes ${JSON.stringify(value)} as ${text}`, () => {
      assert.equal(logfmt({ key: value }), `key=${text}`);
    });
  }

  test('begins with time, level and message, and omits undefined values', () => {
    const entry = { a: 1, msg: 'it is', level: 'info', gone: undefined, time: 'now' };
    assert.equal(logfmt(entry), 'time=now level=info msg="it is" a=1');
  });

  test('is one line that can be parsed, whatever the values are', () => {
    const values = fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), fc.string({ unit: 'binary' }));
    const readsBack = (entry: Readonly<Record<string, string>>) => {
      const line = logfmt({ msg: 'm', ...entry });
      assert.doesNotMatch(line, /[\r\n]/);
      assert.deepEqual(Object.fromEntries(readLogfmt(line)), { msg: 'm', ...entry });
    };
    fc.assert(fc.property(values, readsBack), { numRuns: 500 });
  });
});

const DOWN: LogLine = {
  ...{ level: 'warn', event: 'destination_down', message: 'it is down' },
  fields: { destination: 'a b', pings: 3 },
};

describe('a log', () => {
  const written = (options: LogOptions) => {
    const lines: string[] = [];
    const log = createLog(options, (line) => lines.push(line));
    log.write({ level: 'debug', event: 'file_changed', message: 'quiet', fields: {} });
    log.write(DOWN);
    return lines;
  };

  test('writes whole lines of logfmt', () => {
    const [line = '', ...others] = written({ level: 'info', format: 'logfmt' });
    assert.deepEqual(others, []);
    assert.match(line, /^time=\d{4}-\d\d-\d\dT[\d:.]+Z level=warn msg="it is down" /);
    assert.ok(line.endsWith(' event=destination_down destination="a b" pings=3\n'), line);
  });

  test('writes JSON if the format is json', () => {
    const [line = ''] = written({ level: 'info', format: 'json' });
    const { time, ...entry } = JSON.parse(line) as Record<string, unknown>;
    assert.deepEqual(entry, {
      ...{ level: 'warn', event: 'destination_down', destination: 'a b', pings: 3 },
      msg: 'it is down',
    });
    assert.ok(!Number.isNaN(Date.parse(String(time))));
    assert.ok(line.endsWith('}\n'));
  });

  test('omits lines below its level', () => {
    const counts = (['debug', 'warn', 'error'] as const).map(
      (level) => written({ level, format: 'logfmt' }).length,
    );
    assert.deepEqual(counts, [2, 1, 0]);
  });

  test('uses a new level once it is set', () => {
    const lines: string[] = [];
    const log = createLog({ level: 'info', format: 'logfmt' }, (line) => lines.push(line));
    log.setLevel('error');
    log.write(DOWN);
    log.setLevel('warn');
    log.write(DOWN);
    assert.equal(lines.length, 1);
  });
});
