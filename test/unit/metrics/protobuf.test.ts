import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { exporterMetrics } from '../../../src/metrics/exporter-metrics.js';
import { exposition } from '../../../src/metrics/exposition.js';
import { negotiate, TEXT } from '../../../src/metrics/format.js';
import { ProtobufRenderer } from '../../../src/metrics/protobuf/protobuf-renderer.js';
import { ReverseWriter } from '../../../src/metrics/protobuf/reverse-writer.js';
import { NO_EXPORTER_METRICS, type RenderSettings } from '../../../src/metrics/renderer.js';
import { RowLabels } from '../../../src/metrics/row-labels.js';
import { ZERO_THRESHOLD_SECONDS } from '../../../src/shared/ledger/native-buckets.js';
import type { PingRecord } from '../../../src/shared/ledger/writer.js';
import { IDLE_FACTS } from '../../support/idle-app.js';
import { LEDGER_SETTINGS } from '../../support/ledger-settings.js';
import { labelsOf, millisOf, nativeBuckets, parseFamilies } from '../../support/protobuf.js';
import { RENDER_SETTINGS, textRenderer } from '../../support/renderers.js';
import { statusRig, TLS_PEER } from '../../support/status-rig.js';

const PING: PingRecord = {
  reason: undefined,
  code: 200,
  rttMicros: 1500,
  retransmissions: 1,
  verdict: { state: 'up', run: 1 },
  endedAtMs: 1_700_000_000_250,
};
const PROTOBUF_TYPE =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
const protobuf = (more = '') => negotiate(PROTOBUF_TYPE + more, ['protobuf']);

type Rig = ReturnType<typeof statusRig>;

async function render(
  { status }: Rig,
  settings: Partial<RenderSettings> = {},
  exporter = NO_EXPORTER_METRICS,
  format = protobuf(),
) {
  const renderer = new ProtobufRenderer(exporter, { ...RENDER_SETTINGS, ...settings });
  const pieces: Uint8Array[] = [];
  const options = { status, format, rowLabels: new RowLabels(), hasExemplars: true };
  for await (const piece of exposition(options, renderer)) pieces.push(piece);
  const families = parseFamilies(Buffer.concat(pieces));
  const histogram = (name: string, index = 0) =>
    families.find((family) => family.name === name)?.metric[index]?.histogram ??
    assert.fail(`no ${name}`);
  return { pieces, families, histogram };
}

/** A rig with targets over UDP and TLS that have been pinged. */
function pinged(): Rig {
  const rig = statusRig();
  for (const name of ['a', 'ü"\n']) {
    const { registered } = rig.add(name, { labels: { site: 'x y' } });
    const [target] = registered.targets;
    if (target === undefined) continue;
    rig.writer.recordPing(target.slot, PING);
    rig.writer.recordPing(target.slot, { ...PING, reason: 'code', code: 503, rttMicros: 70 });
  }
  const targets = [{ transport: 'tls', address: '192.0.2.1:5061' }] as const;
  const tls = rig.add('tls', { targets });
  tls.peer('', TLS_PEER);
  const [target] = tls.registered.targets;
  if (target !== undefined) rig.writer.recordConnect(target.slot, 'tls', 40_000);
  rig.writer.recordLateness(700);
  return rig;
}

/** Each sample as the text format has it. */
function linesOf(families: ReturnType<typeof parseFamilies>): string[] {
  return families.flatMap(({ name, metric }) =>
    metric.flatMap((one) => {
      const labels = Object.entries(labelsOf(one)).map(([label, value]) => {
        const escaped = value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
        return `${label}="${escaped}"`;
      });
      const line = (suffix: string, value: number, le = '') => {
        const all = le === '' ? labels : [...labels, `le="${le}"`];
        return `${name}${suffix}${all.length > 0 ? `{${all.join(',')}}` : ''} ${value}`;
      };
      const value = one.counter?.value ?? one.gauge?.value;
      if (value !== undefined) return [line('', value)];
      const { bucket = [], sampleCount = 0, sampleSum = 0 } = one.histogram ?? {};
      const bound = (seconds: number) => `${seconds}${Number.isInteger(seconds) ? '.0' : ''}`;
      return [
        ...bucket.map((b) => line('_bucket', b.cumulativeCount, bound(b.upperBound))),
        line('_bucket', sampleCount, '+Inf'),
        line('_sum', sampleSum),
        line('_count', sampleCount),
      ];
    }),
  );
}

