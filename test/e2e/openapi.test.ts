import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFleet } from '../../demo/fleet.js';
import { startExporter } from '../support/exporter.js';
import { isComponent, isDescribed } from '../support/openapi.js';
import { eventually, folder } from '../support/process.js';

test('the responses of an exporter with every kind of peer match the OpenAPI document', async (t) => {
  const fleet = await startFleet(folder(t));
  t.after(() => fleet.close());
  const destinations = fleet.members.map(({ name, uri, settings }) => ({ uri, name, ...settings }));
  const exporter = await startExporter(t, {
    ...{ ping_interval: 2, ping_timeout: 1.8 },
    destinations: [...destinations, { name: 'unresolved', uri: 'sip:nowhere.invalid' }],
  });
  const get = (path: string) => fetch(`${exporter.url}${path}`);
  const events = await get('/api/v1/events?last_event_id=first');
  await eventually('a state of each', async () => {
    const states = (await exporter.get('/metrics')).match(/^sip_keepalive_up\{/gm)?.length ?? 0;
    return states >= destinations.length;
  });
  await get(`/probe?destination=${destinations[0]?.name}`);
  await get('/probe?destination=unresolved');

  for (const path of ['/api/v1/destinations', '/api/v1/status', '/api/v1/probes', '/config']) {
    await isDescribed('get', path, await get(path));
  }
  const brief = await get('/api/v1/destinations?view=brief');
  const { destinations: rows } = (await brief.json()) as { destinations: unknown[] };
  for (const row of rows) isComponent('DestinationBrief', row);
  for (const { name } of [...destinations, { name: 'unresolved' }, { name: 'nobody' }]) {
    const one = encodeURIComponent(name);
    await isDescribed(
      ...(['get', '/api/v1/destinations/{name}'] as const),
      await get(`/api/v1/destinations/${one}`),
    );
    await isDescribed(
      ...(['get', '/api/v1/history'] as const),
      await get(`/api/v1/history?destination=${one}`),
    );
  }
  const list = { jsonrpc: '2.0', id: 1, method: 'keepalive.list' };
  await isDescribed('post', '/rpc', await exporter.post('/rpc', JSON.stringify(list)));

  const reader = events.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  const sent = () => [...text.matchAll(/^data: (.*)\n/gm)].map(([, data = '']) => data);
  while (sent().length < destinations.length) {
    const { value, done } = (await reader?.read()) ?? assert.fail('the stream has no body');
    assert.ok(!done);
    text += decoder.decode(value, { stream: true });
  }
  for (const data of sent()) isComponent('Change', JSON.parse(data));
  await reader?.cancel();
});
