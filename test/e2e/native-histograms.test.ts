import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { FAMILY_NAMES } from '../../src/shared/family-names.js';
import { startExporter } from '../support/exporter.js';
import { startFarEnd, wait } from '../support/far-end.js';
import { eventually } from '../support/process.js';
import { nativeHistograms, type Prometheus, startPrometheus } from '../support/prometheus.js';
import { labelsOf, millisOf, parseFamilies } from '../support/protobuf.js';
import { needs } from '../support/tools.js';

/** The width of a bucket with schema 3. */
const BUCKET = 2 ** (1 / 8);
/** Time for many scrapes on a machine where most take too long. */
const SCRAPES_MS = 600_000;
const PROTOBUF =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';

/** Answers after 100 to 800 ms, each octave as often as the next, and the user `bad` with 503 at once. */
async function startSlowPeer(t: TestContext) {
  let answers = 0;
  const farEnd = await startFarEnd(t, 'udp', (request, good) => {
    if (request.startsWith('OPTIONS sip:bad@')) {
      return [good.replace('200 OK', '503 Service Unavailable')];
    }
    // Multiples of the golden ratio are spread evenly.
    return [wait(100 * 2 ** (3 * ((++answers * 0.618_033_988_749_895) % 1))), good];
  });
  const callIds = () => farEnd.requests.map((text) => /^Call-ID: (.*)\r$/m.exec(text)?.[1]);
  return { port: farEnd.port, callIds };
}

/** The value of a query with one series; 0 without any. */
async function one(prometheus: Prometheus, query: string, atSeconds?: number): Promise<number> {
  const [value = 0] = (await prometheus.query(query, 'job', atSeconds)).values();
  return value;
}

const scraping = (url: string, more = {}) => [
  { job_name: 'sip', static_configs: [{ targets: [new URL(url).host] }], ...more },
];

test(
  'a real Prometheus has the quantiles of the round trips from native histograms, and exemplars',
  needs('prometheus'),
  async (t) => {
    const peer = await startSlowPeer(t);
    const users = Array.from({ length: 400 }, (_, i) => `u${i}`);
    const exporter = await startExporter(t, {
      // The API has the last ten pings of a target: all of them, for more than a minute.
      ping_interval: 10,
      metrics: { histograms: 'native' },
      destinations: ['bad', ...users].map((user) => ({
        name: user,
        uri: `sip:${user}@127.0.0.1:${peer.port}`,
      })),
    });
    const { scrape, flags } = nativeHistograms();
    const prometheus = await startPrometheus(t, scraping(exporter.url, scrape), {}, flags);
    const rtt = 'sip_keepalive_rtt_seconds{destination!="bad"}';
    const value = (query: string, atSeconds?: number) => one(prometheus, query, atSeconds);
    const atSeconds = await eventually(
      'a thousand answers',
      async () =>
        (await value(`histogram_count(sum(${rtt}))`)) >= 1_000 && (await value('timestamp(up)')),
      SCRAPES_MS,
    ).catch((error: unknown) => assert.fail(`${error}\n${prometheus.output()}`));

    const counts = await prometheus.query(`histogram_count(${rtt})`, 'destination', atSeconds);
    const rtts: number[] = [];
    for (const [name, count] of counts) {
      const recent = (await exporter.destination(name)).targets[0]?.recent ?? [];
      const all = recent.flatMap((ping) => ping.rtt ?? []).reverse();
      assert.ok(all.length >= count, `${name}: ${all.length} pings of ${count}`);
      rtts.push(...all.slice(0, count));
    }
    rtts.sort((a, b) => a - b);
    const total = rtts.reduce((a, b) => a + b);
    // The last pings are kept with 11 binary digits, rounded down.
    const stored = await value(`histogram_sum(sum(${rtt}))`, atSeconds);
    assert.ok(stored >= total - 1e-6 && stored <= 1.001 * total, `${stored} s, ${total} s`);
    for (const q of [0.5, 0.9, 0.99]) {
      const stored = await value(`histogram_quantile(${q}, sum(${rtt}))`, atSeconds);
      const measured = rtts[Math.ceil(q * rtts.length) - 1] ?? Number.NaN;
      const text = `p${100 * q} of ${rtts.length}: ${stored} s stored, ${measured} s measured`;
      assert.ok(Math.abs(Math.log(stored / measured)) <= Math.log(BUCKET), text);
      t.diagnostic(text);
    }
    assert.equal(await value(`count({__name__=~"sip_keepalive_rtt_seconds_.*"}) or vector(0)`), 0);

    const failed = await eventually('an exemplar', async () => {
      const failures = 'sip_keepalive_ping_failures_total{destination="bad"}';
      const all = await prometheus.exemplars(failures);
      return all.length > 0 && all;
    });
    for (const { call_id: callId = '', sip_code: code } of failed) {
      assert.equal(code, '503');
      assert.ok(peer.callIds().includes(callId), callId);
    }
    assert.deepEqual(prometheus.warnings(), []);
  },
);

