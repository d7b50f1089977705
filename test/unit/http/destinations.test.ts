import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { appRig } from '../../support/app-rig.js';
import { connect } from '../../support/http-server.js';

interface List {
  readonly destinations: readonly Readonly<Record<string, unknown>>[];
}

describe('/api/v1/destinations', () => {
  test('is an empty list without destinations', async (t) => {
    const { json } = await appRig(t);
    assert.deepEqual((await json('/api/v1/destinations')).body, { destinations: [] });
  });

  test('has hundreds of destinations, in full or in brief', async (t) => {
    const { add, json } = await appRig(t);
    const names = Array.from({ length: 450 }, (_, i) => `gw ${i}`);
    for (const name of names) add(name);
    for (const [query, hasTargets] of [
      ['', true],
      ['?view=full', true],
      ['?view=brief', false],
    ] as const) {
      const { destinations } = (await json(`/api/v1/destinations${query}`)).body as List;
      assert.deepEqual(
        destinations.map(({ destination }) => destination),
        names,
      );
      assert.equal('targets' in (destinations[0] ?? {}), hasTargets, query);
    }
  });

  test('is compressed for a client that accepts gzip', async (t) => {
    const { add, get } = await appRig(t);
    for (let i = 0; i < 450; i++) add(`gw ${i}`);
    for (const path of ['destinations', 'destinations?view=brief', 'openapi.json']) {
      const read = async (encoding: string) => {
        const answer = await get(`/api/v1/${path}`, { 'accept-encoding': encoding });
        assert.equal(answer.headers.get('content-encoding') ?? 'identity', encoding, path);
        assert.equal(answer.headers.get('vary'), 'Accept-Encoding', path);
        assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8', path);
        return answer.json();
      };
      assert.deepEqual(await read('gzip'), await read('identity'), path);
    }
    const short = await get('/api/v1/history?destination=x', { 'accept-encoding': 'gzip' });
    assert.equal(short.headers.get('content-encoding'), null);
  });

  test('has no other view', async (t) => {
    const { json } = await appRig(t);
    for (const [query, error] of [
      ['?view=long', 'view: expected full or brief, got "long"'],
      ['?view=brief&view=brief', 'view: expected one value, got several'],
    ] as const) {
      const refused = await json(`/api/v1/destinations${query}`);
      assert.deepEqual(refused, { status: 400, body: { error } });
    }
  });

  test('waits for a client that reads slowly, and ends when the client disconnects', async (t) => {
    const { add, url, text } = await appRig(t);
    for (let i = 0; i < 3_000; i++) add(`gw ${i}`, { labels: { long: 'x'.repeat(5_000) } });
    const socket = await connect(t, Number(new URL(url).port));
    socket.write('GET /api/v1/destinations HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'readable');
    assert.deepEqual(await text('/-/healthy'), [200, 'Healthy\n']);
    const slow = socket.readableLength;
    assert.ok(slow < 15_000_000, 'it is not sent what it does not read');
    socket.destroy();
    const [status, body] = await text('/api/v1/destinations?view=brief');
    assert.equal(status, 200);
    assert.equal((JSON.parse(body) as List).destinations.length, 3_000);
  });

  test('leaves out what is removed before it is written', async (t) => {
    const { add, remove, url } = await appRig(t);
    for (let i = 0; i < 3_000; i++) add(`gw ${i}`, { labels: { long: 'x'.repeat(5_000) } });
    const answer = await fetch(`${url}/api/v1/destinations?view=brief`, {
      headers: { 'accept-encoding': 'identity' },
    });
    remove('gw 2999');
    const { destinations } = (await answer.json()) as List;
    assert.equal(destinations.length, 2_999);
    assert.equal(destinations.at(-1)?.['destination'], 'gw 2998');
  });

  test('is busy while 16 clients do not read, and free again when they leave', async (t) => {
    const { add, url, get } = await appRig(t);
    for (let i = 0; i < 3_000; i++) add(`gw ${i}`, { labels: { long: 'x'.repeat(5_000) } });
    const port = Number(new URL(url).port);
    const clients = await Promise.all(Array.from({ length: 16 }, () => connect(t, port)));
    for (const client of clients) {
      client.write('GET /api/v1/destinations HTTP/1.1\r\nHost: x\r\n\r\n');
      await once(client, 'readable');
    }
    const waiting = get('/api/v1/destinations?view=brief');
    for (const client of clients) client.destroy();
    assert.equal((await waiting).status, 200);
  });
});

describe('/api/v1/destinations/NAME', () => {
  test('finds a name with slashes, spaces and other characters', async (t) => {
    const { add, json } = await appRig(t);
    for (const name of ['a/b c?', 'sip:a@b;x=y', 'ä%2F']) {
      add(name);
      const { status, body } = await json(`/api/v1/destinations/${encodeURIComponent(name)}`);
      assert.equal(status, 200, name);
      assert.equal((body as { destination: string }).destination, name);
    }
    assert.equal((await json('/api/v1/destinations/a/b%20c%3F')).status, 200);
  });

  test('is 404 for another name, and 400 for a malformed escape', async (t) => {
    const { json, errors } = await appRig(t);
    const { status, body } = await json('/api/v1/destinations/nobody');
    assert.deepEqual([status, body], [404, { error: 'no such destination: nobody' }]);
    assert.deepEqual(await json('/api/v1/destinations/%E0%A4%A'), {
      status: 400,
      body: {
        error: 'expected a path with valid %-escapes, got "/api/v1/destinations/%E0%A4%A"',
      },
    });
    assert.deepEqual(errors, []);
  });

  test('has the data of the pinger and the history, and works without the pinger', async (t) => {
    const history = { rtt: [0.1], failed: [0], step: 60 };
    let isReady = true;
    const { add, json } = await appRig(t, {
      histories: { of: () => history },
      pinger: {
        isReady: true,
        probe: () => Promise.reject(new Error('unused')),
        explanation: async () => {
          if (!isReady) throw new Error('the pinger is restarting');
          return {
            resolution: { targets: [], ageMs: 1_000, errors: [] },
            exchanges: new Map([
              [0, { sent: 'OPTIONS', received: 'SIP/2.0 200 OK', ladder: undefined }],
            ]),
          };
        },
      },
    });
    add('gw');
    const ask = async () =>
      (await json('/api/v1/destinations/gw')).body as {
        history: unknown;
        resolution: { age: number } | null;
        targets: { last_received: string | null }[];
      };
    const all = await ask();
    assert.deepEqual(all.history, { ...history, pings: [] });
    assert.equal(all.resolution?.age, 1);
    assert.equal(all.targets[0]?.last_received, 'SIP/2.0 200 OK');
    isReady = false;
    const rest = await ask();
    assert.deepEqual([rest.history, rest.resolution], [all.history, null]);
    assert.equal(rest.targets[0]?.last_received, null);
  });
});

test('/api/v1/history has the last hour of those that exist, of up to 100', async (t) => {
  const { add, json } = await appRig(t, {
    histories: { of: ({ index }) => ({ rtt: [index], failed: [0], step: 60 }) },
  });
  add('a');
  add('b');
  const ask = async (query: string) => (await json(`/api/v1/history${query}`)).body;
  const of = (index: number) => ({ rtt: [index], failed: [0], step: 60, pings: [] });
  const none = 'destination: expected 1 to 1024 characters, got none';
  assert.deepEqual(await json('/api/v1/history'), { status: 400, body: { error: none } });
  assert.deepEqual(await ask('?destination=x'), { histories: {} });
  assert.deepEqual(await ask('?destination=b'), { histories: { b: of(1) } });
  assert.deepEqual(await ask('?destination=b&destination=x&destination=a'), {
    histories: { b: of(1), a: of(0) },
  });
  assert.equal((await json(`/api/v1/history?${'destination=a&'.repeat(100)}`)).status, 200);
  const { status, body } = await json(`/api/v1/history?${'destination=a&'.repeat(101)}`);
  assert.deepEqual([status, body], [400, { error: 'expected at most 100 destinations, got 101' }]);
});