describe('protobuf', () => {
  test('has the samples of the text format, in the same order', async () => {
    const rig = pinged();
    const { families } = await render(rig);
    let text = '';
    const options = {
      status: rig.status,
      format: TEXT,
      rowLabels: new RowLabels(),
      hasExemplars: true,
    };
    for await (const piece of exposition(options, textRenderer())) text += piece;
    const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    assert.ok(samples.length > 100);
    assert.deepEqual(linesOf(families), samples);
    for (const { name, help, type } of families) {
      assert.ok(text.includes(`# TYPE ${name} ${type.toLowerCase()}\n`), name);
      assert.ok(text.includes(`# HELP ${name} ${help}\n`), name);
    }
    assert.equal(families.find(({ name }) => name.endsWith('rtt_seconds'))?.unit, 'seconds');
  });

  test('has the native buckets of any histogram', async () => {
    const values = fc.array(
      fc.double({ min: 0, max: 31.9, noNaN: true }).map((power) => Math.floor(2 ** power)),
      { maxLength: 60 },
    );
    const holds = async (micros: readonly number[]) => {
      const rig = statusRig();
      const [target] = rig.add('a').registered.targets;
      assert.ok(target);
      for (const rttMicros of micros) rig.writer.recordPing(target.slot, { ...PING, rttMicros });
      const { histogram } = await render(rig);
      const parsed = histogram('sip_keepalive_rtt_seconds');
      const { rtt } = rig.status.ledger.target(target.slot) ?? assert.fail();
      const used = Array.from({ length: rtt.nativeBuckets }, (_, i) => [
        rtt.nativeIndex(i),
        rtt.nativeCount(i),
      ]);
      const buckets = nativeBuckets(parsed);
      assert.deepEqual(
        buckets.filter(([, count]) => count > 0),
        used,
      );
      assert.equal(buckets.length, parsed.positiveDelta?.length ?? 0);
      assert.deepEqual(
        [parsed.schema, parsed.zeroThreshold, parsed.zeroCount],
        [rtt.schema, ZERO_THRESHOLD_SECONDS, rtt.zeroCount],
      );
      const sum = buckets.reduce((all, [, count]) => all + count, 0);
      assert.equal(sum + (parsed.zeroCount ?? 0), micros.length);
      assert.equal(parsed.sampleCount, micros.length);
    };
    await fc.assert(fc.asyncProperty(values, holds), { numRuns: 60 });
  });

  test('has an empty span in a native histogram without values', async () => {
    const rig = statusRig();
    rig.add('a');
    const { histogram } = await render(rig);
    const { positiveSpan, positiveDelta, sampleCount } = histogram('sip_keepalive_rtt_seconds');
    assert.deepEqual([positiveSpan, positiveDelta], [[{ offset: 0, length: 0 }], undefined]);
    assert.equal(sampleCount, 0);
  });

  test('has classic or native buckets alone when the settings say so', async () => {
    const rig = pinged();
    for (const [histograms, isClassic, isNative] of [
      ['classic', true, false],
      ['native', false, true],
      ['both', true, true],
    ] as const) {
      const { histogram } = await render(rig, { histograms });
      for (const name of ['rtt_seconds', 'connect_seconds', 'pinger_lateness_seconds']) {
        const { bucket, schema, positiveSpan, sampleCount } = histogram(`sip_keepalive_${name}`);
        assert.equal((bucket?.length ?? 0) > 0, isClassic, `${histograms} ${name}`);
        assert.equal(schema !== undefined && positiveSpan !== undefined, isNative);
        assert.ok(sampleCount > 0 || name === 'connect_seconds');
      }
    }
  });

  test('says when each counter and histogram began to count', async () => {
    const rig = statusRig();
    const [target] = rig.add('a').registered.targets;
    assert.ok(target);
    const createdMs = rig.status.ledger.target(target.slot)?.createdMs ?? 0;
    assert.ok(createdMs > 0);
    const { families, histogram } = await render(rig);
    const pings = families.find(({ name }) => name === 'sip_keepalive_pings_total');
    const counter = pings?.metric[0]?.counter ?? assert.fail();
    assert.equal(millisOf(counter.createdTimestamp), createdMs);
    const { createdTimestamp } = histogram('sip_keepalive_rtt_seconds');
    assert.equal(millisOf(createdTimestamp), createdMs);
  });

  test('has exemplars of buckets, of native histograms and of failures', async () => {
    const rig = statusRig();
    const [target] = rig.add('a').registered.targets;
    assert.ok(target);
    rig.writer.configure(LEDGER_SETTINGS);
    const callId = '0123456789abcdef0123456789abcdef';
    const call = { bytes: new TextEncoder().encode(callId), callIdAt: 0 };
    rig.writer.recordPing(target.slot, { ...PING, call });
    const failed = { ...PING, reason: 'code', code: 503, rttMicros: 9_000_000, call } as const;
    rig.writer.recordPing(target.slot, failed);
    const label = [{ name: 'call_id', value: callId }];
    const timestamp = { seconds: 1_700_000_000, nanos: 250e6 };
    const { families, histogram } = await render(rig);
    const { bucket = [] } = histogram('sip_keepalive_rtt_seconds');
    const native = await render(rig, { histograms: 'native' });
    assert.deepEqual(native.histogram('sip_keepalive_rtt_seconds').exemplars, [
      { label, value: 0.0015, timestamp },
      { label, value: 9, timestamp },
    ]);
    assert.deepEqual(
      bucket.filter(({ exemplar }) => exemplar !== undefined).map((one) => one.upperBound),
      [0.0025, Number.POSITIVE_INFINITY],
    );
    assert.deepEqual(bucket.at(-1)?.exemplar, { label, value: 9, timestamp });
    const failures = families.find(({ name }) => name === 'sip_keepalive_ping_failures_total');
    const shown = failures?.metric.flatMap(({ counter }) => counter?.exemplar ?? []);
    const withCode = [...label, { name: 'sip_code', value: '503' }];
    assert.deepEqual(shown, [{ label: withCode, value: 1, timestamp }]);
  });

  test('has the metrics of the exporter itself, histograms too', async () => {
    const exporter = exporterMetrics(() => IDLE_FACTS);
    globalThis.gc?.();
    const { families } = await render(statusRig(), {}, exporter);
    const value = (name: string) => families.find((family) => family.name === name)?.metric[0];
    const info = value('sip_keepalive_exporter_build_info');
    assert.deepEqual([info?.gauge?.value, info && labelsOf(info)], [1, { version: '1.2.3' }]);
    assert.equal(value('sip_keepalive_pinger_restarts_total')?.counter?.value, 2);
    const gc = {
      name: 'gc',
      help: 'x',
      type: 'histogram',
      metrics: [{ labels: { kind: 'minor' }, value: 3, sum: 0.5, buckets: [[0.1, 2]] }],
    } as const;
    const fake = { ...NO_EXPORTER_METRICS, families: async () => [gc] };
    const own = await render(statusRig(), {}, fake);
    const { sampleCount, sampleSum, bucket } = own.histogram('gc');
    assert.deepEqual([sampleCount, sampleSum], [3, 0.5]);
    assert.deepEqual(bucket, [{ cumulativeCount: 2, upperBound: 0.1 }]);
  });

  test('has names of labels as they are, or escaped for a scraper that needs that', async () => {
    const rig = statusRig();
    rig.add('a', { labels: { 'service.name': 'x' } });
    for (const [escaping, name] of [
      ['allow-utf-8', 'service.name'],
      ['underscores', 'service_name'],
    ] as const) {
      const format = protobuf(`;escaping=${escaping}`);
      const { families } = await render(rig, {}, NO_EXPORTER_METRICS, format);
      const [metric] = families.find((f) => f.name === 'sip_keepalive_pings_total')?.metric ?? [];
      assert.equal(metric && labelsOf(metric)[name], 'x', escaping);
    }
  });

  test('gives way to other work while a family is encoded, and is the same again', async () => {
    const rig = statusRig();
    for (let i = 0; i < 500; i++) rig.add(`gw ${i}`, { labels: { long: 'x'.repeat(800) } });
    const { pieces } = await render(rig);
    assert.ok(pieces.filter(({ length }) => length === 0).length > 20);
    for (const { length } of pieces) assert.ok(length <= 64 * 1024);
    assert.deepEqual(Buffer.concat((await render(rig)).pieces), Buffer.concat(pieces));
  });

  test('carries a metric that is longer than a piece', async () => {
    const rig = statusRig();
    rig.add('a', { labels: { long: 'é'.repeat(70_000) } });
    const { families } = await render(rig);
    const [metric] = families.find((f) => f.name === 'sip_keepalive_pings_total')?.metric ?? [];
    assert.equal(metric && labelsOf(metric)['long']?.length, 70_000);
  });
});

describe('a writer of protobuf', () => {
  test('writes whole numbers of up to 53 bits', () => {
    const writer = new ReverseWriter();
    for (const [value, bytes] of [
      [0, [0]],
      [127, [127]],
      [128, [0x80, 1]],
      [16_383, [0xff, 0x7f]],
      [16_384, [0x80, 0x80, 1]],
      [2 ** 32, [0x80, 0x80, 0x80, 0x80, 0x10]],
      [2 ** 53 - 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ] as const) {
      writer.clear();
      writer.varint(value);
      assert.deepEqual([...writer.bytes], [...bytes], String(value));
    }
  });
});
