import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { exporterMetrics } from '../../../src/metrics/exporter-metrics.js';
import { exposition } from '../../../src/metrics/exposition.js';
import { negotiate, OPENMETRICS, TEXT } from '../../../src/metrics/format.js';
import type { ExporterMetrics, RenderSettings } from '../../../src/metrics/renderer.js';
import { type LabelFilter, RowLabels } from '../../../src/metrics/row-labels.js';
import type { RegisteredDestination } from '../../../src/shared/destination.js';
import { DEFAULT_BOUNDS } from '../../../src/shared/ledger/histogram-layout.js';
import { createLedger } from '../../../src/shared/ledger/layout.js';
import { LedgerReader } from '../../../src/shared/ledger/reader.js';
import { LedgerWriter, type PingRecord } from '../../../src/shared/ledger/writer.js';
import type { StatusContext } from '../../../src/status/freshness.js';
import { IDLE_FACTS } from '../../support/idle-app.js';
import { LEDGER_SETTINGS } from '../../support/ledger-settings.js';
import { textRenderer } from '../../support/renderers.js';
import { settings } from '../../support/settings.js';

const PING: PingRecord = {
  reason: undefined,
  code: 200,
  rttMicros: 1500,
  retransmissions: 1,
  verdict: { state: 'up', run: 1 },
  endedAtMs: 1_700_000_000_250,
};
const STARTED_MS = 1_699_999_000_500;
const TIMED_OUT: PingRecord = {
  ...PING,
  reason: 'timeout',
  code: undefined,
  rttMicros: undefined,
  verdict: { state: 'down', run: -1 },
};

const SETTINGS = settings({ intervalMs: 2500, timeoutMs: 500 });

/** The exposition of a ledger that the test writes, with a plain list as the registry. */
function setUp(filter: LabelFilter = {}) {
  const rowLabels = new RowLabels(filter);
  const buffer = createLedger();
  const writer = new LedgerWriter(buffer, () => STARTED_MS);
  const registered: RegisteredDestination[] = [];
  const clock = { nowMs: 1_700_000_001_000 };
  const status: StatusContext = {
    ledger: new LedgerReader(buffer),
    registry: {
      get size() {
        return registered.length;
      },
      all: () => registered,
      named: () => undefined,
      at: () => undefined,
      withUri: () => [],
    },
    now: () => clock.nowMs,
  };
  const add = (
    name: string,
    more: Partial<RegisteredDestination['destination']> = {},
    server = '',
  ) => {
    const index = registered.length;
    const slot = { index, generation: 1 };
    const target = {
      slot: writer.openTarget(index),
      transport: 'udp',
      address: `192.0.2.${index + 1}:5060`,
      priority: undefined,
      weight: undefined,
    } as const;
    writer.openDestination(slot);
    const uri = `sip:192.0.2.${index + 1}`;
    const destination = { name, uri, module: 'default', labels: {}, settings: SETTINGS, ...more };
    const peers = new Map();
    registered.push({
      destination,
      slot,
      owners: ['config', 'rpc'],
      isFollowed: false,
      targets: [target],
      server,
      peers,
    });
    return { slot, target: target.slot };
  };
  const render = async (
    format = TEXT,
    exporter?: ExporterMetrics,
    settings: Partial<RenderSettings> = {},
  ) => {
    const encoding = format.encoding === 'openmetrics' ? 'openmetrics' : 'text';
    const renderer = textRenderer(settings, encoding, exporter);
    const hasExemplars = encoding === 'openmetrics' && settings.hasExemplars !== false;
    let text = '';
    for await (const piece of exposition({ status, format, rowLabels, hasExemplars }, renderer))
      text += piece;
    return text;
  };
  return { writer, registered, clock, add, render };
}

/** The value of a sample, given as `name{labels}`; undefined when there is none. */
function sampleOf(text: string, sample: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length + 1));
}

