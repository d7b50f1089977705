/** The values of the Helm chart: what is refused, and what several objects must agree on. */

import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CHART } from '../../deploy/helm/chart.js';
import {
  argsOf,
  configOf,
  containerOf,
  exampleFile,
  helm,
  needsHelm,
  objectsIn,
  only,
  render,
  template,
} from '../support/helm.js';
import { folder } from '../support/process.js';

test('values that are wrong are refused with their path', needsHelm(), () => {
  for (const [values, error] of [
    [{ prot: 1 }, "at '': additional properties 'prot' not allowed"],
    [{ web: { prot: 1 } }, "at '/web': additional properties 'prot' not allowed"],
    [{ web: { port: '10060' } }, "at '/web/port': got string, want integer"],
    [{ web: { port: 70_000 } }, "at '/web/port': maximum: got 70,000, want 65,535"],
    [{ web: null }, "at '': missing property 'web'"],
    [
      { web: { externalUrl: 'sip.example.com' } },
      "at '/web/externalUrl': 'sip.example.com' does not match",
    ],
    [{ web: { routePrefix: '/sip?x' } }, "at '/web/routePrefix': '/sip?x' does not match"],
    [
      { web: { routePrefix: '../sip' } },
      'web.routePrefix: expected a path without . and .., got "../sip"',
    ],
    [{ client: { scheme: 'HTTPS' } }, "at '/client/scheme': value must be one of 'http', 'https'"],
    [{ client: { scheme: 'https' } }, 'client.scheme: https needs web.configSecret'],
    [{ shards: 0 }, "at '/shards': minimum: got 0, want 1"],
    [{ shards: 1.5 }, "at '/shards': got number, want integer"],
    [{ secrets: 'a' }, "at '/secrets': got string, want array"],
    [{ extraArgs: ['log.level=debug'] }, "at '/extraArgs/0': 'log.level=debug' does not match"],
    [{ image: { digest: 'sha256:1' } }, "at '/image/digest': 'sha256:1' does not match"],
    [
      { podDisruptionBudget: { maxUnavailable: '120%' } },
      "at '/podDisruptionBudget/maxUnavailable'",
    ],
    [
      { serviceMonitor: { interval: 15 } },
      "at '/serviceMonitor/interval': got number, want string",
    ],
    [{ probes: [{ name: 'a' }] }, "at '/probes/0': missing property 'targets'"],
    [
      { probes: [{ name: 'a', target: ['b'] }] },
      "at '/probes/0': additional properties 'target' not allowed",
    ],
    [
      { healthProbes: { liveness: { period: 1 } } },
      "at '/healthProbes/liveness': additional properties 'period' not allowed",
    ],
    [{ config: { web: {} } }, 'config.web: the chart sets it. Use the values web,'],
    [{ config: { shard: 1 } }, 'config.shard: the chart sets it'],
    [{ config: 'ping_interval: 10' }, "at '/config': got string, want object"],
    [{ configFile: 'web: { }' }, 'configFile.web: the chart sets it'],
    [{ configFile: '- a' }, 'configFile: expected a mapping in YAML, got: '],
    [{ configFile: 'rise: 1', config: { rise: 2 } }, 'config, configFile: expected only one'],
    [
      { existingConfigMap: 'a', config: { rise: 2 } },
      'config, existingConfigMap: expected only one of them',
    ],
    [
      { shards: 2, persistence: { existingClaim: 'a' } },
      'persistence.existingClaim: expected none with shards above 1',
    ],
  ] as const) {
    const { status, stderr } = template({ values });
    assert.equal(status, 1, JSON.stringify(values));
    assert.ok(stderr.includes(error), `${JSON.stringify(values)}: ${stderr}`);
  }
  assert.match(template({ version: '1.27' }).stderr, /requires kubeVersion: >=1.28/);
});

test('a configuration as text stays as it is', needsHelm(), () => {
  const configFile =
    '# Ours.\ndestinations:\n  - { uri: sip:a.example, name: 007, labels: { rack: 1.0 } }\n';
  assert.equal(configOf(render({ values: { configFile } })), configFile);
});

test('labels are texts, also those of names that are numbers', needsHelm(), () => {
  for (const { metadata } of render({
    values: { nameOverride: '5', commonLabels: { rack: '7' } },
  })) {
    const { labels } = metadata as { labels?: Record<string, unknown> };
    const values = Object.values(labels ?? {});
    assert.ok(values.length > 1 && values.every((value) => typeof value === 'string'));
  }
});

test('a prefix may have slashes at its ends, and everything follows it', needsHelm(), () => {
  const rendered = (web: object) => {
    const objects = render({
      example: 'tls',
      values: { web, client: { basicAuthSecret: '', certificateSecret: '' } },
    });
    const probe = containerOf(objects)['readinessProbe']?.['httpGet'];
    return [
      argsOf(objects).find((arg) => arg.startsWith('--web.route-prefix=')),
      String(probe?.['path']),
      String(only(objects, 'ServiceMonitor')['spec']?.['endpoints']?.[0]?.['path']),
      String(only(objects, 'Probe')['spec']?.['prober']?.['path']),
      String(only(objects, 'Pod')['spec']?.['containers']?.[0]?.['command']?.at(-3)),
    ];
  };
  const url = (path: string) => `https://sip-sip-keepalive-exporter.voice.svc:10060${path}/-/ready`;
  const below = [
    '--web.route-prefix=/a/b',
    '/a/b/-/ready',
    '/a/b/metrics',
    '/a/b/probe',
    url('/a/b'),
  ];
  for (const routePrefix of ['a/b', '/a/b', 'a/b/', '/a/b/', '//a//b//'])
    assert.deepEqual(rendered({ routePrefix }), below, routePrefix);
  const externalUrl = 'https://sip.example.com/a/b/';
  assert.deepEqual(rendered({ routePrefix: '', externalUrl }), below);
  const root = ['--web.route-prefix=/', '/-/ready', '/metrics', '/probe', url('')];
  assert.deepEqual(rendered({ routePrefix: '/', externalUrl }), root);
});

test('the notes name the service, and what is not configured', needsHelm(), (t) => {
  const chart = folder(t);
  cpSync(CHART, chart, { recursive: true });
  const notes = readFileSync(join(CHART, 'templates/NOTES.txt'), 'utf8');
  const map =
    'kind: Notes\nmetadata: { name: notes }\ntext: |\n  {{- include "notes" . | nindent 2 }}';
  writeFileSync(
    join(chart, 'templates/notes.yaml'),
    `{{- define "notes" }}${notes}{{ end }}${map}`,
  );
  const render = (...args: readonly string[]) => {
    const all = ['template', 'sip', chart, '--kube-version=1.37.0', ...args];
    const { status, stdout, stderr } = helm(all);
    assert.equal(status, 0, stderr);
    return String(only(objectsIn(stdout), 'Notes')['text']);
  };
  const empty = render();
  assert.match(empty, /http:\/\/localhost:10060\/ after\n/);
  assert.match(empty, /port-forward service\/sip-sip-keepalive-exporter 10060\n/);
  assert.match(empty, /No destinations are configured yet/);
  assert.match(empty, /sip-sip-keepalive-exporter\.default\.svc:10060\/metrics\./);
  const full = render(`--values=${exampleFile('tls')}`);
  assert.match(full, /https:\/\/localhost:10060\/sip\/ after\n/);
  assert.doesNotMatch(full, /No destinations|finds it/);
});