test(
  'a real Prometheus stores the native histograms of 10,000 destinations, scrape after scrape, without a warning',
  needs('prometheus'),
  async (t) => {
    const farEnd = await startFarEnd(t, 'udp', (_request, good) => [good]);
    // A busy machine cannot render all families of so many destinations each second.
    const kept = [
      'sip_keepalive_target_up',
      'sip_keepalive_pings_total',
      'sip_keepalive_rtt_seconds',
    ];
    const exporter = await startExporter(t, {
      ping_interval: 20,
      metrics: {
        histograms: 'native',
        disable: FAMILY_NAMES.targets.filter((name) => !kept.includes(name)),
      },
      destinations: Array.from({ length: 10_000 }, (_, i) => `sip:u${i}@127.0.0.1:${farEnd.port}`),
    });
    const { scrape, flags } = nativeHistograms();
    const params = { 'collect[]': ['targets', 'pinger'] };
    // Prometheus allows a scrape no more than its interval: five jobs take turns, so that one has long enough
    // on a busy machine, and the next comes soon on any.
    const timing = { scrape_interval: '30s', scrape_timeout: '30s' };
    const jobs = Array.from({ length: 5 }, (_, i) =>
      scraping(exporter.url, { job_name: `sip-${i}`, ...scrape, ...timing, params }),
    );
    const prometheus = await startPrometheus(t, jobs.flat(), {}, flags);
    const rtt = 'sip_keepalive_rtt_seconds';
    await eventually(
      'seven scrapes',
      async () => (await one(prometheus, 'sum(sum_over_time(up[10m]))')) >= 7,
      SCRAPES_MS,
    ).catch((error: unknown) => assert.fail(`${error}\n${prometheus.output()}`));
    // After a scrape that took too long, its job has no series.
    await eventually(
      'all histograms, with round trips',
      async () =>
        (await one(prometheus, `max(count by (job) (${rtt}))`)) === 10_000 &&
        (await one(prometheus, `histogram_count(sum(${rtt}))`)) > 0,
      SCRAPES_MS,
    );
    assert.deepEqual(prometheus.warnings(), []);
    const scrapes = await one(prometheus, 'sum(count_over_time(up[10m]))');
    const longest = await one(prometheus, 'max(max_over_time(scrape_duration_seconds[10m]))');
    t.diagnostic(`${scrapes} scrapes, the longest took ${longest} s`);
  },
);

test(
  'a real Prometheus of default settings stores the exemplars of classic buckets',
  needs('prometheus'),
  async (t) => {
    const peer = await startSlowPeer(t);
    const exporter = await startExporter(t, {
      ping_interval: 1,
      metrics: { rtt_buckets: [0.05, 1, 2] },
      destinations: [{ name: 'a', uri: `sip:a@127.0.0.1:${peer.port}` }],
    });
    const flags = ['--enable-feature=exemplar-storage'];
    const prometheus = await startPrometheus(t, scraping(exporter.url), {}, flags);
    const bounds = await eventually('buckets', async () => {
      const found = await prometheus.query('sip_keepalive_rtt_seconds_bucket', 'le');
      return found.size > 0 && found;
    });
    assert.deepEqual([...bounds.keys()].sort(), ['+Inf', '0.05', '1.0', '2.0']);
    await eventually('an exemplar', async () => {
      const [labels] = await prometheus.exemplars('sip_keepalive_rtt_seconds_bucket');
      return peer.callIds().includes(labels?.['call_id'] ?? '');
    });
    assert.deepEqual(prometheus.warnings(), []);
  },
);

test('a reload that changes the buckets restarts the histograms, and the log says so', async (t) => {
  const peer = await startSlowPeer(t);
  const config = {
    ping_interval: 1,
    destinations: [{ name: 'a', uri: `sip:bad@127.0.0.1:${peer.port}` }],
  };
  const exporter = await startExporter(t, config);
  const histogram = async () => {
    const answer = await fetch(`${exporter.url}/metrics`, { headers: { accept: PROTOBUF } });
    const families = parseFamilies(new Uint8Array(await answer.arrayBuffer()));
    const rtt = families.find(({ name }) => name === 'sip_keepalive_rtt_seconds');
    const metric = rtt?.metric.find((one) => labelsOf(one)['destination'] === 'a');
    return metric?.histogram;
  };
  const before = await eventually('three pings', async () => {
    const found = await histogram();
    return (found?.sampleCount ?? 0) >= 3 && found;
  });
  writeFileSync(
    exporter.configFile,
    JSON.stringify({ ...config, metrics: { rtt_buckets: [1, 2] } }),
  );
  assert.equal((await exporter.post('/-/reload', '')).status, 200);
  const after = await eventually('other buckets', async () => {
    const found = await histogram();
    return found?.bucket?.length === 2 && found;
  });
  assert.ok(millisOf(after.createdTimestamp) > millisOf(before.createdTimestamp));
  await eventually('the line', () =>
    /"event":"histograms_restarted".*sip_keepalive_rtt_seconds/.test(exporter.output()),
  );
});
