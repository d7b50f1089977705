import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { MAIN, startExporter } from '../support/exporter.js';
import { freePort } from '../support/ports.js';
import { eventually, folder, run } from '../support/process.js';

test('families and labels are left out as the configuration says, and a reload changes that', async (t) => {
  const destinations = [
    { name: 'gw', uri: 'sip:127.0.0.1:9', labels: { 'service.name': 'x', rack: 'r1', site: 's1' } },
  ];
  const exporter = await startExporter(t, {
    destinations,
    metrics: { disable: ['sip_keepalive_rtt_seconds'], labels: { keep: ['service.name'] } },
  });
  const utf8 = { accept: 'text/plain;version=1.0.0;escaping=allow-utf-8' };
  const text = await exporter.get('/metrics', utf8);
  assert.doesNotMatch(text, /sip_keepalive_rtt_seconds/);
  assert.match(text, /^sip_keepalive_targets\{destination="gw","service\.name"="x"\} 1$/m);
  const older = await exporter.get('/metrics?collect[]=destinations');
  assert.match(older, /^sip_keepalive_targets\{destination="gw",service_name="x"\} 1$/m);
  assert.doesNotMatch(older, /^# TYPE (?!sip_keepalive_)|sip_keepalive_pings_total/m);
  const unknown = await fetch(`${exporter.url}/metrics?collect[]=cpu`);
  assert.equal(unknown.status, 400);
  assert.match(await unknown.text(), /expected one of destinations, names, targets/);

  writeFileSync(
    exporter.configFile,
    JSON.stringify({ destinations, metrics: { labels: { drop: ['rack'] } } }),
  );
  assert.equal((await exporter.post('/-/reload', '')).status, 200);
  const later = await exporter.get('/metrics', utf8);
  assert.match(later, /^# TYPE sip_keepalive_rtt_seconds histogram$/m);
  assert.match(
    later,
    /^sip_keepalive_targets\{destination="gw","service\.name"="x",site="s1"\} 1$/m,
  );
});

test('no scrape after a start is without the destinations of a source that is slow to answer', async (t) => {
  const server = createServer((_request, response) => {
    setTimeout(() => {
      response.setHeader('Content-Type', 'application/json');
      response.end('[{"targets":["127.0.0.1:9"]}]');
    }, 1_500);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const config = `${folder(t)}/exporter.json`;
  const source = { url: `http://127.0.0.1:${address.port}/` };
  writeFileSync(config, JSON.stringify({ discovery: { http_sd: [source] } }));
  const port = await freePort();
  const listen = `--web.listen-address=127.0.0.1:${port}`;
  run(t, process.execPath, [MAIN, `--config.file=${config}`, listen]);
  const scrape = () => fetch(`http://127.0.0.1:${port}/metrics`);
  const statuses = new Set<number>();
  const first = await eventually('a scrape', async () => {
    const answer = await scrape().catch(() => undefined);
    const text = await answer?.text();
    if (answer !== undefined) statuses.add(answer.status);
    return answer?.status === 200 && text;
  });
  assert.match(first, /^sip_keepalive_is_alive\{destination="/m);
  assert.deepEqual([...statuses], [503, 200]);
});
