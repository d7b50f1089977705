import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Listing } from '../../../src/discovery/found.js';
import type { Entry } from '../../../src/kamailio/listed.js';
import { planSet, setsToChange } from '../../../src/kamailio/plan.js';
import { disagreementOf } from '../../../src/shared/kamailio.js';
import type { State } from '../../../src/shared/state.js';
import { listing, setOf } from '../../support/listings.js';

const VERDICTS: Readonly<Record<string, State>> = { u: 'up', d: 'down', '?': 'unknown' };

/** The destinations of a set, each with its verdict: `u`, `d`, `?`, or `-` for one that is not monitored. */
function entries(listings: readonly Listing[], verdicts: string): readonly Entry[] {
  return listings.map((one, i) => {
    const verdict = VERDICTS[verdicts.charAt(i)];
    const kind = verdict && disagreementOf(one.state, verdict);
    return {
      ...{ listing: one, state: one.state, name: verdict && `gw${i}` },
      disagreement: kind && { kind, sinceMs: 0 },
    };
  });
}

/** The steps as text: `gw0 active`. @param rejected those that Kamailio rejects. */
function steps(
  states: string,
  verdicts: string,
  { allowEmptySet = false, rejected = [] as readonly string[] } = {},
): readonly string[] {
  const all: string[] = [];
  const plan = planSet(entries(setOf('1', states), verdicts), allowEmptySet);
  let step = plan.next();
  while (step.done !== true) {
    const text = `${step.value.entry.name} ${step.value.state}`;
    all.push(text);
    step = plan.next(!rejected.includes(text));
  }
  return all;
}

describe('the plan for a set', () => {
  for (const [what, states, verdicts, expected] of [
    ['what is down and active becomes inactive', 'AA', 'du', ['gw0 inactive']],
    ['what is down and tried becomes inactive', 'TA', 'du', ['gw0 inactive']],
    ['what is up and inactive becomes active', 'IA', 'uu', ['gw0 active']],
    ['what agrees stays', 'AIA', 'udu', []],
    ['what is up and tried stays, because it is routed to', 'TA', 'uu', []],
    ['an unknown verdict changes nothing', 'AI', '??', []],
    ['what an operator has disabled stays so, up or down', 'DDA', 'udu', []],
    ['what is not monitored stays', 'AI', '--', []],
    ['the last active one stays', 'AI', 'dd', []],
    ['the only one stays', 'A', 'd', []],
    ['of several that are down, the first in the list stays', 'AAA', 'ddd', [2, 1]],
    ['one that is active and not monitored counts as active', 'A-', 'd-', []],
    ['an active one whose state is unknown counts as active', 'AA', 'd?', ['gw0 inactive']],
    ['a tried one counts as active', 'AT', 'du', ['gw0 inactive']],
    ['a disabled one does not count as active', 'AD', 'du', []],
    [
      'the last one is replaced when another comes back',
      'AI',
      'du',
      ['gw1 active', 'gw0 inactive'],
    ],
    [
      'activation comes first, wherever it is in the list',
      'IA',
      'ud',
      ['gw0 active', 'gw1 inactive'],
    ],
  ] as const) {
    test(`${what}: ${states} ${verdicts}`, () => {
      const texts = expected.map((step) =>
        typeof step === 'number' ? `gw${step} inactive` : step,
      );
      assert.deepEqual(steps(states.replace('-', ''), verdicts), texts);
    });
  }

  test('empties a set only if that is allowed', () => {
    assert.deepEqual(steps('AA', 'dd', { allowEmptySet: true }), ['gw1 inactive', 'gw0 inactive']);
    assert.deepEqual(steps('II', 'ud', { allowEmptySet: true }), ['gw0 active']);
  });

  test('keeps the last active one if Kamailio rejects the activation of another', () => {
    assert.deepEqual(steps('AI', 'du', { rejected: ['gw1 active'] }), ['gw1 active']);
  });

  test('counts one as active whose deactivation Kamailio rejects', () => {
    assert.deepEqual(steps('AAA', 'ddd', { rejected: ['gw2 inactive'] }), [
      ...['gw2 inactive', 'gw1 inactive', 'gw0 inactive'],
    ]);
  });

  test('decides each step when it is requested', () => {
    const set = entries(setOf('1', 'AAA'), 'ddu');
    const plan = planSet(set, false);
    assert.equal(plan.next().value?.entry.name, 'gw1');
    const [first] = set;
    assert.ok(first);
    first.disagreement = undefined;
    assert.equal(plan.next(true).done, true);
  });
});

describe('the call of a step', () => {
  const callsOf = (listings: readonly Listing[], verdicts: string) => {
    const plan = planSet(entries(listings, verdicts), true);
    const calls: unknown[] = [];
    for (let step = plan.next(); step.done !== true; step = plan.next(true)) {
      calls.push([step.value.call.method, step.value.call.params]);
    }
    return calls;
  };
  const uri = 'sip:192.0.2.1:5060;transport=udp';

  test('has the set as a number, the URI as listed, and the flag of its pings as it was', () => {
    const probed = { setid: '-3', uri, isProbed: true };
    const method = 'dispatcher.set_state';
    assert.deepEqual(callsOf([listing(probed)], 'd'), [[method, ['ip', -3, uri]]]);
    const unprobed = listing({ ...probed, state: 'inactive', isProbed: false });
    assert.deepEqual(callsOf([unprobed], 'u'), [[method, ['ax', -3, uri]]]);
  });

  test('names a further destination with the same URI by its duid', () => {
    const set = [listing({ uri, duid: 'a' }), listing({ uri, duid: 'b' })];
    assert.deepEqual(callsOf(set, 'ud'), [['dispatcher.set_duid_state', ['ip', 1, 'b']]]);
  });

  test('is not made for one that has no URI and no duid of its own', () => {
    const set = [listing({ uri, duid: 'a' }), listing({ uri, duid: 'a' }), listing({ uri })];
    assert.deepEqual(callsOf(set, 'udd'), []);
  });
});

test('only sets with a disagreement are changed, with all their destinations', () => {
  const all = entries([...setOf('1', 'AA'), ...setOf('2', 'AA'), ...setOf('3', 'IA')], 'uuduuu');
  const setids = setsToChange(all).map((set) => set.map(({ listing: { setid } }) => setid));
  assert.deepEqual(setids, [
    ['2', '2'],
    ['3', '3'],
  ]);
});
