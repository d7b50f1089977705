import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Exporter, startExporter } from '../support/exporter.js';
import { eventually } from '../support/process.js';

const CONFIG = {
  ping_interval: 0.5,
  web: { 'enable-admin-api': true },
  modules: { slow: { ping_interval: 60 } },
  destinations: [{ uri: '127.0.0.1:9', name: 'static' }],
};

describe('/rpc', () => {
  let exporter: Exporter;
  const ends: (() => unknown)[] = [];
  before(async () => {
    exporter = await startExporter({ after: (end: () => unknown) => ends.push(end) }, CONFIG);
  });
  after(async () => {
    for (const end of ends) await end();
  });
  const call = (method: string, params: unknown = []) =>
    exporter.rpc(`keepalive.${method}`, params);
  const resultOf = async (method: string, params?: unknown) => {
    const { result, error } = await call(method, params);
    assert.equal(error, undefined, error?.message);
    return result;
  };
  const errorOf = async (method: string, params?: unknown) => {
    const { result, error } = await call(method, params);
    assert.equal(result, undefined);
    return error ?? assert.fail('there is no error');
  };

  test('adds, answers -2 to the same owner, and pings once for several owners', async () => {
    const uri = 'sip:127.0.0.1:10';
    assert.equal(await resultOf('add', [uri, 'alice']), 1);
    assert.equal(await resultOf('add', { uri: 'SIP:127.0.0.1:10', owner: 'alice' }), -2);
    assert.equal(await resultOf('add', { uri, owner: 'bob', ping_interval: '400ms' }), 1);
    const listed = (await resultOf('list')) as { uri: string; owner: string; state: number }[];
    assert.deepEqual(
      listed.map((one) => [one.uri, one.owner]),
      [
        ['sip:127.0.0.1:9', 'config'],
        [uri, 'alice'],
        [uri, 'bob'],
      ],
    );
    const interval = { destination: uri };
    assert.equal(await exporter.metric('sip_keepalive_ping_interval_seconds', interval), 0.4);
    await eventually('a state', async () => (await call('is_alive', [uri])).result === 2);
    const got = (await resultOf('get', [uri, 'bob'])) as Record<string, unknown>;
    const { owner, state, code, state_text: words } = got;
    assert.deepEqual([got['uri'], owner, state, code, words], [uri, 'bob', 2, 2, 'down']);
    assert.equal(got['last up'], null);
    assert.ok(Date.parse(String(got['last checked'])) > 0);
    assert.equal(got['last checked'], got['last down']);
    assert.equal(await resultOf('del', [uri, 'bob']), 1);
    assert.equal(await exporter.metric('sip_keepalive_ping_interval_seconds', interval), 0.5);
    assert.equal(await resultOf('del', ['127.0.0.1:10', 'alice']), 1);
    assert.equal((await errorOf('get', [uri])).code, -1);
    assert.equal(await exporter.metric('sip_keepalive_is_alive', interval), undefined);
  });

  test('takes name, module and labels as the configuration does', async () => {
    const params = {
      ...{ uri: '127.0.0.1:11', owner: 'alice', name: 'gw', module: 'slow' },
      labels: { carrier: 'acme' },
    };
    assert.equal(await resultOf('add', params), 1);
    const labels = { destination: 'gw', carrier: 'acme' };
    assert.equal(await exporter.metric('sip_keepalive_ping_interval_seconds', labels), 60);
    assert.equal(await resultOf('del', ['gw', 'alice']), 1);
  });

  test('flushes the destinations that were added, of one owner or of all, and no others', async () => {
    for (const [port, owner] of [
      [20, 'a'],
      [21, 'a'],
      [22, 'b'],
    ] as const) {
      await resultOf('add', [`127.0.0.1:${port}`, owner]);
    }
    assert.equal(await resultOf('flush', ['a']), 2);
    assert.equal(await resultOf('flush'), 1);
    assert.equal(((await resultOf('list')) as unknown[]).length, 1);
  });

  test("answers an addition or a deletion that fails with a reason and Kamailio's code", async () => {
    const wrong = [
      ['add', ['http://x', 'alice'], /^uri: expected a SIP URI/],
      [
        'add',
        { uri: '127.0.0.1', owner: 'alice', ping_interval: 'soon' },
        /^ping_interval: expected/,
      ],
      [
        'add',
        { uri: '127.0.0.1', owner: 'alice', module: 'none' },
        /^module: unknown module "none"/,
      ],
      [
        'add',
        { uri: '127.0.0.1', owner: 'alice', labels: { le: 'x' } },
        /^labels\.le: label name "le" is reserved/,
      ],
      [
        'add',
        { uri: '127.0.0.2', owner: 'alice', name: 'static' },
        /the name is already used by sip:127.0.0.1:9/,
      ],
      ['add', { uri: '127.0.0.2', owner: 'config', name: 'static' }, /the name is already used by/],
      ['del', ['127.0.0.1:9', 'config'], /of config is from the configuration; remove it there/],
      ['del', ['127.0.0.1:9', 'alice'], /alice has no destination/],
      ['del', ['127.0.0.99', 'alice'], /no such destination: 127.0.0.99/],
      ['is_alive', ['127.0.0.99'], /no such destination/],
      ['is_alive', ['http://x'], /expected a SIP URI/],
    ] as const;
    for (const [method, params, why] of wrong) {
      const { code, message } = await errorOf(method, params);
      assert.equal(code, -1, message);
      assert.match(message, why);
    }
  });

  test('answers an invalid call with a reason and a code of JSON-RPC', async () => {
    const request = (change: object) =>
      JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'keepalive.list', ...change });
    const wrong = [
      ['', -32700, null, /JSON/],
      ['{"jsonrpc": "2.0", "met', -32700, null, /JSON/],
      ['[]', -32600, null, /at least one/],
      ['17', -32600, null, /expected an object, got 17/],
      [request({ jsonrpc: '1.0' }), -32600, 7, /jsonrpc: expected "2.0", got "1.0"/],
      [request({ jsonrpc: undefined }), -32600, 7, /jsonrpc/],
      [request({ id: {} }), -32600, null, /id: expected/],
      [request({ method: 1 }), -32600, 7, /method: expected a string/],
      [request({ method: 'keepalive.nothing' }), -32601, 7, /expected one of keepalive.list, /],
      [request({ method: 'toString' }), -32601, 7, /expected one of/],
      [request({ params: 'x' }), -32600, 7, /params: expected a list or an object/],
      [request({ params: ['a', 'b'] }), -32602, 7, /expected at most 1 \(owner\), got 2/],
      [request({ params: { nobody: 1 } }), -32602, 7, /expected owner, got "nobody"/],
      [
        request({ params: [5] }),
        -32602,
        7,
        /params.owner: expected a string of 1 to 1024 .*, got 5/,
      ],
      [request({ method: 'keepalive.add', params: ['x'] }), -32602, 7, /expected owner, got none/],
      [request({ method: 'keepalive.get' }), -32602, 7, /expected uri, got none/],
      [`[${Array(1001).fill('1').join()}]`, -32600, null, /at most 1000 calls/],
    ] as const;
    for (const [body, code, id, why] of wrong) {
      const answer = await exporter.post('/rpc', body);
      assert.equal(answer.status, 200, body);
      const { error, ...rest } = (await answer.json()) as {
        error: { code: number; message: string };
      };
      assert.deepEqual([rest, error.code], [{ jsonrpc: '2.0', id }, code], body);
      assert.match(error.message, why);
    }
  });

  test('answers a batch in order, without notifications, and with large results once', async () => {
    const list = { jsonrpc: '2.0', method: 'keepalive.list' };
    const batch = [
      { ...list, id: 'a' },
      list,
      1,
      { ...list, id: 'b', method: 'keepalive.is_alive' },
    ];
    const answers = (await (await exporter.post('/rpc', JSON.stringify(batch))).json()) as {
      id: unknown;
      result?: unknown;
      error?: { code: number };
    }[];
    assert.deepEqual(
      answers.map(({ id, error }) => [id, error?.code]),
      [
        ['a', undefined],
        [null, -32600],
        ['b', -32602],
      ],
    );
    const silent = await exporter.post('/rpc', JSON.stringify(list));
    assert.deepEqual([silent.status, await silent.text()], [204, '']);
    const two = await exporter.post(
      '/rpc',
      JSON.stringify([
        { ...list, id: 1 },
        { ...list, id: 2 },
      ]),
    );
    const [, again] = (await two.json()) as { error?: { message: string } }[];
    assert.match(again?.error?.message ?? '', /only once in a batch/);
  });

  test('rejects a request of ten megabytes, and answers the next one', async () => {
    const answer = await exporter.post('/rpc', 'x'.repeat(10 << 20)).catch(() => undefined);
    if (answer !== undefined) assert.equal(answer.status, 413);
    assert.equal(((await resultOf('list')) as unknown[]).length, 1);
  });
});

