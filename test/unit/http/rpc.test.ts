import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { RuntimeDestinationStore } from '../../../src/http/routes/rpc.js';
import { RuntimeDestinationError } from '../../../src/registry/runtime-destination.js';
import { appRig } from '../../support/app-rig.js';
import { IDLE_SETTINGS } from '../../support/idle-app.js';

async function rpcRig(
  t: TestContext,
  store: Partial<RuntimeDestinationStore> = {},
  isAdminEnabled = true,
) {
  const calls: unknown[][] = [];
  const rig = await appRig(t, {
    settings: () => ({ ...IDLE_SETTINGS, isAdminEnabled }),
    runtimeDestinations: {
      add: async (...args) => {
        calls.push(['add', ...args]);
        return 1;
      },
      remove: async (...args) => {
        calls.push(['remove', ...args]);
        return 0;
      },
      flush: async (...args) => {
        calls.push(['flush', ...args]);
        return 3;
      },
      ...store,
    },
  });
  const call = async (method: string, params: unknown = []) => {
    const request = { jsonrpc: '2.0', id: 1, method: `keepalive.${method}`, params };
    const answer = await rig.post('/rpc', JSON.stringify(request));
    return (await answer.json()) as {
      result?: unknown;
      error?: { code: number; message: string };
    };
  };
  const errorOf = async (method: string, params?: unknown) => {
    const { error } = await call(method, params);
    assert.ok(error !== undefined);
    return [error.code, error.message] as const;
  };
  return { ...rig, calls, call, errorOf };
}

describe('keepalive.list', () => {
  test('has an item for each destination and owner, or for those of one owner', async (t) => {
    const { add, call } = await rpcRig(t);
    add('a', { owners: ['config', 'rpc'] });
    add('b');
    const owners = async (params: unknown) =>
      ((await call('list', params)).result as { destination: string; owner: string }[]).map(
        (item) => [item.destination, item.owner],
      );
    assert.deepEqual(await owners([]), [
      ['a', 'config'],
      ['a', 'rpc'],
      ['b', 'config'],
    ]);
    assert.deepEqual(await owners(['rpc']), [['a', 'rpc']]);
    assert.deepEqual(await owners({ owner: 'nobody' }), []);
  });

  test('of hundreds has all of them, in order', async (t) => {
    const { add, call } = await rpcRig(t);
    for (let i = 0; i < 450; i++) add(`gw ${i}`);
    const { result } = await call('list');
    assert.deepEqual(
      (result as { destination: string }[]).map(({ destination }) => destination),
      Array.from({ length: 450 }, (_, i) => `gw ${i}`),
    );
  });
});

describe('keepalive.get', () => {
  test("has Kamailio's fields and those of the API", async (t) => {
    const { add, call, clock } = await rpcRig(t);
    const added = add('gw', {
      targets: [{ address: '192.0.2.1:5060' }, { address: '192.0.2.2:5060' }],
    });
    added.ping({}, 0);
    clock.advance(1_000);
    added.ping({ reason: 'timeout' }, 1);
    added.become('up');
    const { result } = await call('get', ['gw']);
    const item = result as Record<string, unknown>;
    assert.deepEqual(
      ['uri', 'owner', 'state', 'state_text', 'code'].map((key) => item[key]),
      ['sip:192.0.2.1', 'config', 1, 'up', 1],
    );
    assert.deepEqual(
      [item['last checked'], item['last up'], item['last down']],
      ['2023-11-14T22:13:21.000Z', '2023-11-14T22:13:20.000Z', '2023-11-14T22:13:21.000Z'],
    );
  });

  test('of a destination without a ping has null for its times', async (t) => {
    const { add, call } = await rpcRig(t);
    add('gw');
    const item = (await call('get', ['gw'])).result as Record<string, unknown>;
    assert.deepEqual([item['last checked'], item['state']], [null, 0]);
  });

  test('of a URI of several destinations is a list; of too many, an error', async (t) => {
    const { add, call, errorOf } = await rpcRig(t);
    for (let i = 0; i < 100; i++) add(`gw ${i}`, { uri: 'sip:a.example' });
    assert.equal(((await call('get', ['a.example'])).result as unknown[]).length, 100);
    add('one more', { uri: 'sip:a.example' });
    const tooMany = [-1, 'expected a name, got a URI of 101 destinations'];
    assert.deepEqual(await errorOf('get', ['a.example']), tooMany);
    assert.deepEqual(await errorOf('is_alive', ['a.example']), tooMany);
  });

  test('of an unknown destination or owner is an error', async (t) => {
    const { add, errorOf } = await rpcRig(t);
    add('gw');
    assert.deepEqual(await errorOf('get', ['192.0.2.9']), [-1, 'no such destination: 192.0.2.9']);
    assert.deepEqual(await errorOf('get', ['gw', 'rpc']), [-1, 'rpc has no destination gw']);
    const [code, message] = await errorOf('get', ['http://x']);
    assert.equal(code, -1);
    assert.match(message, /expected a SIP URI/);
    for (const uri of [5, '', 'a\nb', 'x'.repeat(1_025)]) {
      const [invalid, text] = await errorOf('get', [uri]);
      assert.equal(invalid, -32602);
      assert.match(text, /^params\.uri: expected a string of 1 to 1024 printable characters/);
    }
  });
});

