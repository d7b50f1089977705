import assert from 'node:assert/strict';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { startExporter } from '../support/exporter.js';
import { eventually, runToEnd } from '../support/process.js';
import { startPrometheus } from '../support/prometheus.js';
import { labelsOf, millisOf, parseFamilies } from '../support/protobuf.js';
import { needs, skipUnless } from '../support/tools.js';

const DESTINATIONS = 60;
/** The width of a bucket with schema 3. */
const BUCKET = 2 ** (1 / 8);
const OPENMETRICS = 'application/openmetrics-text;version=1.0.0';
const PROTOBUF =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';

const header = (request: string, name: string) =>
  new RegExp(`^${name}: (.*)\\r$`, 'im').exec(request)?.[1] ?? '';

/**
 * Answers after 100 to 800 ms, each octave as often as the next, and the user `bad` with 503. It keeps
 * how long each answer really took, because timers of a busy machine are late.
 */
async function startSlowPeer(t: TestContext) {
  const socket = dgram.createSocket('udp4');
  const delaysMs: number[] = [];
  const callIds = new Set<string>();
  let turn = 0;
  let isClosed = false;
  socket.on('message', (bytes, { port, address }) => {
    const startMs = performance.now();
    const request = bytes.toString('latin1');
    const callId = header(request, 'Call-ID');
    // A retransmission: the answer is on its way.
    if (callIds.has(callId)) return;
    callIds.add(callId);
    const isBad = request.startsWith('OPTIONS sip:bad@');
    const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map(
      (name) => `${name}: ${header(request, name)}${name === 'To' ? ';tag=x' : ''}\r\n`,
    );
    const status = isBad ? '503 Service Unavailable' : '200 OK';
    const answer = `SIP/2.0 ${status}\r\n${copied.join('')}Content-Length: 0\r\n\r\n`;
    // Multiples of the golden ratio are spread evenly.
    const delayMs = isBad ? 0 : 100 * 2 ** (3 * ((++turn * 0.618_033_988_749_895) % 1));
    setTimeout(() => {
      if (!isBad) delaysMs.push(performance.now() - startMs);
      if (!isClosed) socket.send(answer, port, address);
    }, delayMs);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => {
    isClosed = true;
    socket.close();
  });
  const quantile = (q: number) => {
    const sorted = [...delaysMs].sort((a, b) => a - b);
    return (sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN) / 1000;
  };
  return { port: socket.address().port, quantile, callIds };
}

interface ExemplarsAnswer {
  readonly data: readonly {
    readonly exemplars: readonly { readonly labels: Readonly<Record<string, string>> }[];
  }[];
}

test(
  'a real Prometheus has the quantiles of a peer from native histograms, and exemplars',
  needs('prometheus'),
  async (t) => {
    const peer = await startSlowPeer(t);
    const users = Array.from({ length: DESTINATIONS }, (_, i) => `u${i}`);
    const exporter = await startExporter(t, {
      ping_interval: 2,
      ping_timeout: 1.9,
      metrics: { histograms: 'native' },
      destinations: ['bad', ...users].map((user) => ({
        name: user,
        uri: `sip:${user}@127.0.0.1:${peer.port}`,
      })),
    });
    const prometheus = await startPrometheus(
      t,
      [{ job_name: 'sip', static_configs: [{ targets: [new URL(exporter.url).host] }] }],
      {},
      ['--enable-feature=native-histograms,exemplar-storage'],
    );
    const rtt = 'sip_keepalive_rtt_seconds{destination!="bad"}';
    const value = async (query: string) =>
      [...(await prometheus.query(query, 'nothing')).values()][0] ?? 0;
    await eventually('a thousand answers', async () => {
      return (await value(`histogram_count(sum(${rtt}))`)) > 1_000;
    }).catch((error: unknown) => assert.fail(`${error}\n${prometheus.output()}`));
    for (const q of [0.5, 0.9, 0.99]) {
      const stored = await value(`histogram_quantile(${q}, sum(${rtt}))`);
      const ratio = stored / peer.quantile(q);
      const text = `p${100 * q}: ${stored} s, and ${peer.quantile(q)} s at the peer`;
      assert.ok(ratio < BUCKET && ratio > 1 / BUCKET, text);
      t.diagnostic(text);
    }
    assert.equal(await value(`count({__name__=~"sip_keepalive_rtt_seconds_.*"}) or vector(0)`), 0);

    const exemplars = async (query: string) => {
      const end = Date.now() / 1000;
      const range = `start=${end - 600}&end=${end + 60}`;
      const path = `/api/v1/query_exemplars?query=${encodeURIComponent(query)}&${range}`;
      const answer = (await (await fetch(`${prometheus.url}${path}`)).json()) as ExemplarsAnswer;
      return answer.data.flatMap((series) => series.exemplars.map(({ labels }) => labels));
    };
    const failures = 'sip_keepalive_ping_failures_total{destination="bad"}';
    const failed = await eventually('an exemplar', async () => {
      const found = await exemplars(failures);
      return found.length > 0 && found;
    });
    for (const { call_id: callId = '', sip_code: code } of failed) {
      assert.equal(code, '503');
      assert.ok(peer.callIds.has(callId), callId);
    }
    assert.doesNotMatch(prometheus.output(), /level=(warn|error)/);
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
    const prometheus = await startPrometheus(
      t,
      [{ job_name: 'sip', static_configs: [{ targets: [new URL(exporter.url).host] }] }],
      {},
      ['--enable-feature=exemplar-storage'],
    );
    const bounds = await eventually('buckets', async () => {
      const found = await prometheus.query('sip_keepalive_rtt_seconds_bucket', 'le');
      return found.size > 0 && found;
    });
    assert.deepEqual([...bounds.keys()].sort(), ['+Inf', '0.05', '1.0', '2.0']);
    await eventually('an exemplar', async () => {
      const path = `/api/v1/query_exemplars?query=sip_keepalive_rtt_seconds_bucket&start=${Date.now() / 1000 - 600}&end=${Date.now() / 1000 + 60}`;
      const answer = (await (await fetch(`${prometheus.url}${path}`)).json()) as ExemplarsAnswer;
      const [labels] = answer.data.flatMap((series) => series.exemplars.map((e) => e.labels));
      return labels !== undefined && peer.callIds.has(labels['call_id'] ?? '');
    });
    assert.doesNotMatch(prometheus.output(), /level=(warn|error)/);
  },
);

/** Debian's own interpreter, which has its packages. */
const PYTHON = '/usr/bin/python3';
const PARSE = `
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
samples = [s for f in text_string_to_metric_families(sys.stdin.read()) for s in f.samples]
created = [s for s in samples if s.name.endswith("_created")]
print(len(samples), len(created), len([s for s in samples if s.exemplar]))
`;
const hasPython =
  existsSync(PYTHON) && runToEnd(PYTHON, ['-c', 'import prometheus_client']).status === 0;

test(
  "OpenMetrics is right for the parser of Prometheus's Python client, with every setting",
  skipUnless(hasPython, 'prometheus_client (Debian: apt-get install python3-prometheus-client)'),
  async (t) => {
    const peer = await startSlowPeer(t);
    for (const [histograms, created] of [
      ['both', true],
      ['native', true],
      ['classic', false],
    ] as const) {
      const exporter = await startExporter(t, {
        ping_interval: 1,
        metrics: { histograms, created },
        destinations: [`sip:a@127.0.0.1:${peer.port}`, `sip:bad@127.0.0.1:${peer.port}`],
      });
      const input = await eventually('an exemplar', async () => {
        const text = await exporter.get('/metrics', { accept: OPENMETRICS });
        return / # \{.*sip_code="503"/.test(text) && text;
      });
      const { status, output } = runToEnd(PYTHON, ['-c', PARSE], { input });
      assert.equal(status, 0, output);
      const [samples = 0, times = 0, exemplars = 0] = output.trim().split(' ').map(Number);
      assert.ok(samples > 100 && exemplars > 0, output);
      assert.equal(times > 20, created, output);
    }
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
