/**
 * The documents agree with the code. `npm run docs` updates their tables.
 */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../src/config/config.js';
import { readFlags } from '../src/config/flags.js';
import { PING_SETTINGS } from '../src/config/ping-schema.js';
import { settings } from '../src/config/schema.js';
import type { Setting } from '../src/config/setting.js';
import { createApp } from '../src/http/app.js';
import { CONNECTION_FAMILIES } from '../src/metrics/connection-families.js';
import { exporterMetrics } from '../src/metrics/exporter-metrics.js';
import { exposition } from '../src/metrics/exposition.js';
import {
  DESTINATION_FAMILIES,
  type Family,
  PINGER_FAMILIES,
  TARGET_FAMILIES,
} from '../src/metrics/families.js';
import { TEXT } from '../src/metrics/format.js';
import { KAMAILIO_FAMILIES } from '../src/metrics/kamailio-families.js';
import { probeMetrics } from '../src/metrics/probe-metrics.js';
import { RESOLUTION_FAMILIES } from '../src/metrics/resolution-families.js';
import { RowLabels } from '../src/metrics/row-labels.js';
import { EVERYTHING, type Selection } from '../src/metrics/selection.js';
import { parseYaml } from '../src/platform/yaml.js';
import {
  FAILURE_REASONS,
  REASONS_OF,
  reasonText,
  TRANSPORTS,
  type TransportName,
} from '../src/shared/outcome.js';
import type { ProbeReport } from '../src/shared/probe-report.js';
import { POLICIES } from '../src/shared/status-codes.js';
import { IDLE_FACTS, idleApp } from './support/idle-app.js';
import { folder } from './support/process.js';
import { textRenderer } from './support/renderers.js';
import { routesOf } from './support/routes.js';
import { statusRig, TLS_PEER } from './support/status-rig.js';

/** The report of a failed probe over TLS, which has every metric. */
const PROBED: ProbeReport = {
  ...{
    isAlive: false,
    reason: 'code',
    detail: '',
    isAllowed: true,
    isObserved: true,
    transport: 'tls',
  },
  ...{ address: '192.0.2.1', code: 503, retransmissions: 0, log: [] },
  durations: { total: 1, resolve: 0.1, connect: 0.1, tls: 0.1, request: 0.1 },
  tls: {
    ...{ version: 'TLS 1.3', cipher: 'x', subject: 'CN=a', issuer: 'CN=b', serialNumber: '01' },
    ...{ subjectAlternative: 'DNS:a', fingerprint: '00', isVerified: true, fault: '' },
    ...{ notBeforeMs: 1, notAfterMs: 2, chainNotAfterMs: 2, chain: [] },
  },
};

test('docs/configuration.md lists every setting as the schema has it', () => {
  const isPing = (path: string) => Object.hasOwn(PING_SETTINGS, path);
  holds(
    'docs/configuration.md',
    'process',
    settingRows(settings().filter(([path]) => !isPing(path))),
  );
  holds('docs/configuration.md', 'pings', settingRows(settings().filter(([path]) => isPing(path))));
  const policies = Object.entries(POLICIES).map(([name, codes]) => [`\`${name}\``, `\`${codes}\``]);
  holds('docs/configuration.md', 'policies', table(['name', 'stands for'], policies));
});

test('the examples in docs/configuration.md are valid', (t) => {
  const text = readFileSync('docs/configuration.md', 'utf8');
  const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = '']) => yaml);
  assert.ok(examples.length >= 4);
  for (const example of examples) {
    const file = join(folder(t), 'example.yml');
    writeFileSync(file, example);
    const flags = readFlags([`--config.file=${file}`]);
    const { destinations } = readConfig({ flags, env: {}, version: '0' });
    const { destinations: listed = [] } = parseYaml(example) as { destinations?: unknown[] };
    assert.equal(destinations.length, listed.length);
  }
});

