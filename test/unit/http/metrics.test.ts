import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { MetricsSettings } from '../../../src/http/routes/metrics.js';
import { OPENMETRICS, TEXT } from '../../../src/metrics/format.js';
import { FAMILY_GROUPS, FAMILY_NAMES } from '../../../src/shared/family-names.js';
import { appRig } from '../../support/app-rig.js';
import { connect, exchange } from '../../support/http-server.js';
import { IDLE_SETTINGS } from '../../support/idle-app.js';
import { parseFamilies } from '../../support/protobuf.js';

const OPEN = 'application/openmetrics-text';
const FAMILIES =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
/** What Prometheus sends that stores native histograms. */
const PROTOBUF = `${FAMILIES},${OPEN};version=1.0.0;q=0.8,*/*;q=0.1`;
/** What Prometheus 2.50 sends. */
const PROMETHEUS = `${OPEN};version=1.0.0;q=0.8,${OPEN};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`;

describe('/metrics', () => {
  for (const [accept, type] of [
    ['*/*', TEXT],
    ['', TEXT],
    [PROMETHEUS, OPENMETRICS],
    [`${OPEN};q=0`, TEXT],
    [`${FAMILIES};q=0`, TEXT],
    ['application/vnd.google.protobuf;proto=io.example.Other;encoding=delimited', TEXT],
    [`${FAMILIES.replace('delimited', 'text')},*/*;q=0.1`, TEXT],
    [`${'garbage;=", '.repeat(740)}`, TEXT],
    [`${'x/y;q=0.1,'.repeat(800)}${OPEN}`, OPENMETRICS],
  ] as const) {
    test(`is ${type.encoding} for Accept: ${accept.slice(0, 40)}`, async (t) => {
      const { add, get } = await appRig(t);
      add('gw');
      const answer = await get('/metrics', { accept });
      assert.equal(answer.headers.get('content-type'), type.contentType);
      assert.equal(answer.headers.get('vary'), 'Accept, Accept-Encoding');
      const text = await answer.text();
      assert.match(text, /^sip_keepalive_is_alive\{destination="gw"\} -1$/m);
      assert.equal(text.endsWith('# EOF\n'), type === OPENMETRICS);
    });
  }

  test('has the groups alone that collect[] names', async (t) => {
    const { add, text } = await appRig(t);
    add('gw');
    const familiesOf = async (query: string) => {
      const [status, body] = await text(`/metrics?${query}`);
      assert.equal(status, 200);
      return [...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    };
    const all = await familiesOf('');
    for (const group of FAMILY_GROUPS) {
      const names = [...FAMILY_NAMES[group]];
      const alone = await familiesOf(`collect[]=${group}`);
      assert.deepEqual([...alone].sort(), names.filter((name) => alone.includes(name)).sort());
      assert.deepEqual(
        [...alone].sort(),
        all.filter((name) => names.some((one) => one === name)).sort(),
        group,
      );
    }
    const two = await familiesOf('collect%5B%5D=names&collect[]=destinations&collect[]=names');
    assert.deepEqual(two.length, FAMILY_NAMES.names.length + FAMILY_NAMES.destinations.length);
  });

  for (const query of ['collect[]=cpu', 'collect[]=', 'collect[]=names&collect[]=__proto__']) {
    test(`is 400 with the groups that there are for ${query}`, async (t) => {
      const { text } = await appRig(t, { startup: { isDone: false } });
      assert.deepEqual(await text(`/metrics?${query}`), [
        400,
        'collect[]: expected one of destinations, names, targets, connections, kamailio, exporter, pinger, process\n',
      ]);
    });
  }

  test('has neither the families nor the labels that the settings leave out', async (t) => {
    const metrics: MetricsSettings = {
      ...IDLE_SETTINGS.metrics,
      disabled: ['sip_keepalive_rtt_seconds', 'process_cpu_seconds_total'],
      keptLabels: undefined,
      droppedLabels: ['rack'],
    };
    let settings = { ...IDLE_SETTINGS, metrics };
    const { add, text } = await appRig(t, { settings: () => settings });
    add('gw', { labels: { rack: 'r1', site: 's1' } });
    const [, body] = await text('/metrics');
    assert.doesNotMatch(body, /sip_keepalive_rtt_seconds|process_cpu_seconds_total/);
    assert.match(body, /^sip_keepalive_is_alive\{destination="gw",site="s1"\} -1$/m);
    assert.match(body, /^process_cpu_user_seconds_total /m);
    settings = { ...settings, metrics: { ...metrics, disabled: [], droppedLabels: undefined } };
    const [, later] = await text('/metrics');
    assert.match(later, /^sip_keepalive_is_alive\{destination="gw",rack="r1",site="s1"\} -1$/m);
    assert.match(later, /^# TYPE sip_keepalive_rtt_seconds histogram$/m);
  });

  test('is 503 until the first list of destinations is in place, and so is /-/ready', async (t) => {
    const startup = { isDone: false };
    const { text, get } = await appRig(t, { startup });
    for (const path of ['/metrics', '/-/ready']) {
      const [status, body] = await text(path);
      assert.equal(status, 503);
      assert.match(
        body,
        /first list of destinations is not in place yet; try again in a second\n$/,
      );
    }
    assert.equal((await get('/metrics')).headers.get('retry-after'), '1');
    assert.equal((await get('/-/healthy')).status, 200);
    startup.isDone = true;
    assert.equal((await get('/metrics')).status, 200);
    assert.deepEqual(await text('/-/ready'), [200, 'Ready\n']);
  });

  test('is compressed for a client that accepts gzip, and plain for others', async (t) => {
    const { add, url } = await appRig(t);
    for (let i = 0; i < 1_000; i++) add(`gw ${i}`);
    const port = Number(new URL(url).port);
    const get = async (headers: string) => {
      const text = await exchange(port, `GET /metrics HTTP/1.0\r\nHost: x\r\n${headers}\r\n`);
      const end = text.indexOf('\r\n\r\n');
      return { head: text.slice(0, end), body: Buffer.from(text.slice(end + 4), 'latin1') };
    };
    const plain = await get('');
    assert.doesNotMatch(plain.head, /content-encoding/i);
    const zipped = await get('Accept-Encoding: gzip\r\n');
    assert.match(zipped.head, /content-encoding: gzip/i);
    assert.ok(zipped.body.length < plain.body.length / 5);
    const series = (text: string) => text.match(/^sip_keepalive_target_up|destination="/gm)?.length;
    assert.equal(series(gunzipSync(zipped.body).toString()), series(plain.body.toString()));
  });

  test('answers HEAD with headers only', async (t) => {
    const { url } = await appRig(t);
    const answer = await fetch(`${url}/metrics`, { method: 'HEAD' });
    assert.equal(answer.headers.get('content-type'), TEXT.contentType);
    assert.equal(await answer.text(), '');
  });

  test('waits for a client that reads slowly, and ends when the client disconnects', async (t) => {
    const { add, url, text, errors } = await appRig(t);
    for (let i = 0; i < 2_000; i++) add(`gw ${i}`, { labels: { long: 'x'.repeat(500) } });
    const socket = await connect(t, Number(new URL(url).port));
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'readable');
    assert.deepEqual(await text('/-/healthy'), [200, 'Healthy\n']);
    socket.destroy();
    const [status, body] = await text('/metrics');
    assert.equal(status, 200);
    assert.match(body, /destination="gw 1999"/);
    assert.deepEqual(errors, []);
  });

  test('is protobuf for a scraper that prefers it, compressed or not', async (t) => {
    const { add, get } = await appRig(t);
    add('gw');
    for (const encoding of ['identity', 'gzip']) {
      const answer = await get('/metrics', { accept: PROTOBUF, 'accept-encoding': encoding });
      assert.equal(
        answer.headers.get('content-type'),
        'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=underscores',
      );
      const families = parseFamilies(new Uint8Array(await answer.arrayBuffer()));
      const alive = families.find(({ name }) => name === 'sip_keepalive_is_alive');
      assert.deepEqual(
        alive?.metric.map(({ gauge }) => gauge?.value),
        [-1],
      );
      assert.ok(families.some(({ name }) => name === 'process_cpu_seconds_total'));
    }
  });

  for (const encoding of ['identity', 'gzip']) {
    test(`as protobuf, ${encoding}, frees its place when the client disconnects in the middle`, async (t) => {
      const { add, url, get, errors } = await appRig(t);
      for (let i = 0; i < 2_000; i++) add(`gw ${i}`, { labels: { long: noise(500) } });
      const headers = `Accept: ${PROTOBUF}\r\nAccept-Encoding: ${encoding}\r\n`;
      // As many as may be answered at a time, and some more.
      for (let i = 0; i < 20; i++) {
        const socket = await connect(t, Number(new URL(url).port));
        socket.write(`GET /metrics HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
        await once(socket, 'readable');
        socket.destroy();
      }
      const answer = await get('/metrics', { accept: PROTOBUF });
      assert.equal(answer.status, 200);
      const families = parseFamilies(new Uint8Array(await answer.arrayBuffer()));
      assert.ok(families.some(({ metric }) => metric.length === 2_000));
      assert.deepEqual(errors, []);
    });
  }
});

/** Text that gzip hardly shortens, so that an answer does not fit in the buffers of a socket. */
function noise(length: number): string {
  return randomBytes(length).toString('base64').slice(0, length);
}