describe('the exposition', () => {
  let it = setUp();
  beforeEach(() => {
    it = setUp();
  });
  const A = '{destination="a"}';
  const TARGET = '{destination="a",transport="udp",address="192.0.2.1:5060"}';
  const withLabel = (label: string) => `${TARGET.slice(0, -1)},${label}}`;

  test('has the intervals of a retry and while down where they are not the ping interval', async () => {
    it.add('a');
    it.add('b', { settings: { ...SETTINGS, retryIntervalMs: 1_000, downIntervalMs: 5_000 } });
    const text = await it.render();
    for (const [kind, seconds] of [
      ['retry', 1],
      ['down', 5],
    ] as const) {
      assert.equal(sampleOf(text, `sip_keepalive_${kind}_interval_seconds${A}`), undefined);
      assert.equal(
        sampleOf(text, `sip_keepalive_${kind}_interval_seconds{destination="b"}`),
        seconds,
      );
    }
  });

  test('has no state of a destination before its first ping', async () => {
    it.add('a');
    const text = await it.render();
    assert.equal(sampleOf(text, `sip_keepalive_is_alive${A}`), -1);
    assert.equal(sampleOf(text, `sip_keepalive_state_changes_total${A}`), 0);
    assert.equal(sampleOf(text, `sip_keepalive_ping_interval_seconds${A}`), 2.5);
    assert.equal(sampleOf(text, `sip_keepalive_targets${A}`), 1);
    assert.doesNotMatch(
      text,
      /^sip_keepalive_resolution_\w+\{destination/m,
      'it has no name to resolve',
    );
    assert.equal(sampleOf(text, `sip_keepalive_targets_up${A}`), 0);
    assert.equal(sampleOf(text, `sip_keepalive_pings_total${TARGET}`), 0);
    assert.equal(sampleOf(text, `sip_keepalive_rtt_seconds_count${TARGET}`), 0);
    for (const absent of [
      ...['up', 'draining', 'target_up', 'last_state_change_timestamp_seconds', 'responses_total'],
      ...['last_ping', 'last_up', 'last_down'].map((which) => `${which}_timestamp_seconds`),
    ]) {
      assert.doesNotMatch(text, new RegExp(`^sip_keepalive_${absent}\\{`, 'm'));
      assert.match(text, new RegExp(`^# TYPE sip_keepalive_${absent} `, 'm'));
    }
  });

  test('has every reason that a ping over UDP can fail for, from the start, at 0', async () => {
    it.add('a');
    const text = await it.render();
    const reasons = [
      ...text.matchAll(/^sip_keepalive_ping_failures_total\{.*reason="(\w+)"\} 0$/gm),
    ];
    assert.deepEqual(reasons.map(([, reason]) => reason).sort(), [
      'auth',
      'code',
      'draining',
      'local',
      'malformed',
      'refused',
      'timeout',
      'unreachable',
    ]);
  });

  test('has the results of the pings of a destination that is up', async () => {
    const { slot, target } = it.add('a', {}, 'kamailio');
    it.writer.recordPing(target, TIMED_OUT);
    it.writer.recordVerdict(slot, 'down', 'timeout', 1_700_000_000_000);
    it.writer.recordPing(target, { ...PING, endedAtMs: 1_700_000_001_000 });
    it.writer.recordVerdict(slot, 'up', undefined, 1_700_000_001_000);
    it.writer.recordLateResponse(target);
    const text = await it.render();
    for (const [sample, value] of [
      [`is_alive${A}`, 1],
      [`up${A}`, 1],
      [`state_changes_total${A}`, 1],
      [`last_state_change_timestamp_seconds${A}`, 1_700_000_001],
      [`target_up${TARGET}`, 1],
      [`pings_total${TARGET}`, 2],
      [`ping_failures_total${withLabel('reason="timeout"')}`, 1],
      [`responses_total${withLabel('code="200"')}`, 1],
      [`retransmissions_total${TARGET}`, 2],
      [`late_responses_total${TARGET}`, 1],
      [`last_ping_timestamp_seconds${TARGET}`, 1_700_000_001],
      [`last_up_timestamp_seconds${TARGET}`, 1_700_000_001],
      [`last_down_timestamp_seconds${TARGET}`, 1_700_000_000.25],
    ] as const) {
      assert.equal(sampleOf(text, `sip_keepalive_${sample}`), value, sample);
    }
    const info = `${A.slice(0, -1)},uri="sip:192.0.2.1",module="default",owners="config,rpc",server="kamailio"}`;
    assert.equal(sampleOf(text, `sip_keepalive_destination_info${info}`), 1);
  });

  test('has 2 and 0 for a destination that is down', async () => {
    const { slot, target } = it.add('a');
    it.writer.recordPing(target, TIMED_OUT);
    it.writer.recordVerdict(slot, 'down', 'timeout', 1000);
    const text = await it.render();
    assert.equal(sampleOf(text, `sip_keepalive_is_alive${A}`), 2);
    assert.equal(sampleOf(text, `sip_keepalive_up${A}`), 0);
    assert.equal(sampleOf(text, `sip_keepalive_target_up${TARGET}`), 0);
  });

  test('has an unknown state once no ping confirms the last one', async () => {
    const { slot, target } = it.add('a');
    it.writer.recordPing(target, PING);
    it.writer.recordVerdict(slot, 'up', undefined, 1000);
    it.clock.nowMs = PING.endedAtMs + 3 * 2500 + 500;
    assert.equal(sampleOf(await it.render(), `sip_keepalive_up${A}`), 1);
    it.clock.nowMs++;
    const text = await it.render();
    assert.equal(sampleOf(text, `sip_keepalive_is_alive${A}`), -1);
    assert.doesNotMatch(text, /^sip_keepalive_(target_)?up\{/m);
    assert.equal(sampleOf(text, `sip_keepalive_pings_total${TARGET}`), 1);
  });

  test('has cumulative histograms whose last bucket is their count', async () => {
    const { target } = it.add('a');
    for (const rttMicros of [400, 500, 501, 30_000, 6_000_000]) {
      it.writer.recordPing(target, { ...PING, rttMicros });
    }
    it.writer.recordLateness(700);
    const text = await it.render();
    const buckets = [
      ...text.matchAll(/^sip_keepalive_rtt_seconds_bucket\{.*,le="(.*)"\} (\d+)$/gm),
    ];
    const bounds = buckets.map(([, le]) => (le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le)));
    const counts = buckets.map(([, , count]) => Number(count));
    assert.deepEqual(
      bounds.slice(0, -1),
      DEFAULT_BOUNDS.rtt.map((micros) => micros / 1e6),
    );
    assert.equal(bounds.at(-1), Number.POSITIVE_INFINITY);
    assert.deepEqual(counts, [2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 5]);
    assert.equal(sampleOf(text, `sip_keepalive_rtt_seconds_count${TARGET}`), 5);
    assert.equal(sampleOf(text, `sip_keepalive_rtt_seconds_sum${TARGET}`), 6.031401);
    assert.equal(sampleOf(text, 'sip_keepalive_pinger_lateness_seconds_bucket{le="0.001"}'), 1);
    assert.equal(sampleOf(text, 'sip_keepalive_pinger_lateness_seconds_bucket{le="+Inf"}'), 1);
    assert.equal(sampleOf(text, 'sip_keepalive_pinger_lateness_seconds_sum'), 0.0007);
    assert.equal(sampleOf(text, 'sip_keepalive_pinger_lateness_seconds_count'), 1);
  });

  test('has no classic buckets when histograms are native: text cannot carry those', async () => {
    it.writer.recordPing(it.add('a').target, PING);
    const native = { histograms: 'native' } as const;
    const text = await it.render(TEXT, undefined, native);
    assert.doesNotMatch(text, /_bucket/);
    assert.equal(sampleOf(text, `sip_keepalive_rtt_seconds_count${TARGET}`), 1);
    assert.equal(sampleOf(text, `sip_keepalive_rtt_seconds_sum${TARGET}`), 0.0015);
    const open = await it.render(OPENMETRICS, undefined, native);
    const buckets = open.match(/^sip_keepalive_rtt_seconds_bucket.*$/gm);
    assert.deepEqual(buckets, [`sip_keepalive_rtt_seconds_bucket${withLabel('le="+Inf"')} 1`]);
  });

  test('as OpenMetrics says when counters and histograms began to count, if it is told to', async () => {
    const { target } = it.add('a');
    it.writer.recordPing(target, PING);
    const created = { isCreatedShown: true };
    assert.doesNotMatch(await it.render(TEXT, undefined, created), /_created/);
    assert.doesNotMatch(await it.render(OPENMETRICS), /_created/);
    const open = await it.render(OPENMETRICS, undefined, created);
    for (const sample of [`pings_created${TARGET}`, `rtt_seconds_created${TARGET}`]) {
      assert.equal(sampleOf(open, `sip_keepalive_${sample}`), STARTED_MS / 1000, sample);
    }
    assert.equal(sampleOf(open, 'sip_keepalive_pinger_faults_created'), STARTED_MS / 1000);
    assert.doesNotMatch(open, /^sip_keepalive_up_created/m);
  });

  test('as OpenMetrics has exemplars of buckets and failures, unless they are off', async () => {
    const { target } = it.add('a');
    it.writer.configure(LEDGER_SETTINGS);
    const callId = '0123456789abcdef0123456789abcdef';
    const call = { bytes: new TextEncoder().encode(callId), callIdAt: 0 };
    it.writer.recordPing(target, { ...PING, call });
    it.writer.recordPing(target, {
      ...PING,
      reason: 'code',
      code: 503,
      rttMicros: 9_000_000,
      call,
    });
    const open = await it.render(OPENMETRICS);
    const name = 'sip_keepalive_';
    for (const line of [
      `rtt_seconds_bucket${withLabel('le="0.0025"')} 1 # {call_id="${callId}"} 0.0015 1700000000.25`,
      `rtt_seconds_bucket${withLabel('le="+Inf"')} 2 # {call_id="${callId}"} 9 1700000000.25`,
      `ping_failures_total${withLabel('reason="code"')} 1 # {call_id="${callId}",sip_code="503"} 1 1700000000.25`,
    ]) {
      assert.ok(open.includes(`\n${name}${line}\n`), line);
    }
    assert.equal(open.match(/ # \{/g)?.length, 3);
    assert.doesNotMatch(await it.render(OPENMETRICS, undefined, { hasExemplars: false }), / # \{/);
    assert.doesNotMatch(await it.render(TEXT), / # \{/);
  });

  test('as OpenMetrics names the unit that a name ends in', async () => {
    it.add('a');
    const own = exporterMetrics(() => IDLE_FACTS);
    const open = await it.render(OPENMETRICS, own);
    assert.match(open, /^# UNIT sip_keepalive_rtt_seconds seconds$/m);
    assert.match(open, /^# UNIT process_cpu_seconds seconds$/m);
    assert.match(open, /^# UNIT process_resident_memory_bytes bytes$/m);
    assert.doesNotMatch(open, /^# UNIT sip_keepalive_pings/m);
    assert.doesNotMatch(await it.render(TEXT, own), /^# UNIT/m);
  });

  test('has the labels of the user in every series of a destination and its targets', async () => {
    it.add('a', { labels: { carrier: 'acme' } });
    const own = (await it.render()).split('\n').filter((line) => line.includes('destination="a"'));
    assert.ok(own.length > 20);
    for (const line of own) assert.match(line, /,carrier="acme"[,}]/);
  });

  test('has label names as each scraper wants them', async () => {
    const labels = {
      'service.name': 'x',
      service_name: 'y',
      'gr\u00f6\u00dfe "1"\n': 'z',
      site: 's',
    };
    it.add('a', { labels });
    for (const [escaping, wanted] of [
      [
        'allow-utf-8',
        '"service.name"="x",service_name="y","gr\u00f6\u00dfe \\"1\\"\\n"="z",site="s"',
      ],
      ['underscores', 'service_name="y",site="s",gr__e__1__="z",exported_service_name="x"'],
      ['dots', 'service_name="y",site="s",gr____e____1____="z",service_dot_name="x"'],
      [
        'values',
        'service_name="y",site="s",U__gr_f6__df_e_20__22_1_22__a_="z",U__service_2e_name="x"',
      ],
      ['', 'service_name="y",site="s",gr__e__1__="z",exported_service_name="x"'],
    ] as const) {
      const text = await it.render(negotiate(`text/plain;escaping=${escaping}`, ['text']));
      assert.equal(sampleOf(text, `sip_keepalive_is_alive{destination="a",${wanted}}`), -1);
      const target = 'transport="udp",address="192.0.2.1:5060"';
      const pings = `sip_keepalive_pings_total{destination="a",${target},${wanted}}`;
      assert.equal(sampleOf(text, pings), 0);
    }
  });

  for (const [what, filter, wanted] of [
    ['those that are kept', { keep: ['a.b', 'x'] }, '"a.b"="1"'],
    ['none when none is kept', { keep: [] }, ''],
    ['all but those that are dropped', { drop: ['a.b', 'destination'] }, 'c="2",d="3"'],
    ['all when none is dropped', { drop: [] }, '"a.b"="1",c="2",d="3"'],
  ] as const) {
    test(`has of the labels of users ${what}`, async () => {
      it = setUp(filter);
      it.add('a', { labels: { 'a.b': '1', c: '2', d: '3' } });
      const format = negotiate('text/plain;escaping=allow-utf-8', ['text']);
      const more = wanted === '' ? '' : `,${wanted}`;
      for (let scrape = 0; scrape < 2; scrape++) {
        const text = await it.render(format);
        assert.equal(sampleOf(text, `sip_keepalive_is_alive{destination="a"${more}}`), -1);
        const pings = `sip_keepalive_pings_total${TARGET.slice(0, -1)}${more}}`;
        assert.equal(sampleOf(text, pings), 0);
      }
    });
  }

  test('escapes hostile names, labels and server names', async () => {
    it.add('q"b\\n', { labels: { x: 'two\nlines"} 1\nfake 1' } }, '"} 1\nfake 2\\');
    const text = await it.render();
    assert.doesNotMatch(text, /^fake/m);
    const labels = '{destination="q\\"b\\\\n",x="two\\nlines\\"} 1\\nfake 1"';
    assert.equal(sampleOf(text, `sip_keepalive_is_alive${labels}}`), -1);
    assert.ok(text.includes(`,server="\\"} 1\\nfake 2\\\\"} 1\n`));
  });

  test('has no series of a destination that was removed', async () => {
    it.add('a');
    it.add('b');
    assert.match(await it.render(), /destination="a"/);
    it.registered.shift();
    const text = await it.render();
    assert.doesNotMatch(text, /destination="a"/);
    assert.match(text, /destination="b"/);
  });

  test('has nothing of the destination that used a row before', async () => {
    const { target } = it.add('a');
    it.writer.recordPing(target, PING);
    it.writer.openTarget(target.index);
    it.writer.openDestination({ index: 0, generation: 2 });
    assert.doesNotMatch(await it.render(), /destination="a"/);
  });

  for (const format of [TEXT, OPENMETRICS]) {
    const isOpenMetrics = format === OPENMETRICS;
    test(`as ${format.encoding} has each family once, with the names of that format`, async () => {
      const { target } = it.add('a');
      it.writer.recordPing(target, PING);
      const text = await it.render(
        format,
        exporterMetrics(() => IDLE_FACTS),
      );
      const families = [...text.matchAll(/^# TYPE (\S+) (\w+)$/gm)];
      assert.equal(new Set(families.map(([, name]) => name)).size, families.length);
      for (const [, name, type] of families) {
        if (name?.startsWith('sip_keepalive') && type === 'counter') {
          assert.equal(name.endsWith('_total'), !isOpenMetrics, name);
        }
      }
      assert.equal(text.split('# EOF').length, isOpenMetrics ? 2 : 1);
      assert.equal(text.endsWith('\n# EOF\n'), isOpenMetrics);
      assert.equal(sampleOf(text, `sip_keepalive_pings_total${TARGET}`), 1);
      assert.equal(sampleOf(text, 'sip_keepalive_pinger_restarts_total'), 2);
      assert.equal(sampleOf(text, 'sip_keepalive_exporter_build_info{version="1.2.3"}'), 1);
      const loaded = 'sip_keepalive_exporter_config_last_reload_success_timestamp_seconds';
      assert.equal(sampleOf(text, loaded), 1_600_000_000.5);
    });

    test(`as ${format.encoding} keeps the samples of a family together`, async () => {
      it.add('a');
      it.add('b');
      let family = '';
      for (const line of (await it.render(format)).split('\n')) {
        const [, declared] = /^# TYPE (\S+)/.exec(line) ?? [];
        if (declared !== undefined) family = declared;
        if (line !== '' && !line.startsWith('#')) assert.ok(line.startsWith(family), line);
      }
    });
  }

  test('is the same when it is rendered again, in either format', async () => {
    it.add('a');
    for (const format of [TEXT, OPENMETRICS, TEXT]) {
      assert.equal(await it.render(format), await it.render(format));
    }
  });
});
