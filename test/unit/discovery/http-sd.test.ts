import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpSd } from '../../../src/discovery/http-sd.js';
import { Parser } from '../../../src/discovery/parsing/parser.js';
import { SourceError } from '../../../src/discovery/source-error.js';
import type { HttpReply, HttpRequest } from '../../../src/platform/http.js';
import { FakeClock } from '../../support/fake-clock.js';
import { settings } from '../../support/settings.js';

const reply = (body: string, change: Partial<HttpReply> = {}): HttpReply => ({
  ...{ status: 200, contentType: 'application/json; charset=utf-8', location: '' },
  body: Buffer.from(body),
  ...change,
});

/** A server that sends these responses, one after the other; an error stands for no response. */
function httpSd(...replies: readonly (HttpReply | Error)[]) {
  const requests: HttpRequest[] = [];
  let parses = 0;
  class CountingParser extends Parser {
    override parse(...job: Parameters<Parser['parse']>) {
      parses++;
      return super.parse(...job);
    }
  }
  const reader = new HttpSd({
    settings: {
      ...{ url: 'http://sd.example', timeoutMs: 10_000, tls: settings().tls },
      ...{ basicAuth: undefined, authorization: undefined, followRedirects: true },
    },
    ...{ refreshMs: 60_000, place: 'http_sd x', parser: new CountingParser(new FakeClock()) },
    request: async (_settings, request) => {
      const next = replies[requests.length];
      requests.push(request);
      if (next instanceof Error || next === undefined) throw next;
      return next;
    },
  });
  const read = () => reader.read(new AbortController().signal);
  return { reader, read, requests, parses: () => parses };
}

const fails = (read: () => Promise<unknown>, message: RegExp) =>
  assert.rejects(read(), (error) => error instanceof SourceError && message.test(error.message));

test('a request asks for JSON and has the refresh interval, as in Prometheus', async () => {
  const { reader, read, requests } = httpSd(reply('[{"targets": ["a.example"]}]'));
  const { found, remarks, errors } = await read();
  assert.deepEqual([found.length, remarks, errors], [1, [], []]);
  assert.equal(found[0]?.place, 'http_sd x: [0].targets[0]');
  assert.deepEqual(requests, [
    {
      method: 'GET',
      headers: { Accept: 'application/json', 'X-Prometheus-Refresh-Interval-Seconds': '60' },
      maxBytes: 64 << 20,
    },
  ]);
  assert.equal(reader.stamp(), undefined, 'only a request can tell what has changed');
});

test('the same response gives the same result, and is not parsed again', async () => {
  const body = '[{"targets": ["a.example"]}]';
  const { read, parses } = httpSd(reply(body), reply(body), reply('[]'));
  const first = await read();
  assert.equal(await read(), first);
  assert.equal(parses(), 1);
  assert.notEqual(await read(), first);
});

test('an invalid response is an error with its place, and is not parsed again', async () => {
  const { read, parses } = httpSd(reply('<html>'), reply('<html>'));
  await fails(read, /^http_sd x(?::1)?: invalid JSON: /);
  await fails(read, /^http_sd x(?::1)?: invalid JSON: /);
  assert.equal(parses(), 1);
});

for (const [what, given, message] of [
  ['another status', reply('', { status: 503 }), /: expected status 200, got 503$/],
  [
    'a redirect that is not followed',
    reply('', { status: 302, location: '/x' }),
    /: expected status 200, got 302, a redirect that is not followed$/,
  ],
  [
    'another type',
    reply('[]', { contentType: 'text/html' }),
    /: expected Content-Type application\/json, got "text\/html"$/,
  ],
  ['no response', new Error('connect ECONNREFUSED'), /: expected a response, got connect ECONN/],
] as const) {
  test(`${what} is an error that says what was expected`, async () => {
    await fails(httpSd(given).read, message);
  });
}

test('a long response is hashed in pieces, between which other work runs', async () => {
  let rounds = 0;
  const count = () => {
    rounds++;
    next = setImmediate(count);
  };
  let next = setImmediate(count);
  const { read } = httpSd(reply(`[${' '.repeat(3 << 20)}]`));
  const { found } = await read();
  clearImmediate(next);
  assert.deepEqual(found, []);
  assert.ok(rounds >= 3, `${rounds} rounds`);
});
