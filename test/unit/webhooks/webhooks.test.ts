import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import type { EventName, WebhookSettings } from '../../../src/config/source-settings.js';
import type { HttpReply, HttpRequest, HttpSettings } from '../../../src/platform/http.js';
import type { LogLine } from '../../../src/shared/protocol.js';
import type { WebhookEvent } from '../../../src/webhooks/webhook.js';
import { Webhooks } from '../../../src/webhooks/webhooks.js';
import { FakeClock } from '../../support/fake-clock.js';
import { settings } from '../../support/settings.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

interface Attempt {
  readonly settings: HttpSettings;
  readonly request: HttpRequest;
  readonly atMs: number;
}

type Answer = Partial<HttpReply> | Error | 'never';

/** Webhooks on a fake clock; `answer` returns the response to each attempt. */
function rig(answer: (attempt: Attempt, count: number) => Answer) {
  const clock = new FakeClock();
  const attempts: Attempt[] = [];
  const lines: LogLine[] = [];
  const webhooks = new Webhooks({
    request: (http, request, signal) => {
      const attempt = { settings: http, request, atMs: clock.now() };
      attempts.push(attempt);
      const reply = answer(attempt, attempts.length);
      if (reply instanceof Error) return Promise.reject(reply);
      if (reply === 'never')
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('aborted')));
        });
      const empty = { contentType: '', location: '', body: Buffer.alloc(0) };
      return Promise.resolve({ ...empty, status: 204, ...reply });
    },
    file: (path) => (path === '/key' ? 's3cret\n' : ''),
    log: (line) => lines.push(line),
    clock,
  });
  const ids = () => attempts.map(({ request }) => request.headers['X-Sip-Keepalive-Delivery']);
  return { clock, attempts, lines, webhooks, ids };
}

function webhook(name: string, changes: Partial<WebhookSettings> = {}): WebhookSettings {
  const http = {
    ...{ url: `http://${name}.example/`, timeoutMs: 5_000, tls: settings().tls },
    ...{ basicAuth: undefined, authorization: undefined, followRedirects: false },
  };
  return { name, http, events: ['dst-up', 'dst-down'], secretFile: '', ...changes };
}

function event(clock: FakeClock, id: string, name: EventName = 'dst-down'): WebhookEvent {
  return { id, event: name, atMs: clock.epoch(), body: JSON.stringify({ id }) };
}

test('an event is posted as JSON, with its name and its id', async () => {
  const { clock, attempts, webhooks } = rig(() => ({}));
  webhooks.configure([webhook('a')]);
  webhooks.notify(event(clock, 'e1'));
  await clock.advanceSettling(0);
  const [attempt] = attempts;
  assert.equal(attempt?.settings.url, 'http://a.example/');
  assert.deepEqual(attempt?.request, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'X-Sip-Keepalive-Event': 'dst-down',
      'X-Sip-Keepalive-Delivery': 'e1',
    },
    body: '{"id":"e1"}',
  });
  assert.deepEqual(webhooks.health(), [
    { webhook: 'a', delivered: 1, failures: 0, dropped: 0, queued: 0 },
  ]);
});

test('the signature is an HMAC of the body, and the line break of the key file is not part of the key', async () => {
  const { clock, attempts, webhooks } = rig(() => ({}));
  webhooks.configure([webhook('a', { secretFile: '/key' })]);
  webhooks.notify(event(clock, 'e1'));
  await clock.advanceSettling(0);
  const digest = createHmac('sha256', 's3cret').update('{"id":"e1"}').digest('hex');
  assert.equal(attempts[0]?.request.headers['X-Sip-Keepalive-Signature-256'], `sha256=${digest}`);
});

test('a webhook gets only the events of its list', async () => {
  const { clock, ids, webhooks } = rig(() => ({}));
  webhooks.configure([webhook('a', { events: ['dst-up'] })]);
  webhooks.notify(event(clock, 'down', 'dst-down'));
  webhooks.notify(event(clock, 'up', 'dst-up'));
  await clock.advanceSettling(0);
  assert.deepEqual(ids(), ['up']);
});

