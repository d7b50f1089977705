import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { eventually } from '../support/process.js';

interface ReceivedEvent {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

const NAME = 'gw " x';

/** Receives events until the test ends. */
function listen(url: string, headers: Record<string, string> = {}) {
  const received: ReceivedEvent[] = [];
  const stop = new AbortController();
  const listening = (async () => {
    const response = await fetch(`${url}/api/v1/events`, { headers, signal: stop.signal });
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    let text = '';
    for await (const piece of response.body ?? []) {
      text += Buffer.from(piece as Uint8Array).toString();
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
        if (field('event') === '') continue;
        received.push({ id: field('id'), event: field('event'), data: JSON.parse(field('data')) });
      }
    }
  })().catch(() => {});
  const end = () => {
    stop.abort();
    return listening;
  };
  return { received, stop: end };
}

test('events arrive as they happen, and missed ones when a client reconnects', async (t) => {
  let isUp = true;
  const peer = await startFarEnd(t, 'udp', (_request, good) =>
    isUp ? [good] : [good.replace('200 OK', '486 Busy')],
  );
  const exporter = await startExporter(t, {
    ping_interval: 3,
    destinations: [{ uri: `127.0.0.1:${peer.port}`, name: NAME, labels: { a: 'b' } }],
  });
  await eventually('it is up', async () => (await exporter.isAlive(NAME)) === 1);
  const first = listen(exporter.url, { 'Last-Event-ID': 'another-1' });
  await eventually('the first state', () => first.received.length === 1);
  isUp = false;
  await eventually('that it is down', () => first.received.length === 2);
  await first.stop();
  isUp = true;
  await eventually('it is up again', async () => (await exporter.isAlive(NAME)) === 1);
  const last = first.received.at(-1);
  const second = listen(exporter.url, { 'Last-Event-ID': last?.id ?? '' });
  await eventually('the missed event', () => second.received.length === 1);
  assert.deepEqual(
    [...first.received, ...second.received].map(({ event, data }) => [
      event,
      data['from'],
      data['state'],
    ]),
    [
      ['dst-up', 'unknown', 'up'],
      ['dst-down', 'up', 'down'],
      ['dst-up', 'down', 'up'],
    ],
  );
  const { destination, reason, owners, labels } = last?.data ?? {};
  assert.deepEqual([destination, reason, owners, labels], [NAME, 'code', ['config'], { a: 'b' }]);
  assert.notEqual(second.received[0]?.id, last?.id);
  assert.equal(await exporter.stop('SIGTERM'), 0, 'listeners do not hold up the end');
  await second.stop();
});

test('the hundred and first client gets 503', async (t) => {
  const exporter = await startExporter(t, {});
  const all = Array.from({ length: 100 }, () => listen(exporter.url));
  await eventually('all are connected', async () => {
    const stop = new AbortController();
    const { status } = await fetch(`${exporter.url}/api/v1/events`, { signal: stop.signal });
    stop.abort();
    return status === 503;
  });
  await Promise.all(all.map(({ stop }) => stop()));
  await eventually('there is room again', async () => {
    const stop = new AbortController();
    const { status } = await fetch(`${exporter.url}/api/v1/events`, { signal: stop.signal });
    stop.abort();
    return status === 200;
  });
});
