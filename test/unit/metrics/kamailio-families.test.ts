import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exposition } from '../../../src/metrics/exposition.js';
import { OPENMETRICS, TEXT } from '../../../src/metrics/format.js';
import { beliefRows } from '../../../src/metrics/kamailio-families.js';
import { RowLabels } from '../../../src/metrics/row-labels.js';
import type { Belief } from '../../../src/status/beliefs.js';
import { beliefsOf } from '../../support/listings.js';
import { textRenderer } from '../../support/renderers.js';
import { statusRig } from '../../support/status-rig.js';

const NOW_MS = 1_700_000_000_000;

function rig(beliefs: readonly Partial<Belief>[]) {
  const { status, add } = statusRig();
  add('gw', { labels: { setid: '7' } });
  return { ...status, beliefs: beliefsOf(beliefs) };
}

async function samples(beliefs: readonly Partial<Belief>[]): Promise<readonly string[]> {
  const options = { status: rig(beliefs), rowLabels: new RowLabels(), hasExemplars: false };
  const selection = { groups: new Set(['kamailio'] as const), disabled: [] };
  let text = '';
  for await (const piece of exposition({ ...options, format: TEXT, selection }, textRenderer())) {
    text += piece;
  }
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

test('the state in a set is 1 and the others are 0; the labels of the user are left out', async () => {
  const labels = 'destination="gw",kamailio="proxy-a",setid="2"';
  assert.deepEqual(await samples([{ setid: '2', state: 'trying' }]), [
    `sip_keepalive_kamailio_state{${labels},state="active"} 0`,
    `sip_keepalive_kamailio_state{${labels},state="inactive"} 0`,
    `sip_keepalive_kamailio_state{${labels},state="disabled"} 0`,
    `sip_keepalive_kamailio_state{${labels},state="trying"} 1`,
  ]);
});

test('a disagreement has its kind and its age; the age is never negative', async () => {
  const of = async (sinceMs: number) => {
    const disagreement = { kind: 'routes_to_down', sinceMs } as const;
    return (await samples([{ disagreement }])).at(-1);
  };
  const name = 'sip_keepalive_kamailio_disagreement_seconds';
  const labels = 'destination="gw",kamailio="proxy-a",setid="1",kind="routes_to_down"';
  assert.equal(await of(NOW_MS - 90_500), `${name}{${labels}} 90.5`);
  assert.equal(await of(NOW_MS + 1_000), `${name}{${labels}} 0`);
});

test('a registration is 1 or 0, and has no set', async () => {
  const uac = { module: 'uac', setid: '' } as const;
  const name = 'sip_keepalive_kamailio_registered';
  const labels = '{destination="gw",kamailio="proxy-a"}';
  assert.deepEqual(await samples([{ ...uac, isRegistered: true }]), [`${name}${labels} 1`]);
  assert.deepEqual(await samples([{ ...uac, isRegistered: false }]), [`${name}${labels} 0`]);
});

test('a destination that is not monitored any more has no samples', async () => {
  assert.deepEqual(await samples([{ destination: 'gone' }]), []);
});

test('other work may run between batches of rows, and no Kamailio has no rows', () => {
  const rows = [...beliefRows(rig([{}, { setid: '2' }, { setid: '3' }]), OPENMETRICS, 2)];
  assert.deepEqual(
    rows.map((row) => row?.row.belief.setid),
    ['1', '2', undefined, '3'],
  );
  assert.deepEqual([...beliefRows(statusRig().status, TEXT, 2)], []);
});
