/** The pods of the Helm chart, as processes: the exporter runs with the arguments and files of the chart. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashSync } from 'bcryptjs';
import { load } from 'js-yaml';
import { Authority } from '../support/certificates.js';
import { configOf, needsHelm, type Rendered, render, workloadOf } from '../support/helm.js';
import { startPod } from '../support/pod.js';
import { freePort } from '../support/ports.js';
import { eventually } from '../support/process.js';

const NAME = 'sip-sip-keepalive-exporter';

/** The ConfigMap of the configuration, with destinations on this machine. */
const configMap = (objects: readonly Rendered[]) => ({
  [NAME]: { 'config.yml': configOf(objects).replaceAll('192.0.2.', '127.0.0.') },
});

test('a pod becomes ready, and reloads a ConfigMap that changes', needsHelm(), async (t) => {
  const web = { port: await freePort() };
  const values = { web, configReloadInterval: '1s' };
  const objects = render({ example: 'minimal', values });
  const pod = startPod(t, workloadOf(objects), configMap(objects));
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const)
    await eventually(probe, () => pod.passes(probe));
  await pod.logged(/"event":"config_applied"/);

  pod.update(NAME, { 'config.yml': 'ping_intervall: 10' });
  await pod.logged(/"event":"config_invalid".*ping_intervall/);
  assert.ok(await pod.passes('readinessProbe'));
  pod.update(NAME, { 'config.yml': 'destinations: [sip:127.0.0.1, sip:127.0.0.2]' });
  await pod.logged(/"event":"config_reloaded"/);
  const names = await destinations(web.port);
  assert.deepEqual(names.sort(), ['sip:127.0.0.1', 'sip:127.0.0.2']);
  assert.equal(await pod.stop('SIGTERM'), 0);
});

async function destinations(port: number): Promise<string[]> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/destinations?view=brief`);
  const { destinations } = (await answer.json()) as { destinations: readonly { uri: string }[] };
  return destinations.map(({ uri }) => uri);
}

test('the pods of a StatefulSet share the destinations', needsHelm(), async (t) => {
  const shares = [0, 1].map(async (ordinal) => {
    const port = await freePort();
    const objects = render({ example: 'sharded', values: { web: { port } } });
    assert.equal(Number(workloadOf(objects)['spec']?.['replicas']), 2);
    const pod = startPod(t, workloadOf(objects), configMap(objects), ordinal);
    await eventually('a ready pod', () => pod.passes('readinessProbe'));
    return await destinations(port);
  });
  const [first = [], second = []] = await Promise.all(shares);
  const objects = render({ example: 'sharded' });
  const { destinations: all } = load(String(configMap(objects)[NAME]?.['config.yml'])) as {
    destinations: readonly string[];
  };
  assert.ok(first.length > 0 && second.length > 0);
  assert.deepEqual([...first, ...second].sort(), [...all].sort());
});

test('health checks have the password and the certificate', needsHelm('openssl'), async (t) => {
  const root = Authority.root(t);
  const server = root.issue({ name: 'sip.example.com', alternative: 'DNS:sip.example.com' });
  const client = root.issue({ name: 'prometheus' });
  const web = `
tls_server_config:
  cert: ${JSON.stringify(server.cert)}
  key: ${JSON.stringify(server.key)}
  client_auth_type: RequireAndVerifyClientCert
  client_ca: ${JSON.stringify(root.ca)}
basic_auth_users: { prometheus: "${hashSync('right', 4)}" }`;
  const objects = render({ example: 'tls', values: { web: { port: await freePort() } } });
  const pod = startPod(t, workloadOf(objects), {
    ...configMap(objects),
    'sip-web': { 'web.yml': web },
    'sip-login': { username: 'prometheus', password: 'right' },
    'sip-client': { 'tls.crt': client.cert, 'tls.key': client.key },
  });
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const)
    await eventually(probe, () => pod.passes(probe));
  pod.update('sip-login', { username: 'prometheus', password: 'wrong' });
  assert.equal(await pod.passes('readinessProbe'), false);
  await pod.stop();
  pod.update('sip-login', { username: 'prometheus', password: 'right' });
  assert.equal(await pod.passes('readinessProbe'), false);
});

test('health checks follow HTTPS without a login', needsHelm('openssl'), async (t) => {
  const { cert, key } = Authority.root(t).issue({ name: 'sip.example.com' });
  const values = {
    web: { port: await freePort() },
    client: { basicAuthSecret: '', certificateSecret: '' },
  };
  const objects = render({ example: 'tls', values });
  const pod = startPod(t, workloadOf(objects), {
    ...configMap(objects),
    'sip-web': { 'web.yml': JSON.stringify({ tls_server_config: { cert, key } }) },
  });
  await eventually('a ready pod', () => pod.passes('readinessProbe'));
  const { httpGet } = Object(
    workloadOf(objects)['spec']?.['template']?.['spec']?.['containers']?.[0]?.['livenessProbe'],
  );
  assert.deepEqual(httpGet, { path: '/sip/-/healthy', port: 'http', scheme: 'HTTPS' });
});
