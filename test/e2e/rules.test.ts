import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { DEFAULT_LINKS } from '../../deploy/rules/links.js';
import { parseYaml } from '../../src/platform/yaml.js';
import { FAILURE_REASONS } from '../../src/shared/outcome.js';
import { runToEnd } from '../support/process.js';
import { needs } from '../support/tools.js';

/** What a summary says for each reason. */
const REASON_WORDS = /\{\{- if eq \$reason .*? invalid SIP response \{\{- end \}\}/gs;
/** Metrics of Prometheus itself, and process metrics. */
const NOT_PREFIXED = ['up', 'ALERTS', 'process_start_time_seconds'];

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface AlertCase {
  readonly alertname: string;
  readonly exp_alerts: readonly { readonly exp_labels: Readonly<Record<string, string>> }[];
}

const ymlIn = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.yml'))
    .map((name) => join(folder, name));

const RULE_FILES = ymlIn('rules');
const TEST_FILES = ymlIn('rules/tests');

const rules = RULE_FILES.flatMap((file) => {
  const { groups } = parseYaml(readFileSync(file, 'utf8')) as {
    groups: readonly { rules: readonly Rule[] }[];
  };
  return groups.flatMap((group) => group.rules);
});
const alerts = rules.filter(({ alert }) => alert !== undefined);

const cases = TEST_FILES.flatMap((file) => {
  const { tests } = parseYaml(readFileSync(file, 'utf8')) as {
    tests: readonly { alert_rule_test?: readonly AlertCase[] }[];
  };
  return tests.flatMap(({ alert_rule_test = [] }) => alert_rule_test);
});

function promtool(...args: readonly string[]): string {
  const { status, output } = runToEnd('promtool', args);
  assert.equal(status, 0, output);
  return output;
}

test('promtool accepts the rules, and prometheus.yml with them', needs('promtool'), () => {
  promtool('check', 'rules', ...RULE_FILES);
  const output = promtool('check', 'config', 'prometheus.yml');
  assert.match(output, new RegExp(`${RULE_FILES.length} rule files found`));
});

test('the rules pass their promtool tests', needs('promtool'), () => {
  promtool('test', 'rules', ...TEST_FILES);
});

describe('every alert', () => {
  const runbook = readFileSync('docs/runbook.md', 'utf8');
  const headings = [...runbook.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading);

  test('has a severity, a summary, a description and a link to the runbook', () => {
    assert.ok(alerts.length >= 15);
    for (const { alert = '', labels = {}, annotations = {} } of alerts) {
      assert.match(alert, /^SipKeepalive[A-Z]/);
      assert.match(labels['severity'] ?? '', /^(critical|warning)$/, alert);
      // The summary is the subject of a message.
      assert.match(annotations['summary'] ?? '', /^\S.*[^.]$/s, alert);
      assert.match(annotations['description'] ?? '', /^\S.*\.( \{\{- end \}\})?$/s, alert);
      const { runbookBase, exporterUrl } = DEFAULT_LINKS;
      assert.equal(annotations['runbook_url'], `${runbookBase}#${alert.toLowerCase()}`);
      if (annotations['summary']?.startsWith('{{ $labels.destination }}'))
        assert.ok(annotations['dashboard_url']?.includes(`${exporterUrl}/#/destination/`), alert);
    }
  });

  test('has the same words for the same reason, and the runbook has them', () => {
    const texts = alerts.flatMap(({ annotations = {} }) =>
      [...(annotations['summary'] ?? '').matchAll(REASON_WORDS)].map(([words]) => words),
    );
    assert.ok(texts.length >= 2);
    const [first = ''] = texts;
    assert.deepEqual([...new Set(texts)], [first]);
    const words = [...first.matchAll(/"(\w+)" \}\} (.*?) (?=\{\{)/g)].map(([, reason, text]) => [
      reason,
      text,
    ]);
    assert.deepEqual(
      words.map(([reason]) => reason).sort(),
      FAILURE_REASONS.filter((reason) => reason !== 'local' && reason !== 'malformed').sort(),
    );
    for (const [reason, text] of words)
      assert.ok(runbook.includes(`| ${text} | \`${reason}\` |`), `${text}: ${reason}`);
  });

  test('has a heading in docs/runbook.md, which has no others', () => {
    assert.deepEqual([...headings].sort(), alerts.map(({ alert }) => alert).sort());
  });

  test('names its destination or exporter', () => {
    for (const { alert = '', annotations = {} } of alerts) {
      // It has no exporter to name.
      if (alert === 'SipKeepaliveExporterAbsent') continue;
      assert.match(annotations['summary'] ?? '', /\$labels\.(destination|instance)\b/, alert);
    }
  });

  test('has a case where it fires and one where it does not', () => {
    for (const { alert } of alerts) {
      const itsCases = cases.filter(({ alertname }) => alertname === alert);
      assert.ok(
        itsCases.some(({ exp_alerts }) => exp_alerts.length > 0),
        `${alert} never fires`,
      );
      assert.ok(
        itsCases.some(({ exp_alerts }) => exp_alerts.length === 0),
        `${alert} always fires`,
      );
    }
    for (const { alertname } of cases) {
      assert.ok(
        alerts.some(({ alert }) => alert === alertname),
        `a test of ${alertname}, which is not an alert`,
      );
    }
  });
});

test('every link of the runbook leads to one of its headings or to a file', () => {
  const runbook = readFileSync('docs/runbook.md', 'utf8');
  for (const [, link = ''] of runbook.matchAll(/\]\(([^)]+)\)/g)) {
    const name = link.startsWith('#') ? link.slice(1) : undefined;
    if (name === undefined) readFileSync(join('docs', link));
    else assert.match(runbook, new RegExp(`^## ${name}$`, 'im'));
  }
});

