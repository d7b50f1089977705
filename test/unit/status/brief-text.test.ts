import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BriefTexts } from '../../../src/status/brief-text.js';
import { briefView } from '../../../src/status/describe.js';
import { countStates } from '../../../src/status/state-counts.js';
import { settings } from '../../support/settings.js';
import { statusRig, TLS_PEER } from '../../support/status-rig.js';

const HOSTILE = '"\\\u0000\u001f\u2028\ud800</script>ä𝄞';
const UP = { state: 'up', run: 1 } as const;

/** A destination of every kind. */
function everyKind(rig: ReturnType<typeof statusRig>) {
  const two = { targets: [{ address: '192.0.2.1:5060' }, { address: '192.0.2.2:5060' }] };
  rig.add('new');
  rig.add('without addresses', { targets: [] });
  rig.add(HOSTILE, {
    ...{ uri: HOSTILE, module: HOSTILE, labels: { [HOSTILE]: HOSTILE }, owners: [HOSTILE, 'b'] },
  });
  const up = rig.add('up', two);
  up.ping({ rttMicros: 1 });
  up.ping({ rttMicros: 999_999 }, 1);
  up.become('up');
  const secure = rig.add('certificate');
  secure.peer('', TLS_PEER);
  secure.ping({ rttMicros: 100_000 });
  secure.become('up');
  const down = rig.add('down');
  down.peer(HOSTILE);
  down.ping({ reason: 'code', code: 503 });
  down.become('down', 'code');
  const draining = rig.add('draining');
  draining.ping({ reason: 'draining', code: 503 });
  draining.become('down', 'draining');
  const local = rig.add('local');
  local.peer('send: EPERM');
  local.ping({ reason: 'local', verdict: { state: 'unknown', run: 0 } });
  for (const [name, second] of [
    ['half down', 'timeout'],
    ['half draining', 'draining'],
  ] as const) {
    const half = rig.add(name, two);
    half.ping();
    half.ping({ reason: second }, 1);
    half.become('up');
  }
  const flaky = rig.add('flaky', two);
  flaky.ping({ rttMicros: 700_000, verdict: UP });
  flaky.ping({ reason: 'timeout', verdict: UP });
  flaky.ping({ verdict: UP }, 1);
  flaky.become('up');
  const failed = rig.add('up, but the last ping failed');
  failed.ping({ reason: 'timeout', verdict: UP });
  failed.become('up');
  const quick = rig.add('quick', { settings: settings({ intervalMs: 1_000, timeoutMs: 500 }) });
  quick.ping();
  quick.become('up');
}

test('the text of a brief view is its JSON', () => {
  const rig = statusRig();
  everyKind(rig);
  const texts = new BriefTexts();
  for (const wait of [0, 4_000, 3_600_000]) {
    rig.clock.advance(wait);
    for (const registered of rig.status.registry.all()) {
      const view = briefView(rig.status, registered);
      assert.equal(texts.of(registered.destination, view), JSON.stringify(view));
    }
  }
});

test('the text of a brief view has the owners and the destination that a reload has changed', () => {
  const rig = statusRig();
  const { registered } = rig.add('gw');
  const texts = new BriefTexts();
  const changed = { ...registered, owners: ['other'] };
  const relabelled = { ...changed, destination: { ...changed.destination, labels: { a: 'b' } } };
  for (const state of [registered, changed, registered, relabelled]) {
    const view = briefView(rig.status, state);
    assert.equal(texts.of(state.destination, view), JSON.stringify(view));
  }
});

test('the states are counted as the brief views have them', async () => {
  const rig = statusRig();
  everyKind(rig);
  for (const wait of [0, 4_000, 3_600_000]) {
    rig.clock.advance(wait);
    const expected = { down: 0, degraded: 0, unknown: 0, draining: 0, up: 0 };
    for (const registered of rig.status.registry.all()) {
      const { state, reason, degraded } = briefView(rig.status, registered);
      if (degraded !== null) expected.degraded++;
      else if (state === 'down' && reason === 'draining') expected.draining++;
      else expected[state]++;
    }
    assert.deepEqual(await countStates(rig.status), expected);
    assert.equal(expected.degraded > 0, wait < 3_600_000);
  }
});
