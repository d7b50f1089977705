import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hashSync } from 'bcryptjs';
import express, { type Request, type Response } from 'express';
import { type BasicAuthOptions, basicAuth } from '../../../src/http/guards/basic-auth.js';
import { LoginAttempts } from '../../../src/http/guards/login-attempts.js';
import { type PasswordTask, passwordThread } from '../../../src/http/guards/passwords.js';
import type { WebConfig } from '../../../src/http/server/web-config.js';
import { eventually } from '../../support/process.js';

const SECRET = hashSync('secret', 4);

/** Password checks that end when the test ends them. */
function heldChecks() {
  const waiting: { readonly task: PasswordTask; readonly end: (isRight: boolean) => void }[] = [];
  const isRight = ({ password, hash }: PasswordTask) => password === 'secret' && hash !== undefined;
  let started = 0;
  let isHeld = true;
  return {
    checkPassword: async (task: PasswordTask) => {
      started++;
      return isHeld ? new Promise<boolean>((end) => waiting.push({ task, end })) : isRight(task);
    },
    started: () => started,
    /** Ends the one that runs. */
    end: async () => {
      const { task, end } = await eventually('a check', () => waiting.shift());
      end(isRight(task));
      return task;
    },
    /** Ends all, and lets later ones end at once. */
    endAll: () => {
      isHeld = false;
      for (const { task, end } of waiting.splice(0)) end(isRight(task));
    },
  };
}

async function guarded(
  t: { after(fn: () => void): void },
  options: Partial<BasicAuthOptions> & { readonly users?: ReadonlyMap<string, string> } = {},
) {
  const { users = new Map([['alice', SECRET]]), ...rest } = options;
  const errors: unknown[] = [];
  const app = express();
  const config = () => ({ tls: undefined, users });
  app.use(basicAuth({ config, onError: (error) => errors.push(error), ...rest }));
  const passed: unknown[] = [];
  app.get('/', (_request, response) => {
    passed.push(response.locals['user']);
    response.send('in');
  });
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
  return { ask, send, errors, passed };
}

test('without a header, or with a malformed one, the response is 401 and no password is checked', async (t) => {
  const { checkPassword, started } = heldChecks();
  const { send } = await guarded(t, { checkPassword });
  assert.equal(await send({}), 401);
  const plain = Buffer.from('alice').toString('base64');
  for (const authorization of ['', 'Basic', 'Basic ', 'Basic ?', 'Bearer x', `Basic ${plain}`]) {
    assert.equal(await send({ authorization }), 401, authorization);
  }
  assert.equal(await send({ authorization: `basic   ${'A'.repeat(8_000)}` }), 401);
  assert.equal(started(), 0);
});

test('routes know the user whose password was right, also from the cache', async (t) => {
  const { ask, passed } = await guarded(t);
  for (const password of ['secret', 'wrong', 'secret']) await ask(password);
  assert.deepEqual(passed, ['alice', 'alice']);
  const open = await guarded(t, { users: new Map() });
  await open.ask('whatever');
  assert.deepEqual(open.passed, [undefined]);
});

test('a correct password is cached, and passes while fifty other attempts wait', async (t) => {
  const { checkPassword, started, end, endAll } = heldChecks();
  const { ask } = await guarded(t, { checkPassword });
  const first = ask('secret');
  await end();
  assert.equal(await first, 200);
  const guesses = Array.from({ length: 50 }, (_, i) => ask(`guess ${i}`));
  await eventually('one is checked', () => started() === 2);
  assert.equal(await ask('secret'), 200);
  const rejected: number[] = [];
  for (const guess of guesses) void guess.then((status) => rejected.push(status));
  await eventually('the attempts beyond the bound are rejected', () => rejected.length === 39);
  assert.ok(rejected.every((status) => status === 429));
  endAll();
  const statuses = await Promise.all(guesses);
  assert.equal(statuses.filter((status) => status === 401).length, 11);
});

test('clients are served round-robin, so one attempt does not wait behind the many of another client', async (t) => {
  const { checkPassword, started, end, endAll } = heldChecks();
  const { ask } = await guarded(t, { checkPassword });
  const guesses = Array.from({ length: 9 }, (_, i) => ask(`guess ${i}`, 'alice', '127.0.0.2'));
  await eventually('one is checked', () => started() === 1);
  const other = ask('secret', 'alice', '127.0.0.3');
  const tasks: string[] = [];
  await sleep(100);
  for (let i = 0; i < 3; i++) tasks.push((await end()).password);
  assert.ok(tasks.includes('secret'), tasks.join());
  assert.equal(await other, 200);
  endAll();
  await Promise.all(guesses);
});

