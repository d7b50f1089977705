import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
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
  histograms: 'seconds_bucket',
};

/** Prometheus before 3.8 needs it to ask for native histograms and to store them. */
const NATIVE = '--enable-feature=native-histograms';
/** Where the rules compute a quantile, and of what. */
const RULES = 'rules/sip-keepalive-recording.yml';
const QUANTILES = [...['p50', 'p95', 'p99'].flatMap((p) => [`${p}_rate5m`, `${p}_rate1h`])].map(
  (name) => `destination:sip_keepalive_rtt_seconds:${name}`,
);

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
  const [classic, native] = await Promise.all([
    scrapedBy(t, new URL(exporter.url).host, []),
    scrapedBy(t, new URL(exporter.url).host, [NATIVE]),
  ]);
  return { fleet, url: classic, native };
}

/** The URL of a Prometheus that has scraped the exporter so often. */
async function scrapedBy(t: TestContext, host: string, flags: readonly string[]) {
  const { url, output } = await startPrometheus(
    t,
    [{ job_name: 'sip-keepalive', static_configs: [{ targets: [host] }] }],
    flags.length === 0 ? {} : { rule_files: [resolve(RULES)] },
    flags,
  );
  const scrapes = { kind: 'instant', text: 'count_over_time(up[10m])' } as const;
  await eventually(
    `${SCRAPES} scrapes`,
    async () => ((await ask(url, scrapes))[0]?.value ?? 0) >= SCRAPES,
    120_000,
  ).catch((error: unknown) => assert.fail(`${error}\n${output()}`));
  return url;
}

test(
  'every query of the dashboards has a result on a real Prometheus that scrapes the fleet',
  needs('prometheus'),
  async (t) => {
    const { fleet, url, native } = await scrapedFleet(t);
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

    await t.test('each has the same result from native histograms', async () => {
      const ofHistograms = queries.filter(({ text }) => text.includes('$histograms'));
      assert.ok(ofHistograms.length > 10);
      const seriesOf = async (from: string, { kind, text, board }: Query, histograms: string) => {
        const names = board === 'sip-keepalive-destination' ? everyName : ['.*'];
        const found = new Set<string>();
        for (const destination of names) {
          const values = { ...VALUES, histograms, destination, label: 'fleet' };
          const series = await ask(from, { kind, text: substituted(text, values) });
          for (const { labels } of series) found.add(JSON.stringify({ ...labels, destination }));
        }
        return found;
      };
      for (const query of ofHistograms) {
        const isHeatmap = query.text.startsWith('sum by (le)');
        const inNative = await seriesOf(native, query, 'seconds');
        // A heatmap of native histograms is one series, whose buckets have no label.
        if (isHeatmap) assert.ok(inNative.size > 0, query.where);
        else {
          const inClassic = await seriesOf(url, query, VALUES.histograms);
          // Buckets of another width rank destinations that are about as slow in another order.
          if (query.text.includes('topk')) assert.equal(inNative.size, inClassic.size, query.where);
          else assert.deepEqual(inNative, inClassic, query.where);
        }
      }
    });

    await t.test('the variable selects native histograms where Prometheus has them', async () => {
      for (const board of readBoards()) {
        const { query = '', regex = '' } =
          board.templating.list.find(({ name }) => name === 'histograms') ?? assert.fail(board.uid);
        const pattern = new RegExp(regex.slice(1, -1));
        for (const [from, wanted] of [
          [url, 'seconds_bucket'],
          [native, 'seconds'],
        ] as const) {
          const names = await ask(from, { kind: 'label_values', text: query });
          const values = names.map(({ labels }) => pattern.exec(labels['name'] ?? '')?.[1]);
          assert.deepEqual(values, [wanted], board.uid);
        }
      }
    });

    await t.test('the recording rules have quantiles of native histograms', async () => {
      for (const record of QUANTILES) {
        const series = await eventually(
          record,
          async () => {
            const found = await ask(native, { kind: 'instant', text: record });
            return found.some(({ labels }) => labels['destination'] === 'slow') && found;
          },
          120_000,
        );
        const slow = series.find(({ labels }) => labels['destination'] === 'slow')?.value ?? 0;
        assert.ok(slow > 0.25 && slow < 1, `${record}: ${slow}`);
      }
      const lateness = 'instance:sip_keepalive_pinger_lateness_seconds:p99_rate5m';
      assert.equal((await ask(native, { kind: 'instant', text: lateness })).length, 1);
    });

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