test('docs/metrics.md lists every metric of the rules and the runbook', () => {
  const listed = new Set(
    [...readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `(sip_keepalive_\w+)`/gm)].map(
      ([, name]) => name,
    ),
  );
  const recorded = new Set(rules.map(({ record }) => record));
  const texts = [
    ...rules.flatMap(({ expr, annotations = {} }) => [
      metricsOnly(expr),
      ...Object.values(annotations),
    ]),
    readFileSync('docs/runbook.md', 'utf8'),
  ];
  let count = 0;
  for (const text of texts) {
    for (const [name] of text.matchAll(/\b(?:\w+:)?sip_keepalive_\w+(?::\w+)?/g)) {
      const isKnown = name.includes(':') ? recorded.has(name) : isListed(listed, name);
      assert.ok(isKnown, `${name} is not listed`);
      count++;
    }
  }
  assert.ok(count > 50);
});

test('the rules use only metrics of the exporter and of every Prometheus', () => {
  for (const { alert, record, expr } of rules) {
    const names = [
      ...metricsOnly(expr)
        .replace(/\[[^\]]*\]/g, ']')
        .matchAll(/\b[a-zA-Z_:][\w:]*\b(?=\s*(?:[[{)\]]|$|==|\n))/g),
    ]
      .map(([name]) => name)
      .filter((name) => !/sip_keepalive_/.test(name) && !WORDS.has(name));
    for (const name of names) assert.ok(NOT_PREFIXED.includes(name), `${alert ?? record}: ${name}`);
  }
});

/** Other words of expressions. */
const WORDS = new Set(['and', 'or', 'unless', 'on', 'by', 'without', 'offset', 'job', 'instance']);
for (const word of [
  'destination',
  'transport',
  'address',
  'reason',
  'le',
  'group_left',
  'time',
  'kamailio',
  'site',
])
  WORDS.add(word);

/** Without comments and strings. */
function metricsOnly(expr: string): string {
  return expr.replace(/"[^"]*"/g, '""').replace(/#.*$/gm, '');
}

function isListed(listed: ReadonlySet<string | undefined>, name: string): boolean {
  return listed.has(name) || listed.has(name.replace(/_(bucket|sum|count)$/, ''));
}
