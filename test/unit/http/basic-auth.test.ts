import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hashSync } from 'bcryptjs';
import express from 'express';
import { basicAuth, type GuardOptions } from '../../../src/http/guards/basic-auth.js';
import { type PasswordTask, passwordThread } from '../../../src/http/guards/passwords.js';
import type { WebConfig } from '../../../src/http/server/web-config.js';
import { eventually } from '../../support/process.js';

const SECRET = hashSync('secret', 4);

/** Comparisons that end when the test says so. */
function comparisons() {
  const waiting: { readonly task: PasswordTask; readonly end: (isRight: boolean) => void }[] = [];
  const isRight = ({ password, hash }: PasswordTask) => password === 'secret' && hash !== undefined;
  let begun = 0;
  let isHeld = true;
  return {
    check: async (task: PasswordTask) => {
      begun++;
      return isHeld ? new Promise<boolean>((end) => waiting.push({ task, end })) : isRight(task);
    },
    begun: () => begun,
    /** Ends the one that is under way. */
    end: async () => {
      const { task, end } = await eventually('a comparison', () => waiting.shift());
      end(isRight(task));
      return task;
    },
    /** Ends all, and those to come at once. */
    endAll: () => {
      isHeld = false;
      for (const { task, end } of waiting.splice(0)) end(isRight(task));
    },
  };
}

async function guarded(
  t: { after(fn: () => void): void },
  options: Partial<GuardOptions> & { readonly users?: ReadonlyMap<string, string> } = {},
) {
  const { users = new Map([['alice', SECRET]]), ...rest } = options;
  const errors: unknown[] = [];
  const app = express();
  const config = () => ({ tls: undefined, users });
  app.use(basicAuth({ config, onError: (error) => errors.push(error), ...rest }));
  app.get('/', (_request, response) => void response.send('in'));
  const server = http.createServer(app).listen(0, '0.0.0.0');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  /** @param from the client's address. */
  const send = (headers: http.OutgoingHttpHeaders, from = '127.0.0.1') =>
    new Promise<number>((resolve) => {
      const options = { port, host: '127.0.0.1', localAddress: from, headers, agent: false };
      http
        .get(options, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        })
        .on('error', () => resolve(0));
    });
  const ask = (password: string, user = 'alice', from?: string) =>
    send({ authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }, from);
  return { ask, send, errors };
}

test('without a header, or with one that is malformed, the answer is 401 and nothing is compared', async (t) => {
  const { check, begun } = comparisons();
  const { send } = await guarded(t, { check });
  assert.equal(await send({}), 401);
  const plain = Buffer.from('alice').toString('base64');
  for (const authorization of ['', 'Basic', 'Basic ', 'Basic ?', 'Bearer x', `Basic ${plain}`]) {
    assert.equal(await send({ authorization }), 401, authorization);
  }
  assert.equal(await send({ authorization: `basic   ${'A'.repeat(8_000)}` }), 401);
  assert.equal(begun(), 0);
});

test('a right password is remembered, and passes while fifty others wait', async (t) => {
  const { check, begun, end, endAll } = comparisons();
  const { ask } = await guarded(t, { check });
  const first = ask('secret');
  await end();
  assert.equal(await first, 200);
  const guesses = Array.from({ length: 50 }, (_, i) => ask(`guess ${i}`));
  await eventually('one is compared', () => begun() === 2);
  assert.equal(await ask('secret'), 200);
  const turnedAway: number[] = [];
  for (const guess of guesses) void guess.then((status) => turnedAway.push(status));
  await eventually('those beyond the bound are turned away', () => turnedAway.length === 39);
  assert.ok(turnedAway.every((status) => status === 429));
  endAll();
  const statuses = await Promise.all(guesses);
  assert.equal(statuses.filter((status) => status === 401).length, 11);
});

