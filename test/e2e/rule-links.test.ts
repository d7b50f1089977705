import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_LINKS } from '../../deploy/rules/links.js';
import { parseYaml } from '../../src/platform/yaml.js';
import { folder, runToEnd } from '../support/process.js';
import { needs } from '../support/tools.js';

const MAIN = join('dist', 'deploy', 'rules', 'main.js');
const FILES = readdirSync('rules').filter((name) => name.endsWith('.yml'));

const generate = (...args: readonly string[]) => runToEnd(process.execPath, [MAIN, ...args]);
const textIn = (path: string, name: string) => readFileSync(join(path, name), 'utf8');

/** The annotations of every alert in the folder, by alert. */
function annotationsIn(path: string): Map<string, Readonly<Record<string, string>>> {
  const groups = FILES.flatMap(
    (name) => (parseYaml(textIn(path, name)) as { groups: readonly Group[] }).groups,
  );
  return new Map(
    groups.flatMap(({ rules }) =>
      rules.flatMap(({ alert, annotations }) =>
        alert && annotations ? [[alert, annotations]] : [],
      ),
    ),
  );
}

interface Group {
  readonly rules: readonly {
    readonly alert?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
}

test('the rules are what the generator makes without options', (t) => {
  const output = folder(t);
  const { status, stdout } = generate(`--output=${output}`);
  assert.equal(status, 0);
  assert.deepEqual(
    stdout.trim().split('\n'),
    FILES.map((name) => join(output, name)),
  );
  for (const name of FILES) assert.equal(textIn(output, name), textIn('rules', name));
});

test('with own URLs every alert has them, and nothing else changes', needs('promtool'), (t) => {
  const output = folder(t);
  const base = 'https://wiki.example.com/sip/runbook';
  const exporter = 'https://{{ $labels.instance }}/sip';
  const { status } = generate(
    ...[`--runbook-base=${base}/`, `--exporter-url=${exporter}//`, `--output=${output}`],
  );
  assert.equal(status, 0);
  const before = annotationsIn('rules');
  const after = annotationsIn(output);
  let pages = 0;
  for (const [alert, { runbook_url, dashboard_url, ...rest }] of before) {
    const own = after.get(alert) ?? assert.fail(alert);
    assert.equal(own['runbook_url'], `${base}#${alert.toLowerCase()}`);
    const page = dashboard_url?.replace(DEFAULT_LINKS.exporterUrl, exporter);
    assert.deepEqual(own, {
      ...rest,
      ...{ runbook_url: own['runbook_url'] },
      ...(page === undefined ? {} : { dashboard_url: page }),
    });
    if (page !== undefined) pages++;
  }
  assert.ok(pages > 10, `${pages} links to pages`);
  const files = FILES.map((name) => join(output, name));
  const check = runToEnd('promtool', ['check', 'rules', ...files]);
  assert.equal(check.status, 0, check.output);
});

test('what the generator cannot use is an error that says what is expected', (t) => {
  const file = join(folder(t), 'file');
  writeFileSync(file, '');
  const url = 'expected an absolute URL (http or https) without "?" and "#"; a template is {{ … }}';
  const errors: readonly (readonly [argument: string, error: string])[] = [
    ['--runbok-base=x', '--runbok-base: unknown option (nearest: "runbook-base")'],
    ['--verbose', '--verbose: unknown option (options: --runbook-base, --exporter-url, --output)'],
    ['x', 'unexpected argument x (options: --runbook-base, --exporter-url, --output)'],
    ['--exporter-url', '--exporter-url: expected a value'],
    ['--exporter-url=', '--exporter-url: expected a value'],
    ['--exporter-url=sip.example.com', `--exporter-url: ${url}, got "sip.example.com"`],
    ['--exporter-url=http://{{ x', `--exporter-url: ${url}, got "http://{{ x"`],
    ['--exporter-url=http://a\nb', `--exporter-url: ${url}, got "http://a\\nb"`],
    ['--runbook-base=docs/runbook.md', `--runbook-base: ${url}, got "docs/runbook.md"`],
    ['--runbook-base=https://a/#b', `--runbook-base: ${url}, got "https://a/#b"`],
    ['--output=rules/', '--output: expected another folder than that of the sources, got rules/'],
    [`--output=${file}`, `EEXIST: file already exists, mkdir '${file}'`],
  ];
  for (const [argument, error] of errors) {
    const { status, stdout, stderr } = generate(argument);
    assert.deepEqual([status, stdout, stderr], [2, '', `${error}\n`], argument);
  }
});
