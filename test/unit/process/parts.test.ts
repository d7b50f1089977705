import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { readFlags } from '../../../src/config/flags.js';
import { load } from '../../../src/config/load.js';
import { httpServices } from '../../../src/http-services.js';
import { Listeners } from '../../../src/library-listeners.js';
import { joinParts } from '../../../src/parts.js';
import type { LogLine, PingReport } from '../../../src/shared/protocol.js';
import type { StateChange } from '../../../src/status/state-change.js';
import { FakeClock } from '../../support/fake-clock.js';
import { settings } from '../../support/settings.js';

function joined(t: TestContext) {
  const clock = new FakeClock();
  const args = ['--destination=192.0.2.1', '--dns.hosts_file=', '--shard=1', '--total-shards=2'];
  const flags = readFlags(args);
  const sources = { flags, env: {}, version: '1.2.3' };
  const loaded = load(sources);
  const logged: LogLine[] = [];
  const write = (line: LogLine) => void logged.push(line);
  const log = { write, writeAlways: write, setLevel: () => {} };
  const parts = joinParts({ version: '1.2.3', sources, loaded, log }, clock);
  t.after(() => parts.activeConfig.close());
  const services = httpServices(parts, { version: '1.2.3', logOutput: { dropped: 4 }, clock });
  return { parts, services, clock };
}

test('the parts do nothing until they are started', (t) => {
  const { parts, clock } = joined(t);
  assert.deepEqual([parts.registry.size, parts.supervisor.isReady, clock.pending], [0, false, 0]);
});

test('the HTTP side reads the configuration in force, the state and the counters', async (t) => {
  const { services, clock, parts } = joined(t);
  assert.equal(services.status.now(), clock.epoch());
  const { isAdminEnabled, probe, names } = services.settings();
  assert.deepEqual([isAdminEnabled, probe.isEnabled, names.externalUrl], [false, true, '']);
  assert.match(services.configText(), /"total-shards": 2/);
  assert.match(services.moduleText('default'), /ping_interval/);
  assert.equal(services.maxConnections, parts.connections.limit);
  const text = await services.exporterMetrics.text('text');
  assert.match(text, /sip_keepalive_exporter_log_lines_dropped_total 4/);
  assert.match(text, /version="1\.2\.3"/);
});

const DESTINATION = {
  ...{ name: 'a', uri: 'sip:192.0.2.1', module: 'default', labels: {} },
  settings: settings(),
};
const CHANGE: StateChange = {
  ...{ id: '1', destination: DESTINATION, owners: ['x'], from: 'unknown', to: 'up' },
  ...{ reason: undefined, detail: '', sipCode: undefined, atMs: 1_000 },
};
const PING: PingReport = {
  ...{ destination: { index: 0, generation: 1 }, transport: 'udp', address: '192.0.2.1:5060' },
  ...{ reason: undefined, code: 200, rttMicros: 1_500, atMs: 2_000 },
};

test('the functions of each owner are called only for the destinations of that owner', () => {
  const listeners = new Listeners(() => assert.fail(), {});
  const calls: unknown[] = [];
  listeners.set('a', 'x', { onStateChange: ({ state, code }) => calls.push(['x', state, code]) });
  listeners.set('a', 'y', { onResponse: ({ rtt, isAlive }) => calls.push(['y', rtt, isAlive]) });
  listeners.set('b', 'x', { onStateChange: () => calls.push('b') });
  listeners.reportChange(CHANGE);
  listeners.reportPing(DESTINATION, PING);
  listeners.reportPing(DESTINATION, { ...PING, reason: 'timeout', rttMicros: undefined });
  assert.deepEqual(calls, [
    ['x', 'up', 1],
    ['y', 0.0015, true],
    ['y', undefined, false],
  ]);
  listeners.delete('a', 'x');
  listeners.delete('a', 'y');
  listeners.delete('nothing', 'y');
  listeners.reportChange(CHANGE);
  listeners.reportPing(DESTINATION, PING);
  assert.equal(calls.length, 3);
});

test('a function that throws, at once or later, is logged, and the others are called', async () => {
  const logged: LogLine[] = [];
  const listeners = new Listeners((line) => logged.push(line), {});
  let calls = 0;
  const onStateChange = () => {
    throw new Error('at once');
  };
  listeners.set('a', 'x', { onStateChange });
  listeners.set('a', 'y', { onStateChange: async () => assert.fail('later') });
  listeners.set('a', 'z', { onStateChange: () => void calls++ });
  listeners.reportChange(CHANGE);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(calls, 1);
  assert.deepEqual(
    logged.map(({ event, fields }) => [event, /at once|later/.test(String(fields['error']))]),
    Array(2).fill(['listener_failed', true]),
  );
});
