import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { IncidentsView, IncidentView } from '../../src/status/page-views.js';
import { type Exporter, startExporter } from '../support/exporter.js';
import { type FarEnd, startFarEnd } from '../support/far-end.js';
import { mayMakeMounts } from '../support/namespace.js';
import { isComponent } from '../support/openapi.js';
import { eventually, folder } from '../support/process.js';
import { allOf, needs } from '../support/tools.js';

const config = (stateDir: string, peers: Readonly<Record<string, number>>) => ({
  ...{ ping_interval: 1, ping_timeout: '500ms', state_dir: stateDir },
  destinations: Object.entries(peers).map(([name, port]) => ({
    ...{ name, uri: `sip:127.0.0.1:${port}`, labels: { carrier: name } },
  })),
});

async function incidentsOf(exporter: Exporter, query = ''): Promise<IncidentsView> {
  const body: unknown = JSON.parse(await exporter.get(`/api/v1/incidents?limit=1000${query}`));
  isComponent('Incidents', body);
  return body as IncidentsView;
}

/** Waits until these are all incidents, the oldest first: `a down code up`. */
async function becomes(exporter: Exporter, ...wanted: readonly string[]): Promise<void> {
  const text = (one: IncidentView) =>
    `${one.destination} ${one.state} ${one.reason} ${one.sip_code} ${one.ended_by}`;
  let last: readonly string[] = [];
  await eventually(`${wanted.join(', ')}`, async () => {
    last = (await incidentsOf(exporter)).incidents.toReversed().map(text);
    return last.join('\n') === wanted.join('\n');
  }).catch((cause) => {
    throw new Error(`expected ${wanted.join(', ')}; got ${last.join(', ')}`, { cause });
  });
}

const unavailable = (t: TestContext, isBusy: () => boolean) =>
  startFarEnd(t, 'udp', (_request, good) => [
    isBusy() ? good.replace('200 OK', '503 Service Unavailable') : good,
  ]);

test('a far end that dies and comes back is an incident; kill -9 in between does not end it', async (t) => {
  const stateDir = folder(t);
  let isBusy = true;
  const silent: FarEnd = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const busy = await unavailable(t, () => isBusy);
  const settings = config(stateDir, { silent: silent.port, busy: busy.port });
  const first = await startExporter(t, settings);
  await becomes(first, 'busy down code 503 null');
  await eventually('silent is up', async () => (await first.isAlive('silent')) === 1);
  await silent.stop();
  // A closed port of loopback is refused.
  await becomes(first, 'busy down code 503 null', 'silent down refused null null');
  await eventually('both are in the file', () => {
    const text = readFileSync(join(stateDir, 'incidents.jsonl'), 'utf8');
    return text.includes('"silent"') && text.includes('"busy"');
  });
  const before = await incidentsOf(first);
  await first.stop('SIGKILL');

  const second = await startExporter(t, settings);
  await becomes(second, 'busy down code 503 null', 'silent down refused null null');
  await eventually('both are down again', async () => {
    const codes = await Promise.all(['busy', 'silent'].map((name) => second.isAlive(name)));
    return codes.every((code) => code === 2);
  });
  const goneOn = await incidentsOf(second);
  for (const [i, one] of goneOn.incidents.entries()) {
    const { duration, ...same } = one;
    const { duration: earlier, ...known } = before.incidents[i] ?? assert.fail();
    assert.deepEqual(same, known);
    assert.ok((duration ?? 0) > (earlier ?? 0), `${duration} after ${earlier}`);
  }
  isBusy = false;
  await silent.start();
  await becomes(second, 'busy down code 503 up', 'silent down refused null up');
  assert.equal((await incidentsOf(second, '&label=carrier=busy')).incidents.length, 1);
  assert.equal((await incidentsOf(second, '&destination=silent&open=true')).incidents.length, 0);
  for (const { duration, began_at, ended_at } of (await incidentsOf(second)).incidents) {
    const apartMs = Date.parse(ended_at ?? '') - Date.parse(began_at);
    assert.ok(Math.abs(apartMs - 1000 * (duration ?? 0)) < 2_000, `${duration} s, ${apartMs} ms`);
  }
  await second.stop('SIGKILL');
  assert.doesNotMatch(second.output(), /corrupt/);
});

test('a destination that a reload removes, or that is gone after a restart, ends its incident', async (t) => {
  const stateDir = folder(t);
  // Nothing listens on these ports.
  const ports = { a: 9, b: 11, c: 13 };
  const first = await startExporter(t, config(stateDir, ports));
  const down = (name: string, by: string | null) => `${name} down refused null ${by}`;
  await eventually('three are down', async () => (await incidentsOf(first)).total === 3);
  writeFileSync(first.configFile, JSON.stringify(config(stateDir, { a: 9, b: 11 })));
  assert.ok((await first.post('/-/reload', '')).ok);
  const endOf = async (exporter: Exporter, name: string) =>
    (await incidentsOf(exporter, `&destination=${name}`)).incidents.map((one) => one.ended_by);
  await eventually('c is gone', async () => (await endOf(first, 'c'))[0] === 'removed');
  assert.equal(await first.stop('SIGTERM'), 0);
  const second = await startExporter(t, config(stateDir, { a: 9 }));
  await eventually('b is gone', async () => (await endOf(second, 'b'))[0] === 'removed');
  await eventually('a is down', async () => (await second.isAlive('a')) === 2);
  const { incidents } = await incidentsOf(second);
  assert.deepEqual(
    incidents.map((one) => down(one.destination, one.ended_by)).sort(),
    [down('a', null), down('b', 'removed'), down('c', 'removed')].sort(),
  );
});

