import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { StateChangeLog } from '../../../src/status/state-change-log.js';
import { appRig } from '../../support/app-rig.js';
import { eventually } from '../../support/process.js';
import { change } from '../../support/state-changes.js';

async function eventsRig(t: TestContext, maxConnections = 100) {
  const changes = new StateChangeLog(1_000);
  const rig = await appRig(t, { changes, maxConnections });
  const listen = async (
    path = '/api/v1/events',
    headers: Readonly<Record<string, string>> = {},
  ) => {
    const stop = new AbortController();
    t.after(() => stop.abort());
    const answer = await fetch(`${rig.url}${path}`, { headers, signal: stop.signal });
    let text = '';
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const bytes of answer.body ?? []) text += decoder.decode(bytes);
    })().catch(() => {});
    return {
      ...{ answer, reading, stop: () => stop.abort(), text: () => text },
      names: () => [...text.matchAll(/"destination":"([^"]*)"/g)].map(([, name]) => name),
    };
  };
  return { ...rig, changes, listen };
}

describe('/api/v1/events', () => {
  test('sends each change with its id, its name and its JSON', async (t) => {
    const { changes, clock, listen } = await eventsRig(t);
    const { answer, text } = await listen();
    assert.equal(answer.headers.get('content-type'), 'text/event-stream');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.equal(answer.headers.get('x-accel-buffering'), 'no');
    await eventually('the first line', () => text() === 'retry: 2000\n\n');
    changes.add([change('gw')]);
    clock.advance(0);
    await eventually('the event', () => text().includes('gw'));
    const [, id, event, data = ''] =
      /\n\nid: (.*)\nevent: (.*)\ndata: (.*)\n\n$/.exec(text()) ?? [];
    assert.deepEqual([id, event], [changes.after(0, 1)[0]?.id, 'dst-down']);
    assert.equal((JSON.parse(data) as { id: string }).id, id);
  });

  test('sends nothing of the past to a new client, and the missed events to one that reconnects', async (t) => {
    const { changes, clock, listen } = await eventsRig(t);
    changes.add([change('a'), change('b'), change('c')]);
    const id = changes.after(0, 1)[0]?.id ?? '';
    const fresh = await listen();
    const byHeader = await listen('/api/v1/events', { 'last-event-id': id });
    const byQuery = await listen(`/api/v1/events?last_event_id=${id}`);
    const ofOtherRun = await listen('/api/v1/events?last_event_id=other-2');
    await eventually('the missed events', () => ofOtherRun.names().length === 3);
    changes.add([change('d')]);
    clock.advance(100);
    for (const [client, names] of [
      [fresh, ['d']],
      [byHeader, ['b', 'c', 'd']],
      [byQuery, ['b', 'c', 'd']],
      [ofOtherRun, ['a', 'b', 'c', 'd']],
    ] as const) {
      await eventually('the last event', () => client.names().includes('d'));
      assert.deepEqual(client.names(), names);
    }
  });

  test('sends changes within 100 ms together, and a comment every 15 s', async (t) => {
    const { changes, clock, listen } = await eventsRig(t);
    const client = await listen();
    changes.add([change('a')]);
    clock.advance(0);
    await eventually('the first', () => client.names().length === 1);
    changes.add([change('b')]);
    clock.advance(60);
    changes.add([change('c')]);
    clock.advance(39);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(client.names(), ['a']);
    clock.advance(1);
    await eventually('both', () => client.names().length === 3);
    assert.doesNotMatch(client.text(), /keep-alive/);
    clock.advance(15_000);
    clock.advance(15_000);
    await eventually('two comments', () => client.text().split(': keep-alive\n\n').length === 3);
  });

  test('has room for half of the connections, and for others once a client leaves', async (t) => {
    const { clock, listen } = await eventsRig(t, 5);
    const clients = [await listen(), await listen(), await listen()];
    const refused = await listen();
    assert.equal(refused.answer.status, 503);
    assert.equal(refused.answer.headers.get('retry-after'), '60');
    await eventually('the reason', () => refused.text() === 'Too many clients: 3 are connected\n');
    for (const client of clients) client.stop();
    await eventually('there is room', async () => (await listen()).answer.status === 200);
    assert.ok(clock.pending <= 1, 'one heartbeat for all');
  });

  test('answers HEAD with headers only', async (t) => {
    const { url, clock } = await eventsRig(t);
    const answer = await fetch(`${url}/api/v1/events`, { method: 'HEAD' });
    assert.equal(answer.headers.get('content-type'), 'text/event-stream');
    assert.equal(await answer.text(), '');
    assert.equal(clock.pending, 0);
  });
});
