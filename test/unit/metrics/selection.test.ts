import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../../src/config/config.js';
import { readFlags } from '../../../src/config/flags.js';
import { CONNECTION_FAMILIES } from '../../../src/metrics/connection-families.js';
import { exporterMetrics } from '../../../src/metrics/exporter-metrics.js';
import {
  DESTINATION_FAMILIES,
  PINGER_FAMILIES,
  TARGET_FAMILIES,
} from '../../../src/metrics/families.js';
import { KAMAILIO_FAMILIES } from '../../../src/metrics/kamailio-families.js';
import { RESOLUTION_FAMILIES } from '../../../src/metrics/resolution-families.js';
import { EVERYTHING, groupsOf, selected } from '../../../src/metrics/selection.js';
import { FAMILY_NAMES } from '../../../src/shared/family-names.js';
import { IDLE_FACTS } from '../../support/idle-app.js';

test('every family can be named in settings, and no others', async () => {
  const own = await exporterMetrics(() => IDLE_FACTS).text('text');
  const names = [...own.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
  const isOurs = (name: string) => name.startsWith('sip_keepalive_');
  const namesOf = (families: readonly { readonly name: string }[]) =>
    families.map(({ name }) => name);
  assert.deepEqual(FAMILY_NAMES, {
    destinations: namesOf(DESTINATION_FAMILIES),
    names: namesOf(RESOLUTION_FAMILIES),
    targets: namesOf(TARGET_FAMILIES),
    connections: namesOf(CONNECTION_FAMILIES),
    kamailio: namesOf(KAMAILIO_FAMILIES),
    exporter: names.filter(isOurs),
    pinger: namesOf(PINGER_FAMILIES),
    process: FAMILY_NAMES.process,
  });
  const processNames = names.filter((name) => !isOurs(name));
  assert.deepEqual([...FAMILY_NAMES.process].sort(), processNames.sort());
});

test('flags, environment and file name families to leave out and labels to keep', () => {
  const read = (args: readonly string[], env = {}) =>
    readConfig({ flags: readFlags(args), env, version: '0' }).metrics;
  const { disabled, keptLabels, droppedLabels } = read([]);
  assert.deepEqual([disabled, keptLabels, droppedLabels], [[], undefined, undefined]);
  const [a, b] = ['sip_keepalive_rtt_seconds', 'nodejs_gc_duration_seconds'] as const;
  assert.deepEqual(read([`--metrics.disable=${a}`, '--metrics.disable', b]).disabled, [a, b]);
  assert.deepEqual(read([], { SIP_KEEPALIVE_METRICS_DISABLE: `${a} ${b}` }).disabled, [a, b]);
  assert.deepEqual(read(['--metrics.labels.drop=a.b']).droppedLabels, ['a.b']);
  const none = readConfig({
    ...{ flags: readFlags([]), env: {}, version: '0' },
    content: { metrics: { labels: { keep: [] } } },
  });
  assert.deepEqual(none.metrics.keptLabels, [], 'none is kept');
});

test('a group is selected as a whole, without the families that are left out', () => {
  const selection = {
    groups: groupsOf(['targets']) ?? assert.fail('no group'),
    disabled: ['sip_keepalive_rtt_seconds'],
  } as const;
  assert.deepEqual(selected(selection, 'destinations', DESTINATION_FAMILIES), []);
  const names = selected(selection, 'targets', TARGET_FAMILIES).map(({ name }) => name);
  assert.equal(names.length, TARGET_FAMILIES.length - 1);
  assert.ok(!names.includes('sip_keepalive_rtt_seconds'));
  assert.equal(selected(EVERYTHING, 'targets', TARGET_FAMILIES), TARGET_FAMILIES);
  assert.equal(groupsOf(['targets', 'toString']), undefined);
});