test('a failed delivery is retried after pauses that double up to a minute, and later events wait', async () => {
  const failures: readonly Answer[] = [
    new Error('connection refused'),
    { status: 500 },
    { status: 408 },
    { status: 429 },
    { status: 503 },
    { status: 502 },
    { status: 500 },
    { status: 500 },
  ];
  const { clock, attempts, ids, lines, webhooks } = rig((_, count) => failures[count - 1] ?? {});
  webhooks.configure([webhook('a')]);
  webhooks.notify(event(clock, 'e1'));
  webhooks.notify(event(clock, 'e2'));
  await clock.advanceSettling(5 * MINUTE);
  assert.deepEqual(ids(), [...Array(9).fill('e1'), 'e2']);
  const seconds = attempts.map(({ atMs }) => atMs / SECOND);
  assert.deepEqual(seconds, [0, 1, 3, 7, 15, 31, 63, 123, 183, 183]);
  assert.deepEqual(webhooks.health(), [
    { webhook: 'a', delivered: 2, failures: 8, dropped: 0, queued: 0 },
  ]);
  assert.deepEqual(lines, []);
});

test('each event starts with the shortest pause', async () => {
  const { clock, attempts, webhooks } = rig((_, count) => (count % 3 === 0 ? {} : { status: 500 }));
  webhooks.configure([webhook('a')]);
  webhooks.notify(event(clock, 'e1'));
  webhooks.notify(event(clock, 'e2'));
  await clock.advanceSettling(MINUTE);
  assert.deepEqual(
    attempts.map(({ atMs }) => atMs / SECOND),
    [0, 1, 3, 3, 4, 6],
  );
});

for (const [title, retryAfter, pauseMs] of [
  ['seconds', '120', 120 * SECOND],
  ['a date', new Date(1_700_000_000_000 + 90 * SECOND).toUTCString(), 90 * SECOND],
  ['less than the pause', '0', SECOND],
  ['a date in the past', 'Wed, 21 Oct 2015 07:28:00 GMT', SECOND],
  ['neither', 'soon', SECOND],
  ['days, which are cut to an hour', '864000', HOUR],
] as const) {
  test(`Retry-After with ${title} makes the pause ${pauseMs / SECOND} s`, async () => {
    const { clock, attempts, webhooks } = rig((_, count) =>
      count === 1 ? { status: 429, retryAfter } : {},
    );
    webhooks.configure([webhook('a')]);
    webhooks.notify(event(clock, 'e1'));
    await clock.advanceSettling(pauseMs - 1);
    assert.equal(attempts.length, 1);
    await clock.advanceSettling(1);
    assert.equal(attempts.length, 2);
  });
}

test('an event that cannot be delivered by a retry is dropped, and the log says why', async () => {
  const { clock, ids, lines, webhooks } = rig((_, count) => (count === 1 ? { status: 404 } : {}));
  webhooks.configure([webhook('a')]);
  webhooks.notify(event(clock, 'e1'));
  webhooks.notify(event(clock, 'e2'));
  await clock.advanceSettling(0);
  assert.deepEqual(ids(), ['e1', 'e2']);
  assert.deepEqual(lines, [
    {
      level: 'error',
      event: 'webhook_delivery_failed',
      message: 'webhook delivery failed; event dropped',
      fields: { webhook: 'a', webhook_event: 'dst-down', error: 'status 404' },
    },
  ]);
  assert.deepEqual(webhooks.health(), [
    { webhook: 'a', delivered: 1, failures: 1, dropped: 1, queued: 0 },
  ]);
});

test('a redirect is not followed, and the log has its host but not its path', async () => {
  const { clock, lines, webhooks } = rig((_, count) => ({
    status: 307,
    location: count === 1 ? 'https://b.example:8443/secret' : '/secret',
  }));
  webhooks.configure([webhook('a')]);
  webhooks.notify(event(clock, 'e1'));
  webhooks.notify(event(clock, 'e2'));
  await clock.advanceSettling(0);
  assert.deepEqual(
    lines.map(({ fields }) => fields?.['error']),
    [
      'status 307: redirect to b.example:8443 not followed',
      'status 307: redirect to the same host not followed',
    ],
  );
});

test('an event is dropped once it is older than an hour', async () => {
  const { clock, lines, webhooks } = rig(() => ({ status: 500 }));
  webhooks.configure([webhook('a')]);
  webhooks.notify(event(clock, 'e1'));
  await clock.advanceSettling(HOUR);
  assert.equal(webhooks.health()[0]?.queued, 1);
  await clock.advanceSettling(MINUTE);
  assert.deepEqual(
    webhooks.health().map(({ queued, dropped }) => ({ queued, dropped })),
    [{ queued: 0, dropped: 1 }],
  );
  assert.deepEqual(
    lines.map(({ fields }) => fields?.['error']),
    ['status 500'],
  );
});

