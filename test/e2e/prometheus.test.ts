import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import * as net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { startFleet } from '../../demo/fleet.js';
import { startExporter } from '../support/exporter.js';
import { eventually, folder, run } from '../support/process.js';
import { needs } from '../support/tools.js';

test(
  'a real Prometheus scrapes the fleet, and its queries tell the truth',
  needs('prometheus', 'promtool'),
  async (t) => {
    const fleet = await startFleet();
    t.after(() => fleet.close());
    const exporter = await startExporter(t, {
      ping_interval: 2,
      ping_timeout: 1,
      destinations: fleet.members.map(({ name, uri, aliveCodes }) => ({
        name,
        uri,
        labels: { site: 'a "quoted" \\ place' },
        ...(aliveCodes === undefined ? {} : { alive_codes: aliveCodes }),
      })),
    });
    const path = folder(t);
    const config = join(path, 'prometheus.yml');
    const scrape = {
      job_name: 'sip-keepalive',
      static_configs: [{ targets: [new URL(exporter.url).host] }],
    };
    writeFileSync(
      config,
      JSON.stringify({ global: { scrape_interval: '1s' }, scrape_configs: [scrape] }),
    );
    const port = await freeTcpPort();
    const prometheus = run(t, 'prometheus', [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(path, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    const query = async (text: string): Promise<Map<string, number>> => {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(text)}`;
      const answer = (await (await fetch(url)).json()) as Answer;
      const samples = answer.data?.result ?? [];
      return new Map(samples.map((s) => [s.metric['destination'] ?? '', Number(s.value[1])]));
    };
    await eventually('it has scraped', async () => (await query('up')).get('') === 1, 30_000).catch(
      (error: unknown) => assert.fail(`${error}\n${prometheus.output()}`),
    );
    const known = fleet.members.length;
    const up = await eventually('all verdicts', async () => {
      const values = await query('sip_keepalive_up{site="a \\"quoted\\" \\\\ place"}');
      return values.size === known && values;
    });
    for (const { name, verdict } of fleet.members) {
      assert.equal(up.get(name), verdict === 'down' ? 0 : 1, name);
    }
    assert.equal((await query('sip_keepalive_is_alive')).get('silent'), 2);

    const slow = 'histogram_quantile(0.5, sip_keepalive_rtt_seconds_bucket{destination="slow"})';
    const median = await eventually('a median', async () => (await query(slow)).get('slow'));
    assert.ok(median > 0.25 && median <= 0.5, `the slow one answers after 0.3 s, got ${median}`);
    const rate = 'rate(sip_keepalive_pings_total[5s])';
    await eventually('a rate', async () => ((await query(rate)).get('fast') ?? 0) > 0.2);
  },
);

test('promtool finds nothing to object to in the metrics', needs('promtool'), async (t) => {
  const fleet = await startFleet();
  t.after(() => fleet.close());
  const exporter = await startExporter(t, { destinations: fleet.members.map(({ uri }) => uri) });
  await eventually(
    'a verdict',
    async () => (await exporter.metric('sip_keepalive_up')) !== undefined,
  );
  const check = spawnSync('promtool', ['check', 'metrics'], {
    input: await exporter.get('/metrics'),
    encoding: 'utf8',
  });
  assert.equal(`${check.stdout}${check.stderr}`, '');
  assert.equal(check.status, 0);
});

interface Answer {
  readonly data?: {
    readonly result: readonly {
      readonly metric: Record<string, string>;
      readonly value: readonly [number, string];
    }[];
  };
}

async function freeTcpPort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('prometheus.yml is a right configuration', needs('promtool'), () => {
  const check = spawnSync('promtool', ['check', 'config', 'prometheus.yml'], { encoding: 'utf8' });
  assert.equal(check.status, 0, check.stdout + check.stderr);
});