test('one that is not remembered comes before the older ones of its client, and has its turn beside those of others', async (t) => {
  const { check, begun, end, endAll } = comparisons();
  const { ask } = await guarded(t, { check });
  const guesses = Array.from({ length: 9 }, (_, i) => ask(`guess ${i}`, 'alice', '127.0.0.2'));
  await eventually('one is compared', () => begun() === 1);
  const other = ask('secret', 'alice', '127.0.0.3');
  const tasks: string[] = [];
  await sleep(100);
  for (let i = 0; i < 3; i++) tasks.push((await end()).password);
  assert.ok(tasks.includes('secret'), tasks.join());
  assert.equal(await other, 200);
  endAll();
  await Promise.all(guesses);
});

test('the same attempt is compared once, together with others or after them', async (t) => {
  const { check, begun, end } = comparisons();
  const { ask } = await guarded(t, { check });
  const same = Array.from({ length: 30 }, () => ask('wrong'));
  await end();
  assert.deepEqual([...new Set(await Promise.all(same))], [401]);
  assert.equal(await ask('wrong'), 401);
  assert.equal(begun(), 1);
});

test('a changed password is another one at once; a file that has become wrong changes nothing, and is told once', async (t) => {
  let config = (): WebConfig => ({ tls: undefined, users: new Map([['alice', SECRET]]) });
  const { ask, errors } = await guarded(t, { config: () => config() });
  assert.deepEqual([await ask('secret'), await ask('other')], [200, 401]);
  config = () => {
    throw new Error('web.yml: expected a mapping');
  };
  assert.deepEqual([await ask('secret'), await ask('other')], [200, 401]);
  assert.equal(errors.length, 1);
  const users = new Map([['alice', hashSync('other', 4)]]);
  config = () => ({ tls: undefined, users });
  assert.deepEqual([await ask('secret'), await ask('other')], [401, 200]);
});

test('a comparison that fails lets nobody in, and the next one may succeed', async (t) => {
  let isBroken = true;
  const check = async ({ password }: PasswordTask) => {
    if (isBroken) throw new Error('broken');
    return password === 'secret';
  };
  const { ask, errors } = await guarded(t, { check });
  assert.equal(await ask('secret'), 429);
  isBroken = false;
  assert.equal(await ask('secret'), 200);
  assert.equal(errors.length, 1);
});

test('the guard asks for the same work whoever the user is', async (t) => {
  const tasks: PasswordTask[] = [];
  const check = async (task: PasswordTask) => {
    tasks.push(task);
    return false;
  };
  const users = new Map([
    ['alice', SECRET],
    ['bob', hashSync('secret', 6)],
  ]);
  const { ask } = await guarded(t, { check, users });
  for (const user of ['alice', 'bob', 'nobody', '__proto__', '']) await ask('wrong', user);
  assert.deepEqual(
    tasks.map(({ cost, hash }) => [cost, hash]),
    [[6, users.get('alice')], [6, users.get('bob')], ...[0, 1, 2].map(() => [6, undefined])],
  );
});

test('the thread compares passwords, and leaves ours to others', async (t) => {
  // It does not keep the process alive.
  const alive = setInterval(() => {}, 1_000);
  t.after(() => clearInterval(alive));
  const check = passwordThread();
  const task = { password: 'secret', hash: SECRET, cost: 4 };
  assert.equal(await check(task), true);
  assert.equal(await check({ ...task, password: 'wrong' }), false);
  assert.equal(await check({ ...task, cost: 6, password: 'wrong' }), false);
  assert.equal(await check({ ...task, hash: undefined }), false);
  const answers = await Promise.all(Array.from({ length: 20 }, () => check(task)));
  assert.ok(answers.every((isRight) => isRight));
  const slow = { password: 'wrong', hash: hashSync('x', 4), cost: 11 };
  let turns = 0;
  let isDone = false;
  const turn = () => {
    turns++;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  await check(slow);
  isDone = true;
  assert.ok(turns > 20, `${turns} turns`);
});
