import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startFleet } from '../../demo/fleet.js';
import { type Query, queriesOf, readBoards } from '../support/dashboards.js';
import { fakeDns, nxdomain } from '../support/dns-server.js';
import { startExporter } from '../support/exporter.js';
import { ask, type Series, substituted } from '../support/grafana.js';
import { eventually, folder } from '../support/process.js';
import { startPrometheus } from '../support/prometheus.js';
import { needs } from '../support/tools.js';

/** Besides the fleet: a name without an address, for the DNS panels. */
const NAMED = 'nowhere';
const SCRAPES = 20;

/** Queries without a result here, and why. */
const EMPTY: Readonly<Record<string, string>> = {
  'sip-keepalive-fleet / Firing alerts / A': 'this Prometheus has no rules',
  'sip-keepalive-destination / Address details / E': 'no address comes from an SRV record',
  'sip-keepalive-destination / Last resolved / A': 'the only name never resolves',
};

const VALUES = {
  ...{ __rate_interval: '10s', __range: `${SCRAPES}s` },
  ...{ job: 'sip-keepalive', instance: '.*', value: '.*' },
};

/** The default of the dashboard, and a label of the configuration. */
const LABELS = ['instance', 'fleet'];

const queries = readBoards().flatMap(queriesOf);

async function scrapedFleet(t: TestContext) {
  const fleet = await startFleet(folder(t));
  t.after(() => fleet.close());
  const members = fleet.members.map(({ name, uri, settings }) => ({ name, uri, ...settings }));
  const nothing = join(folder(t), 'nothing.json');
  writeFileSync(nothing, '[]');
  const dns = await fakeDns(t, nxdomain);
  const exporter = await startExporter(t, {
    dns: { servers: [dns.label] },
    ...{ ping_interval: 3, ping_timeout: 2.5 },
    discovery: { file_sd: [{ files: [nothing] }] },
    destinations: [...members, { name: NAMED, uri: 'sip:nowhere.invalid' }].map((one) => ({
      ...one,
      labels: { fleet: 'demo' },
    })),
  });
  const { url, output } = await startPrometheus(t, [
    { job_name: 'sip-keepalive', static_configs: [{ targets: [new URL(exporter.url).host] }] },
  ]);
  const scrapes = { kind: 'instant', text: 'count_over_time(up[10m])' } as const;
  await eventually(
    `${SCRAPES} scrapes`,
    async () => ((await ask(url, scrapes))[0]?.value ?? 0) >= SCRAPES,
    120_000,
  ).catch((error: unknown) => assert.fail(`${error}\n${output()}`));
  return { fleet, url };
}

test(
  'every query of the dashboards has a result on a real Prometheus that scrapes the fleet',
  needs('prometheus'),
  async (t) => {
    const { fleet, url } = await scrapedFleet(t);
    const everyName = [...fleet.members.map(({ name }) => name), NAMED];
    const run = ({ kind, text }: Query, destination = '.*', label = 'fleet') =>
      ask(url, { kind, text: substituted(text, { ...VALUES, destination, label }) });
    const named = (where: string) =>
      run(queries.find((query) => query.where === where) ?? assert.fail(where));

    /** On the destination dashboard one member of the fleet with a result is enough. */
    const hasResult = async (query: Query, label: string): Promise<boolean> => {
      const names = query.board === 'sip-keepalive-destination' ? everyName : ['.*'];
      for (const name of names) if ((await run(query, name, label)).length > 0) return true;
      return false;
    };

    for (const label of LABELS) {
      await t.test(
        `each has a result with the label ${label}, or a reason to have none`,
        async () => {
          const empty: string[] = [];
          for (const query of queries) {
            if (!(await hasResult(query, label))) empty.push(query.where);
          }
          assert.deepEqual(empty.sort(), Object.keys(EMPTY).sort());
        },
      );
    }

    await t.test('the figures of the fleet dashboard are those of the fleet', async () => {
      const number = async (title: string) => {
        const [only] = await named(`sip-keepalive-fleet / ${title} / A`);
        return only?.value;
      };
      const monitored = await number('Monitored');
      const up = await number('Up');
      const down = await number('Down');
      assert.equal(monitored, everyName.length);
      assert.equal((up ?? 0) + (down ?? 0), monitored);
      const isDown = fleet.members.filter(({ verdict }) => verdict === 'down').length + 1;
      const isFlapping = fleet.members.filter(({ verdict }) => verdict === 'flapping').length;
      assert.ok(down === isDown || down === isDown + isFlapping, `${down} are down`);
      assert.equal(await number('Unknown'), 0);
      const withCertificate = fleet.members.filter(({ certificate }) => certificate).length;
      assert.equal(await number('Certificates expiring'), withCertificate);
    });

    await t.test(
      'the table Worst first shows the state and the reason of each member',
      async () => {
        const column = async (refId: string) => {
          const series = await named(`sip-keepalive-fleet / Worst first / ${refId}`);
          return new Map(
            series.map((one): [string | undefined, Series] => [one.labels['destination'], one]),
          );
        };
        const reasons = await column('B');
        const loss = await column('D');
        const p95 = await column('E');
        const availability = await column('F');
        for (const { name, verdict, reason } of fleet.members) {
          if (verdict === 'flapping') continue;
          const isDown = verdict === 'down';
          assert.equal(reasons.get(name)?.labels['reason'], isDown ? reason : undefined, name);
          assert.equal(loss.get(name)?.value, reason === 'timeout' ? 1 : 0, `loss of ${name}`);
          assert.equal(availability.get(name)?.value, isDown ? 0 : 1, `availability of ${name}`);
        }
        assert.equal(reasons.get(NAMED)?.labels['reason'], 'resolution');
        assert.equal(p95.get('silent'), undefined);
        const slow = p95.get('slow')?.value ?? 0;
        assert.ok(slow > 0.25, `the slow one answers after 0.3 s, p95 is ${slow}`);
      },
    );
  },
);
