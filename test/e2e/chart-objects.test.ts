/** What the objects of the Helm chart say to each other, to Prometheus and to the exporter. */

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { load } from 'js-yaml';
import { DEFAULT_LINKS, type Links, withLinks } from '../../deploy/rules/links.js';
import { settings } from '../../src/config/schema.js';
import { MAIN } from '../support/exporter.js';
import {
  argsOf,
  configOf,
  containerOf,
  EXAMPLES,
  type Node,
  needsHelm,
  ofKind,
  only,
  type Rendered,
  render,
  workloadOf,
} from '../support/helm.js';
import { forbiddenInRestricted } from '../support/pod-security.js';
import { folder, runToEnd } from '../support/process.js';

const FLAGS = settings().map(([, { arg }]) => arg);

const isWithin = (part: Node | undefined, whole: Node | undefined) =>
  Object.entries(part ?? assert.fail('a selector')).every(([key, value]) => whole?.[key] === value);
const podLabels = (workload: Rendered) => workload['spec']?.['template']?.['metadata']?.['labels'];

for (const example of EXAMPLES) {
  describe(`with the ${example} values`, () => {
    const needed = needsHelm();
    const objects = needed.skip === false ? render({ example }) : [];

    test('selectors find the pods of the exporter, and no others', needed, () => {
      const labels = podLabels(workloadOf(objects));
      const [helmTest] = ofKind(objects, 'Pod');
      for (const object of ofKind(objects, 'Service', 'NetworkPolicy', 'PodDisruptionBudget')) {
        const spec = object['spec'];
        const selector = (spec?.['podSelector'] ?? spec?.['selector']) as Node;
        const wanted = object.kind === 'Service' ? selector : selector['matchLabels'];
        assert.ok(isWithin(wanted, labels), object.kind);
        assert.ok(!isWithin(wanted, helmTest?.metadata['labels' as never]), object.kind);
      }
      const service = only(objects, 'Service');
      assert.ok(isWithin(workloadOf(objects)['spec']?.['selector']?.['matchLabels'], labels));
      for (const monitor of ofKind(objects, 'ServiceMonitor')) {
        const selector = monitor['spec']?.['selector']?.['matchLabels'];
        assert.ok(isWithin(selector, Reflect.get(service.metadata, 'labels') as Node));
      }
      const { port, targetPort, name } = service['spec']?.['ports']?.[0] ?? assert.fail();
      assert.ok(Number(port) > 0);
      assert.equal(targetPort, containerOf(objects)['ports']?.[0]?.['name']);
      for (const monitor of ofKind(objects, 'ServiceMonitor'))
        assert.equal(monitor['spec']?.['endpoints']?.[0]?.['port'], name);
    });

    test('the arguments are flags of the exporter', needed, () => {
      for (const arg of argsOf(objects)) {
        const [, flag] = /^--([^=]+)/.exec(arg) ?? [];
        assert.ok(flag !== undefined && FLAGS.includes(flag), arg);
      }
    });

    test('the configuration is valid', needed, (t) => {
      if (example === 'existing') return assert.throws(() => configOf(objects), /no config.yml/);
      const root = folder(t);
      const file = join(root, 'config.yml');
      writeFileSync(file, configOf(objects).replaceAll('/etc/secrets', root));
      mkdirSync(join(root, 'carriers'));
      writeFileSync(join(root, 'carriers/provider'), 'secret');
      const check = [MAIN, `--config.file=${file}`, '--config.check'];
      const { status, stderr } = runToEnd(process.execPath, check);
      assert.equal(status, 0, stderr);
    });
  });
}

test(
  'pods satisfy the Pod Security level restricted, except in the network of the node',
  needsHelm(),
  (t) => {
    const pods = EXAMPLES.flatMap((example) => {
      const objects = render({ example });
      const { template } = workloadOf(objects)['spec'] ?? assert.fail();
      const helmTest = only(objects, 'Pod') as unknown as Node;
      return [template ?? assert.fail(), helmTest].map((pod) => ({ example, pod }));
    });
    const { forbidden, skip } = forbiddenInRestricted(pods.map(({ pod }) => pod));
    if (skip !== false) return t.skip(skip);
    assert.equal(forbidden.length, pods.length);
    for (const [i, { example, pod }] of pods.entries()) {
      if (example === 'host-network') assert.match(forbidden[i] ?? '', /NET_RAW/);
      else assert.equal(forbidden[i], '', example);
      const { automountServiceAccountToken, containers } = pod['spec'] ?? assert.fail();
      assert.equal(automountServiceAccountToken, false);
      // The level says nothing about this.
      assert.equal(containers?.[0]?.['securityContext']?.['readOnlyRootFilesystem'], true);
    }
  },
);

