import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeJson, eventName } from '../../../src/status/describe-change.js';
import type { StateChange } from '../../../src/status/state-change.js';
import { change } from '../../support/state-changes.js';

const made = (more: Partial<StateChange> = {}): StateChange => ({
  id: 'run-1',
  ...change('gw', { carrier: 'acme' }),
  ...more,
});

test('a change has the same JSON members as a destination', () => {
  assert.deepEqual(JSON.parse(changeJson(made({ detail: 'exactly this' }))), {
    ...{ id: 'run-1', event: 'dst-down', destination: 'gw', uri: 'sip:gw.example' },
    ...{ from: 'up', code: 2, state: 'down', reason: 'timeout' },
    ...{ reason_text: 'no response within the timeout', detail: 'exactly this' },
    ...{ at: '2023-11-14T22:13:20.000Z', module: 'default', owners: ['config'] },
    labels: { carrier: 'acme' },
  });
});

test('unknown values are null', () => {
  const text = changeJson(made({ to: 'up', reason: undefined }));
  const { code, reason, reason_text, detail } = JSON.parse(text) as Record<string, unknown>;
  assert.deepEqual([code, reason, reason_text, detail], [1, null, null, null]);
});

test('the event is named after the new state', () => {
  const names = (['up', 'down', 'unknown'] as const).map((to) => eventName(made({ to })));
  assert.deepEqual(names, ['dst-up', 'dst-down', 'dst-unknown']);
});

test('the text of a change is made once', () => {
  const one = made();
  assert.equal(changeJson(one), changeJson(one));
});
