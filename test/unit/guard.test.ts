import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { hashSync } from 'bcryptjs';
import express from 'express';
import { basicAuth } from '../../src/http/guard.js';

test('guesses beyond those that may wait are told to come back, and who is known gets in meanwhile', async (t) => {
  const users = new Map([['alice', hashSync('secret', 8)]]);
  const app = express();
  app.use(basicAuth(() => ({ tls: undefined, users })));
  app.get('/', (_request, response) => void response.send('in'));
  const server = http.createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const ask = async (password: string) => {
    const authorization = `Basic ${Buffer.from(`alice:${password}`).toString('base64')}`;
    const answer = await fetch(url, { headers: { authorization } });
    await answer.text();
    return answer.status;
  };
  assert.equal(await ask('secret'), 200);
  const guesses = Array.from({ length: 40 }, (_, i) => ask(`guess ${i}`));
  assert.equal(await ask('secret'), 200, 'a right password is remembered');
  const statuses = await Promise.all(guesses);
  assert.deepEqual([...new Set(statuses)].sort(), [401, 429]);
  assert.equal(await ask('secret'), 200);
});
