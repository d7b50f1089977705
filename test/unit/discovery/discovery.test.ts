import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SourceSettings } from '../../../src/config/source-settings.js';
import { Discovery } from '../../../src/discovery/discovery.js';
import type { Findings } from '../../../src/discovery/found.js';
import type { LogLine } from '../../../src/shared/protocol.js';
import { FakeClock } from '../../support/fake-clock.js';
import { eventually, folder } from '../../support/process.js';
import { NO_NAMING, settings } from '../../support/settings.js';

const COMMON = { owner: 'o', module: '', labels: {}, refreshMs: 5_000, ...NO_NAMING };
const fileSd = (...files: readonly string[]): SourceSettings => ({
  ...{ kind: 'file_sd', name: 'files', files, ...COMMON },
});
const json = (...targets: readonly string[]) => JSON.stringify([{ targets }]);

function setUp(t: TestContext) {
  const clock = new FakeClock();
  const lines: LogLine[] = [];
  const uris = new Map<string, readonly unknown[]>();
  let answer = (_body: string) => {};
  const discovery: Discovery = new Discovery({
    clock,
    log: (line) => lines.push(line),
    request: () =>
      new Promise((resolve) => {
        answer = (body) => {
          const reply = { status: 200, contentType: 'application/json', location: '' };
          resolve({ ...reply, body: Buffer.from(body) });
        };
      }),
    onFindings: async ({ name }, { found, remarks }: Findings) => {
      uris.set(
        name,
        found.map(({ entry }) => entry['uri']),
      );
      const reconciled = {
        destinations: found.length,
        remarks,
        renamed: new Map(),
        names: [],
        renamedDestinations: [],
      };
      discovery.report(name, reconciled);
    },
  });
  t.after(() => discovery.close());
  /** Lets a changed file be noticed and settle on the fake clock; reading it takes real time. */
  const until = async (what: string, isSo: () => boolean) => {
    await clock.advanceSettling(5_000);
    await clock.advanceSettling(1_000);
    await eventually(what, isSo);
  };
  const errors = () => lines.flatMap(({ fields }) => fields['error'] ?? []).join('\n');
  return { clock, lines, uris, discovery, until, errors, answer: (body: string) => answer(body) };
}

test('each kind of source is read by its reader', async (t) => {
  const { discovery, uris, answer, clock } = setUp(t);
  const at = folder(t);
  const path = (name: string) => join(at, name);
  writeFileSync(path('a.json'), json('a.example'));
  writeFileSync(path('b.yml'), '- targets: [b.example]\n');
  writeFileSync(path('dispatcher.list'), '1 sip:192.0.2.1\n');
  const included = 'modparam("keepalive", "destination", "sip:192.0.2.3")\n';
  writeFileSync(path('more.cfg'), included);
  writeFileSync(path('kamailio.cfg'), `${included.replace('2.3', '2.2')}include_file "more.cfg"\n`);
  const http = {
    url: 'http://x',
    timeoutMs: 1,
    tls: settings().tls,
    basicAuth: undefined,
    authorization: undefined,
  };
  const setting = discovery.set([
    fileSd(path('*.json'), path('b.yml')),
    { kind: 'dispatcher_list', name: 'list', file: path('dispatcher.list'), ...COMMON },
    { kind: 'kamailio_cfg', name: 'cfg', file: path('kamailio.cfg'), ...COMMON },
    { kind: 'http_sd', name: 'http', http: { ...http, followRedirects: true }, ...COMMON },
  ]);
  await clock.advanceSettling(0);
  answer(json('c.example'));
  await setting;
  assert.deepEqual(Object.fromEntries(uris), {
    files: ['a.example', 'b.example'],
    list: ['sip:192.0.2.1'],
    cfg: ['sip:192.0.2.2', 'sip:192.0.2.3'],
    http: ['c.example'],
  });
  const health = discovery.health();
  assert.deepEqual(
    health.map(({ source, isUp, destinations }) => [source, isUp, destinations]),
    [
      ['files', true, 2],
      ['list', true, 1],
      ['cfg', true, 2],
      ['http', true, 1],
    ],
  );
});

test('a change of a file that a kamailio.cfg includes is noticed', async (t) => {
  const { discovery, uris, until } = setUp(t);
  const at = folder(t);
  const statement = (uri: string) => `modparam("keepalive", "destination", "${uri}")\n`;
  writeFileSync(join(at, 'more.cfg'), statement('sip:192.0.2.1'));
  writeFileSync(join(at, 'kamailio.cfg'), 'include_file "more.cfg"\n');
  const file = join(at, 'kamailio.cfg');
  await discovery.set([{ kind: 'kamailio_cfg', name: 'cfg', file, ...COMMON }]);
  assert.deepEqual(uris.get('cfg'), ['sip:192.0.2.1']);
  writeFileSync(join(at, 'more.cfg'), statement('sip:192.0.2.22'));
  await until('the change is read', () => uris.get('cfg')?.[0] === 'sip:192.0.2.22');
});

