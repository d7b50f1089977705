import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { readFlags } from '../../../src/config/flags.js';
import { load } from '../../../src/config/load.js';
import { checkSources, checkText } from '../../../src/source-check.js';
import { FakeClock } from '../../support/fake-clock.js';
import { eventually, folder } from '../../support/process.js';

const LIST = JSON.stringify([{ targets: ['192.0.2.1', '192.0.2.2'] }]);

/** Checks a configuration with these sources. */
function start(discovery: object, mode: 'true' | 'full' = 'true', more: object = {}) {
  const clock = new FakeClock();
  const content = { ...{ discovery, dns: { hosts_file: '' } }, ...more };
  const flags = readFlags([`--config.check=${mode}`]);
  const loaded = load({ flags, env: {}, version: '1', content });
  return { clock, checking: checkSources(loaded, { version: '1', clock }) };
}

const check = async (...args: Parameters<typeof start>) => start(...args).checking;

/** Starts a server that answers every request with `answer`. Returns its URL. */
async function serve(t: TestContext, answer: http.RequestListener): Promise<string> {
  const server = http.createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe('the check of sources', () => {
  test('counts the destinations of files, and says what is skipped and why', async (t) => {
    const at = folder(t);
    const [cfg, list, more] = ['k.cfg', 'd.list', 'a.json'].map((name) => join(at, name));
    writeFileSync(
      String(cfg),
      `loadmodule "dispatcher.so"\nmodparam("dispatcher", "list_file", "${list}")\nmodparam("keepalive", "destination", "sip:192.0.2.9")\n`,
    );
    writeFileSync(String(list), '1 sip:192.0.2.1\n1 sip:192.0.2.3 4\n');
    writeFileSync(String(more), JSON.stringify([{ targets: ['192.0.2.1', 'http://x'] }]));
    const checked = await check({ kamailio_cfg: [{ file: cfg }], file_sd: [{ files: [more] }] });
    const text = checkText(checked).replaceAll(at, '');
    assert.match(text, /^file_sd \/a\.json: 1 destinations$/m);
    assert.match(text, /^ {2}\/a\.json: .*skipped: .*http:\/\/x/m);
    assert.match(text, /^kamailio_cfg \/k\.cfg: [12] destinations$/m);
    assert.match(text, /^ {2}\/k\.cfg:1: adjusted: ds_ping_interval is 0/m);
    assert.match(text, /^ {2}\/d\.list:2: skipped: sip:192\.0\.2\.3: disabled \(flag 4\)$/m);
    assert.ok(checked.every(({ error }) => error === ''));
  });

  test('says that a kamailio.cfg has no destination', async (t) => {
    const file = join(folder(t), 'k.cfg');
    writeFileSync(file, '# nothing\n');
    assert.match(
      checkText(await check({ kamailio_cfg: [{ file }] })),
      /: 0 destinations\n {2}\S+k\.cfg: empty: neither keepalive nor dispatcher/,
    );
  });

  test('names a file that cannot be read, and counts what the others have', async (t) => {
    const at = folder(t);
    writeFileSync(join(at, 'a.json'), LIST);
    const files = [join(at, 'a.json'), join(at, 'none.json')];
    const [source] = await check({ file_sd: [{ files }] });
    assert.equal(source?.destinations, 2);
    assert.match(source?.error ?? '', /none\.json: expected a readable file, got ENOENT/);
    assert.match(
      checkText(source === undefined ? [] : [source]),
      /: 2 destinations, cannot be read: /,
    );
  });

  test('reports a name that two sources use for different destinations', async (t) => {
    const at = folder(t);
    const files = ['a.json', 'b.json'].map((name) => join(at, name));
    for (const [index, file] of files.entries()) {
      const labels = { __name: 'gw' };
      writeFileSync(file, JSON.stringify([{ targets: [`192.0.2.${index + 1}`], labels }]));
    }
    const [source] = await check({ file_sd: [{ files }] });
    assert.equal(source?.destinations, 1);
    assert.match(source?.remarks[0]?.reason ?? '', /duplicate destination name gw/);
  });

  test('shows a limited number of entries', async (t) => {
    const file = join(folder(t), 'd.list');
    writeFileSync(file, '5\n'.repeat(150));
    const lines = checkText(await check({ dispatcher_list: [{ file }] })).split('\n');
    assert.equal(lines.length, 103);
    assert.equal(lines[101], '  and 50 more entries that are skipped, adjusted or duplicate');
  });

  test('reads servers only when it is full', async (t) => {
    let requests = 0;
    const url = await serve(t, (_request, response) => {
      requests++;
      response.setHeader('Content-Type', 'application/json');
      response.end(LIST);
    });
    const sources = { http_sd: [{ url }] };
    const unread = await check(sources);
    assert.equal(
      checkText(unread),
      `http_sd ${url}: not read; --config.check=full reads servers too\n`,
    );
    assert.deepEqual([requests, unread[0]?.error], [0, '']);
    assert.equal(checkText(await check(sources, 'full')), `http_sd ${url}: 2 destinations\n`);
  });

  test('reads the lists of a running Kamailio when it is full', async (t) => {
    const target = (uri: string, flags: string) => ({ DEST: { URI: uri, FLAGS: flags } });
    const targets = [target('sip:192.0.2.1', 'AP'), target('sip:192.0.2.2', 'DX')];
    const result = { RECORDS: [{ SET: { ID: 1, TARGETS: targets } }] };
    const url = await serve(t, (_request, response) => {
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ jsonrpc: '2.0', result, id: 1 }));
    });
    const [source] = await check({ kamailio_rpc: [{ url, kamailio: 'proxy-a' }] }, 'full');
    assert.deepEqual([source?.name, source?.error], ['kamailio_rpc proxy-a', '']);
    assert.equal(source?.destinations, 1);
  });

  test('reports a server that refuses', async (t) => {
    const url = await serve(t, (_request, response) => {
      response.statusCode = 403;
      response.end();
    });
    const [source] = await check({ http_sd: [{ url }] }, 'full');
    assert.match(source?.error ?? '', /expected status 200, got 403/);
  });

  test('reports a server that does not answer in time, and has results for the others', async (t) => {
    let isAsked = false;
    const url = await serve(t, () => {
      isAsked = true;
    });
    const file = join(folder(t), 'd.list');
    writeFileSync(file, '1 sip:192.0.2.1\n');
    const http_sd = [{ url, timeout: 3600 }];
    const { clock, checking } = start({ http_sd, dispatcher_list: [{ file }] }, 'full');
    await eventually('the server is asked', () => isAsked);
    await eventually('the file is read', () => {
      return !process.getActiveResourcesInfo().some((kind) => kind.startsWith('FSReq'));
    });
    await clock.advanceSettling(60_000);
    assert.deepEqual(
      (await checking).map(({ destinations, error }) => [destinations, error]),
      [
        [0, 'expected to be read within 60 s, took longer'],
        [1, ''],
      ],
    );
    assert.equal(clock.pending, 0);
  });
});