test('many destinations that flap: every change is counted once, and the newest are kept across kill -9', async (t) => {
  const stateDir = folder(t);
  let isBusy = false;
  const peer = await unavailable(t, () => isBusy);
  const names = Array.from({ length: 200 }, (_, i) => `d${i}`);
  const peers = Object.fromEntries(names.map((name) => [name, peer.port]));
  const exporter = await startExporter(t, {
    ...config(stateDir, peers),
    // The peers are in this process: an answer that a busy machine delays must not be one change more.
    ...{ ping_interval: 2, ping_timeout: '1900ms' },
    destinations: names.map((name) => ({ name, uri: `sip:${name}@127.0.0.1:${peer.port}` })),
  });
  for (let flap = 1; flap <= 4; flap++) {
    isBusy = true;
    await eventually('all are down', async () => {
      const { total } = await incidentsOf(exporter);
      return total === flap * names.length;
    });
    isBusy = false;
    await eventually('all are up', async () => {
      const { incidents } = await incidentsOf(exporter, '&open=true');
      return incidents.length === 0;
    });
  }
  const before = await incidentsOf(exporter);
  assert.equal(before.total, 4 * names.length);
  const isWritten = () => {
    const lines = readFileSync(join(stateDir, 'incidents.jsonl'), 'utf8').trim().split('\n');
    const last = new Map(lines.slice(1).map((line) => [JSON.parse(line).id, JSON.parse(line)]));
    return [...last.values()].filter((one) => one.ended_by === 'up').length === before.total;
  };
  await eventually('all are written', isWritten);
  await exporter.stop('SIGKILL');
  const again = await startExporter(t, config(stateDir, {}));
  assert.deepEqual((await incidentsOf(again)).incidents, before.incidents);
  assert.equal(await again.metric('sip_keepalive_exporter_incidents_dropped_total'), 0);
});

test(
  'a full disk stops no ping: incidents go on in memory with one warning, and are stored when there is room',
  allOf(needs('unshare'), mayMakeMounts()),
  async (t) => {
    const stateDir = folder(t);
    let isBusy = true;
    const peer = await unavailable(t, () => isBusy);
    // 64 KB, of which a file takes all but a little.
    const setUp = `mount -t tmpfs -o size=64k tmpfs ${stateDir} && head -c 56000 /dev/zero > ${stateDir}/filler && exec "$@"`;
    const by = ['unshare', '-rm', 'sh', '-c', setUp, 'sh'];
    const names = Array.from({ length: 40 }, (_, i) => `d${i}`);
    const exporter = await startExporter(
      t,
      {
        ...config(stateDir, {}),
        destinations: names.map((name) => ({ name, uri: `sip:${name}@127.0.0.1:${peer.port}` })),
      },
      [],
      { by },
    );
    await eventually('all are down', async () => (await incidentsOf(exporter)).total === 40);
    await exporter.logged(/cannot write the file of incidents/);
    const pings = (await exporter.metric('sip_keepalive_pings_total')) ?? 0;
    await eventually('pings go on', async () => {
      const now = (await exporter.metric('sip_keepalive_pings_total')) ?? 0;
      return now > pings + 2 * names.length;
    });
    isBusy = false;
    await eventually('all are up', async () => {
      return (await incidentsOf(exporter, '&open=true')).incidents.length === 0;
    });
    // The directory as the process sees it.
    const inside = join(`/proc/${exporter.child.pid}/root`, stateDir);
    writeFileSync(join(inside, 'filler'), '');
    await exporter.logged(/the file of incidents can be written again/);
    const lines = readFileSync(join(inside, 'incidents.jsonl'), 'utf8').trim().split('\n');
    assert.equal(new Set(lines.slice(1).map((line) => JSON.parse(line).id)).size, 40);
    assert.equal(exporter.output().match(/cannot write the file of incidents/g)?.length, 1);
    assert.ok(readdirSync(inside).every((name) => !name.includes('.new')));
  },
);

test(
  'a read-only directory stops neither the start nor a ping',
  allOf(needs('unshare'), mayMakeMounts()),
  async (t) => {
    const stateDir = folder(t);
    const setUp = `mount -t tmpfs -o ro tmpfs ${stateDir} && exec "$@"`;
    const by = ['unshare', '-rm', 'sh', '-c', setUp, 'sh'];
    const exporter = await startExporter(t, config(stateDir, { a: 9 }), [], { by });
    await eventually('it is down', async () => (await incidentsOf(exporter)).total === 1);
    await exporter.logged(
      /cannot write the file of incidents.*EROFS|EROFS.*cannot write the file of incidents/,
    );
  },
);
