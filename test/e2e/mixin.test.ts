import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { load } from 'js-yaml';
import { jsonnet, needsJsonnet } from '../support/jsonnet.js';
import { folder, runToEnd } from '../support/process.js';

interface Rule {
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Rules {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

const inRules = (name: string) =>
  load(readFileSync(`rules/sip-keepalive-${name}.yml`, 'utf8')) as Rules;

function manifest<T>(expression: string, config?: string): T {
  const { status, stdout, output } = jsonnet(expression, config);
  assert.equal(status, 0, output);
  return JSON.parse(stdout) as T;
}

const rulesOf = ({ groups }: Rules) => groups.flatMap(({ rules }) => rules);
const named = (rules: Rules, name: string) => rulesOf(rules).find(({ alert }) => alert === name);

test('the mixin is the rules and the dashboards of the repository', needsJsonnet(), () => {
  const [alerts, sites, recording] = ['alerts', 'sites', 'recording'].map(inRules);
  const groups = [...(alerts?.groups ?? []), ...(sites?.groups ?? [])];
  assert.deepEqual(manifest('mixin.prometheusAlerts'), { groups });
  assert.deepEqual(manifest('mixin.prometheusRules'), recording);
  const dashboards = readdirSync('grafana/dashboards').map((name) => [
    name,
    JSON.parse(readFileSync(join('grafana/dashboards', name), 'utf8')),
  ]);
  assert.deepEqual(manifest('mixin.grafanaDashboards'), Object.fromEntries(dashboards));
});

test('_config changes links, alerts and selectors', needsJsonnet('promtool'), (t) => {
  const rules = manifest<Rules>(
    'mixin.prometheusAlerts',
    `{
      selector: 'cluster="ams"',
      runbookBase: 'https://wiki.example.com/runbook',
      exporterUrl: 'https://{{ $labels.instance }}/sip',
      sites: false,
      alerts: {
        SipKeepaliveFlapping: { 'for': '10m', labels+: { severity: 'info' } },
        SipKeepaliveNoDestinations: null,
      },
    }`,
  );
  assert.deepEqual(
    rules.groups.map(({ name }) => name),
    inRules('alerts').groups.map(({ name }) => name),
  );
  const flapping = named(rules, 'SipKeepaliveFlapping');
  assert.deepEqual([flapping?.for, flapping?.labels], ['10m', { severity: 'info' }]);
  assert.match(flapping?.annotations?.['dashboard_url'] ?? '', /^https:\/\/\{\{.*?\}\}\/sip\/#\//);
  assert.equal(
    flapping?.annotations?.['runbook_url'],
    'https://wiki.example.com/runbook#sipkeepaliveflapping',
  );
  assert.equal(named(rules, 'SipKeepaliveNoDestinations'), undefined);
  const metrics = rulesOf(rules).flatMap(({ expr }) => [
    ...expr.matchAll(/(?<!:)\bsip_keepalive_\w+(.{0,15})/gs),
  ]);
  assert.ok(metrics.length > 50);
  for (const [metric, after] of metrics) assert.match(after ?? '', /^\{cluster="ams"[,}]/, metric);
  const file = join(folder(t), 'rules.yml');
  writeFileSync(file, JSON.stringify(rules));
  const check = runToEnd('promtool', ['check', 'rules', file]);
  assert.equal(check.status, 0, check.output);
});

test('_config with the name of no alert is an error', needsJsonnet(), () => {
  const { status, stderr } = jsonnet('mixin.prometheusAlerts', '{ alerts: { SipKeepaliv: {} } }');
  assert.notEqual(status, 0);
  assert.match(stderr, /_config\.alerts: no alert is named SipKeepaliv\n/);
});