test('keepalive.is_alive is 1 or 2, and an error while the state is unknown', async (t) => {
  const { add, call, errorOf } = await rpcRig(t);
  const up = add('up');
  up.ping();
  up.become('up');
  const down = add('down');
  down.ping({ reason: 'timeout' });
  down.become('down', 'timeout');
  add('unknown');
  assert.equal((await call('is_alive', ['up'])).result, 1);
  assert.equal((await call('is_alive', ['down'])).result, 2);
  assert.deepEqual(await errorOf('is_alive', ['unknown']), [-1, 'the state is unknown']);
});

describe('keepalive.add', () => {
  test('adds with the given parameters', async (t) => {
    const { call, calls } = await rpcRig(t);
    assert.equal((await call('add', ['sip:a', 'billing'])).result, 1);
    const more = { uri: 'sip:b', owner: 'x', name: 'b', labels: { a: 'b' } };
    assert.equal((await call('add', more)).result, 1);
    assert.deepEqual(calls, [
      ['add', 'billing', { uri: 'sip:a' }],
      ['add', 'x', { uri: 'sip:b', name: 'b', labels: { a: 'b' } }],
    ]);
  });

  test('fails for an invalid owner, and with the error of the store', async (t) => {
    const { errorOf, calls } = await rpcRig(t, {
      add: async () => {
        throw new RuntimeDestinationError('uri: expected a SIP URI');
      },
    });
    const [code, message] = await errorOf('add', ['sip:a', '']);
    assert.equal(code, -32602);
    assert.match(message, /^params\.owner: expected/);
    assert.deepEqual(await errorOf('add', ['x', 'me']), [-1, 'uri: expected a SIP URI']);
    assert.deepEqual(calls, []);
  });

  test('that throws is an internal error', async (t) => {
    const { errorOf, errors } = await rpcRig(t, {
      add: async () => {
        throw new Error('a secret');
      },
    });
    assert.deepEqual(await errorOf('add', ['x', 'me']), [-32603, 'internal error; see the log']);
    assert.deepEqual(errors, ['/rpc: Error: a secret']);
  });
});

describe('keepalive.del', () => {
  test('removes a stored destination by its name, whether it is pinged or not', async (t) => {
    const { call, calls } = await rpcRig(t, {
      remove: async (owner, names) => {
        calls.push(['remove', owner, names]);
        return 1;
      },
    });
    assert.equal((await call('del', ['gone', 'me'])).result, 1);
    assert.deepEqual(calls, [['remove', 'me', ['gone']]]);
  });

  test('removes every destination of a URI', async (t) => {
    const { add, call, calls } = await rpcRig(t, {
      remove: async (owner, names) => {
        calls.push(['remove', owner, names]);
        return names.length === 2 ? 2 : 0;
      },
    });
    add('a', { uri: 'sip:a.example' });
    add('b', { uri: 'sip:a.example' });
    assert.equal((await call('del', ['A.example', 'me'])).result, 1);
    assert.deepEqual(calls.at(-1), ['remove', 'me', ['a', 'b']]);
  });

  test('of an unknown or a configured destination is an error', async (t) => {
    const { add, errorOf } = await rpcRig(t);
    add('gw');
    assert.deepEqual(await errorOf('del', ['gw', 'me']), [-1, 'me has no destination gw']);
    assert.deepEqual(await errorOf('del', ['gw', 'config']), [
      -1,
      'gw of config is from the configuration; remove it there',
    ]);
    assert.deepEqual(await errorOf('del', ['x', 'me']), [-1, 'no such destination: x']);
  });
});

test('keepalive.flush removes those of one owner, or all', async (t) => {
  const { call, calls } = await rpcRig(t);
  assert.equal((await call('flush')).result, 3);
  assert.equal((await call('flush', ['me'])).result, 3);
  assert.deepEqual(calls, [
    ['flush', undefined],
    ['flush', 'me'],
  ]);
});

test('without the admin API nothing can be changed', async (t) => {
  const { errorOf, calls } = await rpcRig(t, {}, false);
  for (const [method, params] of [
    ['add', ['sip:a', 'me']],
    ['del', ['sip:a', 'me']],
    ['flush', []],
  ] as const) {
    const [code, message] = await errorOf(method, params);
    assert.equal(code, -1);
    assert.match(message, /--web\.enable-admin-api/);
  }
  assert.deepEqual(calls, []);
});

test('a request that is too long, or an encoding that is unknown, is refused', async (t) => {
  const { url, post } = await rpcRig(t);
  const long = await post('/rpc', ' '.repeat((1 << 20) + 1));
  assert.equal(long.status, 413);
  assert.match(await long.text(), /expected at most 1048576 bytes of JSON/);
  const headers = { 'content-encoding': 'x-unknown' };
  const encoded = await fetch(`${url}/rpc`, { method: 'POST', body: 'x', headers });
  assert.equal(encoded.status, 415);
});
