import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answer, type Methods, RpcError } from '../../../src/http/routes/json-rpc.js';

function setUp() {
  const calls: unknown[] = [];
  const errors: unknown[] = [];
  const methods: Methods = {
    add: {
      params: ['a', 'b'],
      required: 1,
      call: async (params) => {
        calls.push(params);
        return Number(params['a']) + Number(params['b'] ?? 0);
      },
    },
    list: { params: [], required: 0, isLarge: true, call: async () => [1] },
    fail: {
      params: [],
      required: 0,
      call: async () => {
        throw new RpcError(-1, 'no such thing');
      },
    },
    break: {
      params: [],
      required: 0,
      call: async () => {
        throw new Error('a secret');
      },
    },
  };
  const ask = (request: unknown) =>
    answer(typeof request === 'string' ? request : JSON.stringify(request), methods, (error) =>
      errors.push(error),
    );
  return { ask, calls, errors };
}

const call = (method: unknown, params?: unknown, more: object = { id: 1 }) => ({
  jsonrpc: '2.0',
  method,
  ...(params === undefined ? {} : { params }),
  ...more,
});
const failed = (code: number, message: string, id: unknown = 1) => ({
  jsonrpc: '2.0',
  id,
  error: { code, message },
});

describe('a JSON-RPC call', () => {
  test('takes parameters by position and by name', async () => {
    const { ask, calls } = setUp();
    const three = { jsonrpc: '2.0', id: 1, result: 3 };
    assert.deepEqual(await ask(call('add', [1, 2])), three);
    assert.deepEqual(await ask(call('add', { b: 2, a: 1 })), three);
    assert.deepEqual(await ask(call('add', [3])), three);
    assert.deepEqual(calls, [{ a: 1, b: 2 }, { b: 2, a: 1 }, { a: 3 }]);
  });

  test('is answered with its id, whatever the kind', async () => {
    const { ask } = setUp();
    for (const id of ['x', 0, -1.5, null]) {
      assert.deepEqual(await ask(call('list', [], { id })), { jsonrpc: '2.0', id, result: [1] });
    }
  });

  for (const [what, request, code, message, id = 1] of [
    ['that is no JSON', '{"jsonrpc":', -32700, 'invalid JSON', null],
    ['that is a number', 17, -32600, 'expected an object, got 17', null],
    [
      'of another version',
      call('list', [], { id: 1, jsonrpc: '1.0' }),
      -32600,
      'jsonrpc: expected "2.0", got "1.0"',
    ],
    [
      'with a list as its id',
      call('list', [], { id: [] }),
      -32600,
      'id: expected a string, a number or null, got a list',
      null,
    ],
    ['that is empty', {}, -32600, 'jsonrpc: expected "2.0", got none', null],
    [
      'without a method',
      { jsonrpc: '2.0', id: 1 },
      ...([-32600, 'method: expected a string, got none'] as const),
    ],
    ['of no method', call(1), -32600, 'method: expected a string, got 1'],
    [
      'of an unknown method',
      call('toString'),
      -32601,
      'expected one of add, list, fail, break, got "toString"',
    ],
    ['with a text as parameters', call('add', 'x'), -32600, 'params: expected a list or an object'],
    [
      'with too many parameters',
      call('add', [1, 2, 3]),
      -32602,
      'params: expected at most 2 (a, b), got 3',
    ],
    ['with an unknown parameter', call('add', { c: 1 }), -32602, 'params: expected a, b, got "c"'],
    ['without a required parameter', call('add', { b: 1 }), -32602, 'params: expected a, got none'],
    ['that fails', call('fail'), -1, 'no such thing'],
  ] as const) {
    test(`${what} is an error`, async () => {
      const { ask, errors } = setUp();
      assert.deepEqual(await ask(request), failed(code, message, id));
      assert.deepEqual(errors, []);
    });
  }

  test('that breaks is an internal error, without its text', async () => {
    const { ask, errors } = setUp();
    assert.deepEqual(await ask(call('break')), failed(-32603, 'internal error; see the log'));
    assert.deepEqual(errors.map(String), ['Error: a secret']);
  });
});

describe('a JSON-RPC notification', () => {
  test('is executed and not answered, also when it fails', async () => {
    const { ask, calls, errors } = setUp();
    assert.equal(await ask(call('add', [1], {})), undefined);
    assert.equal(await ask(call('fail', [], {})), undefined);
    assert.equal(await ask(call('nothing', [], {})), undefined);
    assert.equal(await ask(call('break', [], {})), undefined);
    assert.deepEqual(calls, [{ a: 1 }]);
    assert.equal(errors.length, 1);
  });

  test('that is no valid request is answered', async () => {
    const { ask } = setUp();
    const message = 'method: expected a string, got 1';
    assert.deepEqual(await ask(call(1, [], {})), failed(-32600, message, null));
  });
});

describe('a JSON-RPC batch', () => {
  test('is answered in its order, without its notifications', async () => {
    const { ask } = setUp();
    const batch = [
      call('add', [1], { id: 'a' }),
      call('add', [2], {}),
      17,
      call('fail', [], { id: 'b' }),
    ];
    assert.deepEqual(await ask(batch), [
      { jsonrpc: '2.0', id: 'a', result: 1 },
      failed(-32600, 'expected an object, got 17', null),
      failed(-1, 'no such thing', 'b'),
    ]);
    assert.equal(await ask([call('add', [2], {})]), undefined);
  });

  test('has at least one call and at most a thousand', async () => {
    const { ask } = setUp();
    const none = 'expected at least one call in a batch, got none';
    assert.deepEqual(await ask([]), failed(-32600, none, null));
    const many = Array.from({ length: 1_001 }, () => call('add', [1], {}));
    const tooMany = 'expected at most 1000 calls in a batch, got 1001';
    assert.deepEqual(await ask(many), failed(-32600, tooMany, null));
    assert.equal(await ask(many.slice(1)), undefined);
  });

  test('has a method with a large result only once', async () => {
    const { ask } = setUp();
    const [first, second, third] = [
      await ask([call('list'), call('list'), call('add', [1])]),
    ].flat();
    assert.deepEqual([first?.result, third?.result], [[1], 1]);
    assert.match(second?.error?.message ?? '', /only once in a batch/);
  });
});
