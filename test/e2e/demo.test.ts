import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { members } from '../../demo/fleet.js';
import { readConfig } from '../../src/config/config.js';
import { readFlags } from '../../src/config/flags.js';
import { sum } from '../support/exporter.js';
import { eventually, run } from '../support/process.js';

const DEMO = fileURLToPath(new URL('../../demo/main.js', import.meta.url));

test('the demo reports the expected state of every member of the fleet, and Ctrl-C stops it', async (t) => {
  const demo = run(t, process.execPath, [
    DEMO,
    '--web.listen-address=127.0.0.1:0',
    '--log.format=json',
  ]);
  const url = await eventually(
    'the exporter listens',
    () => /"url":"([^"]+)\/"/.exec(demo.output())?.[1],
  );
  const [, flags = ''] = /npm run demo -- (.*)/.exec(demo.output()) ?? [];
  const { upstream, web } = readConfig({
    flags: readFlags(flags.split(' ')),
    env: {},
    version: '1',
  });
  const { prometheus, alertmanager } = upstream;
  assert.deepEqual(
    [prometheus?.url, alertmanager?.url, web.isAdminEnabled],
    ['http://localhost:9090', 'http://localhost:9093', true],
    'the demo says how to have longer spans and silences',
  );
  const fleet = members(0).filter(({ name }) => demo.output().includes(`\n  ${name} `));
  assert.ok(fleet.length >= 10, demo.output());

  const metrics = await eventually('every member has a state', async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    const isKnown = fleet.every(
      ({ name }) => sum(text, 'sip_keepalive_up', { destination: name }) !== undefined,
    );
    return isKnown && text;
  });

  for (const { name, verdict, reason } of fleet) {
    const code = verdict === 'down' ? 2 : 1;
    assert.equal(sum(metrics, 'sip_keepalive_is_alive', { destination: name }), code, name);
    const alive = await (await fetch(`${url}/alive?destination=${name}`)).text();
    assert.equal(alive, `${code}\n`, name);
    if (verdict !== 'down') continue;
    const failures = sum(metrics, 'sip_keepalive_ping_failures_total', {
      destination: name,
      reason: reason ?? '',
    });
    assert.ok((failures ?? 0) > 0, `${name} fails for ${reason}`);
  }
  const closed = { destination: 'closed' };
  assert.equal(
    sum(metrics, 'sip_keepalive_ping_failures_total', { ...closed, reason: 'refused' }),
    sum(metrics, 'sip_keepalive_pings_total', closed),
    'a closed port is known from its first ping on',
  );

  // A terminal sends the signal to both processes; here the demo forwards it to the exporter.
  const ended = once(demo.child, 'exit', { signal: AbortSignal.timeout(60_000) });
  demo.child.kill('SIGTERM');
  await ended;
});