test('a full queue drops the oldest event that waits, and logs it once until it was empty', async () => {
  let isDown = true;
  const { clock, ids, lines, webhooks } = rig(() => (isDown ? { status: 500 } : {}));
  webhooks.configure([webhook('a')]);
  const send = (from: number, to: number) => {
    for (let i = from; i < to; i++) webhooks.notify(event(clock, `e${i}`));
  };
  send(0, 10_003);
  await clock.advanceSettling(0);
  assert.deepEqual(
    webhooks.health().map(({ queued, dropped }) => ({ queued, dropped })),
    [{ queued: 10_000, dropped: 3 }],
  );
  const full = {
    level: 'error',
    event: 'webhook_queue_full',
    message: 'webhook queue is full; dropping the oldest events',
    fields: { webhook: 'a', queued: 10_000 },
  };
  assert.deepEqual(lines, [full]);
  isDown = false;
  await clock.advanceSettling(MINUTE);
  assert.deepEqual(ids().slice(0, 4), ['e0', 'e0', 'e4', 'e5']);
  assert.equal(webhooks.health()[0]?.delivered, 10_000);
  isDown = true;
  send(0, 10_001);
  assert.deepEqual(lines, [full, full]);
  webhooks.close();
});

test('a webhook that hangs does not hold up another', async () => {
  const { clock, webhooks } = rig(({ settings: { url } }) => (url.includes('slow') ? 'never' : {}));
  webhooks.configure([webhook('slow'), webhook('quick')]);
  webhooks.notify(event(clock, 'e1'));
  webhooks.notify(event(clock, 'e2'));
  await clock.advanceSettling(0);
  assert.deepEqual(
    webhooks.health().map(({ delivered, queued }) => ({ delivered, queued })),
    [
      { delivered: 0, queued: 2 },
      { delivered: 2, queued: 0 },
    ],
  );
  webhooks.close();
});

test('a webhook with new settings keeps its queue and its counters, and its pause ends', async () => {
  const { clock, attempts, webhooks } = rig(({ settings: { url } }) =>
    url.includes('old') ? { status: 500 } : {},
  );
  const at = (host: string) => webhook('a', { http: webhook(host).http });
  webhooks.configure([at('old')]);
  webhooks.notify(event(clock, 'e1'));
  await clock.advanceSettling(0);
  webhooks.configure([at('old')]);
  await clock.advanceSettling(0);
  assert.equal(attempts.length, 1, 'the same settings end no pause');
  webhooks.configure([at('new')]);
  await clock.advanceSettling(0);
  assert.deepEqual(
    attempts.map(({ settings: { url } }) => url),
    ['http://old.example/', 'http://new.example/'],
  );
  assert.deepEqual(webhooks.health(), [
    { webhook: 'a', delivered: 1, failures: 1, dropped: 0, queued: 0 },
  ]);
  assert.equal(clock.pending, 0);
});

test('a removed webhook ends its request or its pause, and is dropped from the metrics', async () => {
  const { clock, attempts, lines, webhooks } = rig(({ settings: { url } }) =>
    url.includes('hangs') ? 'never' : new Error('connection refused'),
  );
  webhooks.configure([webhook('hangs'), webhook('fails')]);
  webhooks.notify(event(clock, 'e1'));
  webhooks.notify(event(clock, 'e2'));
  await clock.advanceSettling(0);
  webhooks.configure([]);
  await clock.advanceSettling(HOUR);
  assert.deepEqual(webhooks.health(), []);
  assert.equal(attempts.length, 2);
  assert.equal(clock.pending, 0);
  assert.deepEqual(lines, []);
});

test('a reply that cannot be read fails its own attempt, and the deliveries go on', async () => {
  // Its `retryAfter` is no text, although its type says so.
  const { clock, webhooks } = rig((_attempt, count) =>
    count > 1 ? {} : { status: 503, retryAfter: Symbol('a bug') as unknown as string },
  );
  webhooks.configure([webhook('a')]);
  webhooks.notify(event(clock, 'e1'));
  webhooks.notify(event(clock, 'e2'));
  await clock.advanceSettling(MINUTE);
  assert.deepEqual(webhooks.health(), [
    { webhook: 'a', delivered: 2, failures: 1, dropped: 0, queued: 0 },
  ]);
});