test('docs/metrics.md lists every metric as it is registered', async () => {
  holds('docs/metrics.md', 'destinations', familyRows(DESTINATION_FAMILIES));
  holds('docs/metrics.md', 'names', familyRows(RESOLUTION_FAMILIES));
  holds('docs/metrics.md', 'targets', familyRows(TARGET_FAMILIES));
  holds('docs/metrics.md', 'connections', familyRows(CONNECTION_FAMILIES));
  holds('docs/metrics.md', 'kamailio', familyRows(KAMAILIO_FAMILIES));
  const reasons = FAILURE_REASONS.filter((r) =>
    Object.values(REASONS_OF).some((of) => of.includes(r)),
  );
  holds(
    'docs/metrics.md',
    'reasons',
    table(
      ['reason', 'meaning'],
      reasons.map((r) => [`\`${r}\``, reasonText(r)]),
    ),
  );
  const own = await exporterMetrics(() => IDLE_FACTS).text('text');
  const ours = [...own.matchAll(/^# HELP (sip_keepalive_\S+) (.*)\n# TYPE \S+ (\S+)$/gm)].map(
    ([, name = '', help = '', type = '']) => [`\`${name}\``, type, help],
  );
  assert.ok(ours.length > 0);
  const pinger = PINGER_FAMILIES.map(({ name, type, help }) => [`\`${name}\``, type, help]);
  holds('docs/metrics.md', 'exporter', table(['name', 'kind', 'meaning'], [...ours, ...pinger]));
});

test('docs/metrics.md says how many series a destination has over each transport', async () => {
  const histograms = [...TARGET_FAMILIES, ...CONNECTION_FAMILIES].flatMap(({ name, type }) =>
    type === 'histogram' ? [name] : [],
  );
  const failures = 'sip_keepalive_ping_failures_total';
  const columns: readonly (readonly [heading: string, selection: Selection])[] = [
    ['all', EVERYTHING],
    ['without histograms', { ...EVERYTHING, disabled: histograms }],
    [
      `without histograms and \`${failures}\``,
      { ...EVERYTHING, disabled: [...histograms, failures] },
    ],
    ['`collect[]=destinations`', { ...EVERYTHING, groups: new Set(['destinations']) }],
  ];
  const rows = TRANSPORTS.map(async (transport) => [
    transport,
    ...(await Promise.all(columns.map(async ([, one]) => String(await countOf(transport, one))))),
  ]);
  const headings = ['transport', ...columns.map(([heading]) => heading)];
  holds('docs/metrics.md', 'series', table(headings, await Promise.all(rows)));
});

/** The series of a destination that has answered a ping over this transport, and missed one. */
async function countOf(transport: TransportName, selection: Selection): Promise<number> {
  const rig = statusRig();
  const added = rig.add('gw', { targets: [{ transport, address: '192.0.2.1:5060' }] });
  added.ping();
  added.ping({ reason: 'timeout' });
  added.become('up');
  const [target] = added.registered.targets;
  if (target !== undefined && transport !== 'udp') {
    rig.writer.recordConnect(target.slot, 'connect', 1);
  }
  if (transport === 'tls' || transport === 'wss') added.peer('', TLS_PEER);
  const options = {
    status: rig.status,
    format: TEXT,
    rowLabels: new RowLabels(),
    hasExemplars: false,
    selection,
  };
  let text = '';
  for await (const piece of exposition(options, textRenderer())) text += piece;
  return text.match(/destination="gw"/g)?.length ?? 0;
}

test('docs/probe.md lists every metric of probes, and its examples are valid YAML', () => {
  const families = probeMetrics(PROBED, 1).matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm);
  const rows = [...families].map(([, name, help = '', type = '']) => [`\`${name}\``, type, help]);
  holds('docs/probe.md', 'probe', table(['name', 'kind', 'meaning'], rows));
  const text = readFileSync('docs/probe.md', 'utf8');
  const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = '']) => yaml);
  assert.equal(examples.length, 2);
  for (const example of examples) assert.ok(parseYaml(example));
});

test('no name is exported twice, in either format', async () => {
  const names = [
    ...[
      ...DESTINATION_FAMILIES,
      ...TARGET_FAMILIES,
      ...CONNECTION_FAMILIES,
      ...RESOLUTION_FAMILIES,
      ...KAMAILIO_FAMILIES,
      ...PINGER_FAMILIES,
    ],
  ].map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const format of ['text', 'openmetrics'] as const) {
    const own = await exporterMetrics(() => IDLE_FACTS).text(format);
    for (const name of names)
      assert.doesNotMatch(own, new RegExp(`^# TYPE ${name.replace(/_total$/, '')}`, 'm'));
  }
});

test('docs/http.md lists every route', () => {
  const routes = routesOf(createApp(idleApp()));
  assert.ok(routes.length > 5);
  const text = readFileSync('docs/http.md', 'utf8');
  for (const route of routes) {
    const path = route.replace(/[*:](\w+)/, (_, name: string) => name.toUpperCase());
    assert.ok(text.includes(`\n| \`${path}`), `docs/http.md has no row for ${path}`);
  }
});

test('the commands in README.md are scripts of package.json, and its links lead to files', () => {
  const readme = readFileSync('README.md', 'utf8');
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    scripts: Record<string, string>;
  };
  const named = [...readme.matchAll(/npm (?:run )?(demo|test|start|bench|check|build)\b/g)].map(
    ([, s]) => s,
  );
  for (const script of ['demo', 'test', 'start']) assert.ok(named.includes(script), script);
  for (const script of named) assert.ok(scripts[script ?? ''] !== undefined, script);
  for (const [, link = ''] of readme.matchAll(/\]\(((?!http)[^)#]+)/g)) readFileSync(link);
});

function settingRows(rows: readonly (readonly [string, Setting])[]): string {
  return table(
    ['setting', 'flag', 'environment', 'default', 'meaning'],
    rows.map(([path, setting]) => [
      `\`${path}\``,
      `\`--${setting.arg}\`${setting.isRepeatable ? ' (repeatable)' : ''}`,
      `\`${setting.env}\``,
      showDefault(setting.default),
      setting.doc,
    ]),
  );
}

function showDefault(value: unknown): string {
  return value === '' || (Array.isArray(value) && value.length === 0) ? '' : `\`${String(value)}\``;
}

function familyRows(families: readonly Family<never>[]): string {
  return table(
    ['name', 'kind', 'meaning'],
    families.map(({ name, type, help }) => [`\`${name}\``, type, help]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((c) => c.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Asserts that the part of the document between its two marks is this text. */
function holds(file: string, part: string, expected: string): void {
  const text = readFileSync(file, 'utf8');
  const marks = new RegExp(`(<!-- begin ${part} -->\n)(.*?)(<!-- end ${part} -->)`, 's');
  const [, , found] = marks.exec(text) ?? assert.fail(`${file} has no part ${part}`);
  if (process.env['UPDATE_DOCS'] === '1') {
    writeFileSync(
      file,
      text.replace(marks, (_all, begin, _old, end) => `${begin}${expected}\n${end}`),
    );
    return;
  }
  assert.equal(found, `${expected}\n`, `${file} is outdated; npm run docs updates it`);
}