test('a change of the list of dispatcher is noticed; without the list the previous destinations stay', async (t) => {
  const { discovery, uris, until, errors } = setUp(t);
  const at = folder(t);
  const [file, list] = [join(at, 'kamailio.cfg'), join(at, 'gateways.list')];
  const kept = 'modparam("keepalive", "destination", "sip:192.0.2.9")\n';
  const listFile = `modparam("dispatcher", "list_file", "${list}")\n`;
  writeFileSync(file, `${kept}loadmodule "dispatcher.so"\n${listFile}`);
  await discovery.set([{ kind: 'kamailio_cfg', name: 'cfg', file, ...COMMON }]);
  assert.deepEqual(uris.get('cfg'), ['sip:192.0.2.9']);
  assert.match(errors(), /gateways\.list: expected a readable file, got ENOENT.*kamailio\.cfg:3\)/);
  assert.equal(discovery.health()[0]?.isUp, false);
  writeFileSync(list, '1 sip:192.0.2.1\n');
  await until('the list is read', () => discovery.health()[0]?.isUp === true);
  assert.deepEqual(uris.get('cfg'), ['sip:192.0.2.9', 'sip:192.0.2.1']);
  writeFileSync(list, '1 sip:192.0.2.1\n1 sip:192.0.2.2\n');
  await until('the change is read', () => uris.get('cfg')?.length === 3);
  rmSync(list);
  await until('the list is gone', () => discovery.health()[0]?.isUp === false);
  assert.equal(uris.get('cfg')?.length, 3);
});

test('files that break keep their last good targets; files that are removed lose them', async (t) => {
  const { discovery, uris, until, errors } = setUp(t);
  const at = folder(t);
  const [a, b] = [join(at, 'a.json'), join(at, 'b.json')];
  writeFileSync(a, json('a.example'));
  writeFileSync(b, json('b.example'));
  await discovery.set([fileSd(join(at, '*.json'))]);
  writeFileSync(a, '[{');
  await until('the error is logged', () => errors().includes('invalid JSON'));
  assert.match(errors(), /a\.json(?::1)?: invalid JSON: /);
  assert.deepEqual(uris.get('files'), ['a.example', 'b.example']);
  rmSync(a);
  await until('the file is gone', () => uris.get('files')?.length === 1);
  assert.equal(discovery.health()[0]?.isUp, true);
  renameSync(at, `${at}-gone`);
  await until('the directory is gone', () => /expected a readable directory/.test(errors()));
  assert.deepEqual(uris.get('files'), ['b.example']);
  renameSync(`${at}-gone`, at);
});

test('a missing file and a directory instead of a file are errors that name them', async (t) => {
  const { discovery, errors } = setUp(t);
  const at = folder(t);
  mkdirSync(join(at, 'd.json'));
  await discovery.set([fileSd(join(at, 'none.json'), join(at, 'd.json'))]);
  assert.match(errors(), /none\.json: expected a readable file, got ENOENT/);
  assert.match(errors(), /d\.json: expected a readable file, got something that is not a regular/);
});

test('a file whose name is not UTF-8 is read, and shown with its bytes', async (t) => {
  const { discovery, uris, errors } = setUp(t);
  const at = folder(t);
  const name = (text: string) => Buffer.from(join(at, text), 'latin1');
  writeFileSync(name('caf\u00e9.json'), json('a.example'));
  writeFileSync(name('\u00fc.json'), '[');
  await discovery.set([fileSd(join(at, '*.json'))]);
  assert.deepEqual(uris.get('files'), ['a.example']);
  assert.match(errors(), /\\xFC\.json(?::1)?: invalid JSON/);
});

test('a source with other settings replaces the one with its name; a removed one is closed', async (t) => {
  const { discovery, uris, clock } = setUp(t);
  const at = folder(t);
  writeFileSync(join(at, 'a.json'), json('a.example'));
  writeFileSync(join(at, 'b.json'), json('b.example', 'c.example'));
  await discovery.set([fileSd(join(at, 'a.json'))]);
  await discovery.set([fileSd(join(at, 'b.json'))]);
  assert.deepEqual(uris.get('files'), ['b.example', 'c.example']);
  assert.equal(clock.pending, 1);
  discovery.report('unknown', {
    destinations: 1,
    remarks: [],
    renamed: new Map(),
    names: [],
    renamedDestinations: [],
  });
  await discovery.set([]);
  assert.deepEqual([discovery.health(), clock.pending], [[], 0]);
});

test('a reload reads the files of unchanged sources that have changed', async (t) => {
  const { discovery, uris } = setUp(t);
  const path = join(folder(t), 'a.json');
  writeFileSync(path, json('a.example'));
  await discovery.set([fileSd(path)]);
  writeFileSync(path, json('a.example', 'moved.example'));
  await discovery.set([fileSd(path)]);
  assert.deepEqual(uris.get('files'), ['a.example', 'moved.example']);
});