test('equal attempts are checked once, at the same time or later', async (t) => {
  const { checkPassword, started, end } = heldChecks();
  const { ask } = await guarded(t, { checkPassword });
  const same = Array.from({ length: 30 }, () => ask('wrong'));
  await end();
  assert.deepEqual([...new Set(await Promise.all(same))], [401]);
  assert.equal(await ask('wrong'), 401);
  assert.equal(started(), 1);
});

test('a changed password is in force at once, although results are cached', async (t) => {
  let config: Pick<WebConfig, 'users'> = { users: new Map([['alice', SECRET]]) };
  const { ask } = await guarded(t, { config: () => config });
  assert.deepEqual([await ask('secret'), await ask('other')], [200, 401]);
  config = { users: new Map([['alice', hashSync('other', 4)]]) };
  assert.deepEqual([await ask('secret'), await ask('other')], [401, 200]);
});

test('a check that fails admits no client, and the next one may succeed', async (t) => {
  let isBroken = true;
  const checkPassword = async ({ password }: PasswordTask) => {
    if (isBroken) throw new Error('broken');
    return password === 'secret';
  };
  const { ask, errors } = await guarded(t, { checkPassword });
  assert.equal(await ask('secret'), 429);
  isBroken = false;
  assert.equal(await ask('secret'), 200);
  assert.equal(errors.length, 1);
});

test('the work of a check is the same for every user name', async (t) => {
  const tasks: PasswordTask[] = [];
  const checkPassword = async (task: PasswordTask) => {
    tasks.push(task);
    return false;
  };
  const users = new Map([
    ['alice', SECRET],
    ['bob', hashSync('secret', 6)],
  ]);
  const { ask } = await guarded(t, { checkPassword, users });
  for (const user of ['alice', 'bob', 'nobody', '__proto__', '']) await ask('wrong', user);
  assert.deepEqual(
    tasks.map(({ cost, hash }) => [cost, hash]),
    [[6, users.get('alice')], [6, users.get('bob')], ...[0, 1, 2].map(() => [6, undefined])],
  );
});

test('the password thread checks passwords, and leaves the main thread free', async (t) => {
  // It does not keep the process alive.
  const alive = setInterval(() => {}, 1_000);
  t.after(() => clearInterval(alive));
  const checkPassword = passwordThread();
  const task = { password: 'secret', hash: SECRET, cost: 4 };
  assert.equal(await checkPassword(task), true);
  assert.equal(await checkPassword({ ...task, password: 'wrong' }), false);
  assert.equal(await checkPassword({ ...task, cost: 6, password: 'wrong' }), false);
  assert.equal(await checkPassword({ ...task, hash: undefined }), false);
  const answers = await Promise.all(Array.from({ length: 20 }, () => checkPassword(task)));
  assert.ok(answers.every((isRight) => isRight));
  const slow = { password: 'wrong', hash: hashSync('x', 4), cost: 11 };
  let rounds = 0;
  let isDone = false;
  const round = () => {
    rounds++;
    if (!isDone) setImmediate(round);
  };
  setImmediate(round);
  await checkPassword(slow);
  isDone = true;
  assert.ok(rounds > 20, `${rounds} rounds`);
});

test('without users every request passes, and credentials are not checked', async (t) => {
  const { checkPassword, started } = heldChecks();
  const { ask, send } = await guarded(t, { checkPassword, users: new Map() });
  assert.deepEqual([await send({}), await ask('wrong')], [200, 200]);
  assert.equal(started(), 0);
});

test('IPv6 clients of one /64 share a bound, and those of another do not', async (t) => {
  const clients: string[] = [];
  t.mock.method(LoginAttempts.prototype, 'check', async (_key: string, client: string) => {
    clients.push(client);
    return 'wrong';
  });
  const users = new Map([['alice', SECRET]]);
  const handler = basicAuth({ config: () => ({ tls: undefined, users }), onError: () => {} });
  const addresses = [
    ...['192.0.2.7', '::ffff:192.0.2.7', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::9'],
    ...['2001:db8::1', '::1', 'fe80::1%eth0'],
  ];
  for (const [i, remoteAddress] of addresses.entries()) {
    const authorization = `Basic ${Buffer.from(`alice:${i}`).toString('base64')}`;
    const request = { headers: { authorization }, socket: { remoteAddress } };
    const response = { setHeader() {}, status: () => response, type: () => response, send() {} };
    await handler(request as unknown as Request, response as unknown as Response, () => {});
  }
  assert.deepEqual(clients, [
    ...['192.0.2.7', '192.0.2.7', '2001:db8:1:2', '2001:db8:1:2'],
    ...['2001:db8:0:0', '0:0:0:0', 'fe80:0:0:0'],
  ]);
});