test('without the admin API, calls that change something get an error, and others an answer', async (t) => {
  const exporter = await startExporter(t, { destinations: ['127.0.0.1:9'] });
  for (const [method, params] of [
    ['keepalive.add', ['127.0.0.1:10', 'alice']],
    ['keepalive.del', ['127.0.0.1:9', 'config']],
    ['keepalive.flush', []],
  ] as const) {
    const { error } = await exporter.rpc(method, params);
    assert.equal(error?.code, -1);
    assert.match(error?.message ?? '', /--web.enable-admin-api/);
  }
  const { result } = await exporter.rpc('keepalive.list', []);
  assert.equal((result as unknown[]).length, 1);
});

test('of a thousand destinations with one URI, each is found by its name', async (t) => {
  const destinations = Array.from({ length: 1000 }, (_, i) => ({
    uri: '127.0.0.1:9',
    name: `d${i}`,
  }));
  const exporter = await startExporter(t, { ping_interval: 60, destinations });
  for (const method of ['keepalive.get', 'keepalive.is_alive']) {
    const call = { jsonrpc: '2.0', id: 1, method, params: ['127.0.0.1:9'] };
    const batch = JSON.stringify(Array.from({ length: 1000 }, () => call));
    const answers = (await (await exporter.post('/rpc', batch)).json()) as {
      error?: { message: string };
    }[];
    assert.equal(answers.length, 1000);
    assert.match(answers[999]?.error?.message ?? '', /a URI of 1000 destinations/);
  }
  const { result } = await exporter.rpc('keepalive.get', ['d7']);
  assert.equal((result as { destination: string }).destination, 'd7');
});
