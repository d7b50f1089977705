import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exposition } from '../../../src/metrics/exposition.js';
import { TEXT } from '../../../src/metrics/format.js';
import { RowLabels } from '../../../src/metrics/row-labels.js';
import { textRenderer } from '../../support/renderers.js';
import { settings } from '../../support/settings.js';
import { statusRig, TLS_PEER } from '../../support/status-rig.js';

async function render({ status }: ReturnType<typeof statusRig>): Promise<string> {
  let text = '';
  for await (const piece of exposition(
    { status, format: TEXT, rowLabels: new RowLabels(), hasExemplars: true },
    textRenderer(),
  ))
    text += piece;
  return text;
}

function has(text: string, ...lines: readonly string[]): void {
  for (const line of lines) assert.ok(text.includes(`\nsip_keepalive_${line}\n`), line);
}

describe('the metrics of a target over TLS', () => {
  const TARGET = 'destination="gw",transport="tls",address="192.0.2.1:5061"';
  const targets = [{ transport: 'tls', address: '192.0.2.1:5061' }] as const;

  test('have each phase of its connections, after the first one', async () => {
    const rig = statusRig();
    const { registered } = rig.add('gw', { targets });
    const [target] = registered.targets;
    assert.ok(target !== undefined);
    assert.doesNotMatch(await render(rig), /^sip_keepalive_connect_seconds_/m);
    rig.writer.recordConnect(target.slot, 'connect', 2_000);
    rig.writer.recordConnect(target.slot, 'tls', 40_000);
    has(
      await render(rig),
      `connect_seconds_count{${TARGET},phase="connect"} 1`,
      `connect_seconds_sum{${TARGET},phase="connect"} 0.002`,
      `connect_seconds_sum{${TARGET},phase="tls"} 0.04`,
    );
  });

  test('have its certificate, accepted or not, and omit unknown times', async () => {
    const rig = statusRig();
    const added = rig.add('gw', { targets });
    assert.doesNotMatch(await render(rig), /^sip_keepalive_tls_\w+\{/m);
    added.peer('', TLS_PEER);
    const info =
      'version="TLS 1.3",cipher="TLS_AES_256_GCM_SHA384",subject="CN=a",issuer="CN=ca",serialnumber="01",fingerprint_sha256="00ff"';
    has(
      await render(rig),
      `tls_certificate_not_before_timestamp_seconds{${TARGET}} 1600000000`,
      `tls_certificate_not_after_timestamp_seconds{${TARGET}} 1699999000`,
      `tls_certificate_chain_not_after_timestamp_seconds{${TARGET}} 1699998000`,
      `tls_certificate_verified{${TARGET}} 0`,
      `tls_info{${TARGET},${info}} 1`,
    );
    added.peer('', { ...TLS_PEER, isVerified: true, notAfterMs: Number.NaN });
    const text = await render(rig);
    has(text, `tls_certificate_verified{${TARGET}} 1`);
    assert.doesNotMatch(text, /^sip_keepalive_tls_certificate_not_after_timestamp_seconds\{/m);
  });
});

test('a target over TCP has no phase tls, and one over UDP no connections', async () => {
  const rig = statusRig();
  const { registered } = rig.add('gw', {
    targets: [
      { transport: 'tcp', address: '192.0.2.1:5060' },
      { transport: 'udp', address: '192.0.2.2:5060' },
    ],
  });
  for (const { slot } of registered.targets) rig.writer.recordConnect(slot, 'connect', 1_000);
  const counts = [
    ...(await render(rig)).matchAll(/^sip_keepalive_connect_seconds_count\{.*\} \d+$/gm),
  ].map(String);
  assert.equal(counts.length, 1);
  assert.match(counts[0] ?? '', /transport="tcp".*phase="connect"/);
});

test('a destination is draining while it is down with that reason', async () => {
  const rig = statusRig();
  const { become, ping, registered } = rig.add('gw');
  const draining = 'draining{destination="gw"}';
  assert.doesNotMatch(await render(rig), /^sip_keepalive_draining\{/m);
  become('up');
  has(await render(rig), `${draining} 0`);
  ping({ reason: 'draining', code: 503 });
  become('down', 'draining');
  const [target] = registered.targets;
  const labels = `destination="gw",transport="udp",address="${target?.address}"`;
  has(
    await render(rig),
    `${draining} 1`,
    `is_alive{destination="gw"} 2`,
    `ping_failures_total{${labels},reason="draining"} 1`,
    `ping_failures_total{${labels},reason="code"} 0`,
  );
  become('down', 'timeout');
  has(await render(rig), `${draining} 0`);
});

test('a destination with a name has the results of its lookups', async () => {
  const rig = statusRig();
  const { registered } = rig.add('gw', { uri: 'sip:a.example' });
  const { slot } = registered;
  rig.writer.recordResolution(slot, 1_500_000, true, 2);
  const label = '{destination="gw"}';
  has(
    await render(rig),
    `resolution_changes_total${label} 1`,
    `last_resolution_timestamp_seconds${label} 1500`,
    `resolution_stale${label} 0`,
    `targets_truncated${label} 2`,
  );
  rig.writer.recordResolutionFailure(slot, 'servfail', true, 1_600_000);
  has(
    await render(rig),
    'resolution_failures_total{destination="gw",reason="servfail"} 1',
    'resolution_failures_total{destination="gw",reason="nxdomain"} 0',
    `resolution_stale${label} 1`,
  );
});

test('SRV records, challenges and failovers are exposed only where they can occur', async () => {
  const rig = statusRig();
  const auth = { username: 'a', password: 'b', passwordFile: '', algorithms: [] } as never;
  const { registered } = rig.add('gw', {
    settings: settings({ auth, resolve: 'first' }),
    targets: [{ address: '192.0.2.1:5060', priority: 10, weight: 20 }],
  });
  rig.add('plain');
  const [target] = registered.targets;
  assert.ok(target !== undefined);
  rig.writer.recordChallenge(target.slot);
  rig.writer.recordFailover(target.slot);
  const labels = 'destination="gw",transport="udp",address="192.0.2.1:5060"';
  const text = await render(rig);
  has(
    text,
    `target_info{${labels},priority="10",weight="20"} 1`,
    `challenges_total{${labels}} 1`,
    `failovers_total{${labels}} 1`,
  );
  assert.doesNotMatch(
    text,
    /^sip_keepalive_(target_info|challenges_total|failovers_total)\{destination="plain"/m,
  );
});

test('the text of a thousand destinations is split into pieces of limited length', async () => {
  const rig = statusRig();
  for (let i = 0; i < 1_000; i++) rig.add(`gw ${i}`);
  const pieces: string[] = [];
  for await (const piece of exposition(
    { status: rig.status, format: TEXT, rowLabels: new RowLabels(), hasExemplars: true },
    textRenderer(),
  ))
    pieces.push(piece);
  assert.ok(pieces.length > 20);
  for (const { length } of pieces) assert.ok(length < 100_000);
  assert.ok(pieces.filter((piece) => piece === '').length >= 2, 'others run in between');
});