/** The groups of rules/ with these links. */
function groupsWith(links: Links): unknown {
  const sources = readdirSync('rules').filter((name) => name.endsWith('.yml'));
  return sources.flatMap((name) => {
    const text = withLinks(readFileSync(join('rules', name), 'utf8'), links);
    return (load(text) as { groups: unknown[] }).groups;
  });
}

test('the PrometheusRule is rules/ with links of its own', needsHelm('promtool'), (t) => {
  const { runbookBase } = DEFAULT_LINKS;
  const enabled = { prometheusRule: { enabled: true } };
  const web = { externalUrl: 'https://sip.example.com/sip/' };
  const inCluster = 'https://{{ $labels.instance }}/sip';
  const wiki = {
    runbookBase: 'https://wiki/sip',
    exporterUrl: 'https://{{ $labels.pod }}.example/',
  };
  for (const [release, links] of [
    [{ values: enabled }, DEFAULT_LINKS],
    [{ values: { ...enabled, web } }, { runbookBase, exporterUrl: 'https://sip.example.com/sip' }],
    [
      { example: 'tls', values: enabled },
      { runbookBase, exporterUrl: inCluster },
    ],
    [
      { values: { prometheusRule: { ...enabled.prometheusRule, ...wiki }, web } },
      { ...wiki, exporterUrl: 'https://{{ $labels.pod }}.example' },
    ],
  ] as const) {
    const { spec } = only(render(release), 'PrometheusRule') as { spec?: unknown };
    assert.deepEqual(spec, { groups: groupsWith(links) });
    const file = join(folder(t), 'rules.yml');
    writeFileSync(file, JSON.stringify(spec));
    const { status, output } = runToEnd('promtool', ['check', 'rules', file]);
    assert.equal(status, 0, output);
  }
});

/** The members of a relabeling of the Prometheus operator as Prometheus calls them. */
function relabelConfig(relabeling: Node): object {
  const snake = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(relabeling).map(([key, value]) => [snake(key), value]));
}

test('series have the same labels when a pod is replaced', needsHelm('promtool'), (t) => {
  const NAME = 'sip-sip-keepalive-exporter';
  for (const [shards, labels] of [
    [1, { instance: `${NAME}.voice.svc:10060` }],
    [2, { instance: `${NAME}-1.${NAME}-shards.voice.svc:10060`, pod: `${NAME}-1` }],
  ] as const) {
    const monitor = only(
      render({ values: { shards, serviceMonitor: { enabled: true, site: 'fra' } } }),
      'ServiceMonitor',
    );
    const { relabelings } = monitor['spec']?.['endpoints']?.[0] ?? assert.fail();
    const pod = { __meta_kubernetes_namespace: 'voice', __meta_kubernetes_pod_name: `${NAME}-1` };
    const target = { targets: ['10.0.0.1:10060'], labels: { ...pod, pod: `${NAME}-1` } };
    const job = {
      job_name: 'sip',
      static_configs: [target],
      relabel_configs: [...(relabelings ?? [])].map(relabelConfig),
    };
    const file = join(folder(t), 'prometheus.yml');
    writeFileSync(file, JSON.stringify({ scrape_configs: [job] }));
    const { stdout, stderr } = runToEnd('promtool', [
      'check',
      'service-discovery',
      '--timeout=1s',
      file,
      'sip',
    ]);
    const [found] = JSON.parse(stdout) as { labels: Record<string, string> }[];
    const own = Object.entries(found?.labels ?? assert.fail(stderr)).filter(
      ([name]) => !name.startsWith('__'),
    );
    assert.deepEqual(Object.fromEntries(own), { ...labels, job: 'sip', site: 'fra' });
  }
});

test('the dashboards are those of grafana/dashboards', needsHelm(), () => {
  const maps = ofKind(render({ example: 'everything' }), 'ConfigMap');
  const boards = maps.flatMap((map) => Object.entries(map['data'] ?? {}));
  const files = readdirSync('grafana/dashboards');
  assert.ok(files.length >= 3);
  for (const file of files) {
    const [, board] = boards.find(([name]) => name === file) ?? assert.fail(file);
    assert.equal(String(board), readFileSync(join('grafana/dashboards', file), 'utf8'));
  }
});
