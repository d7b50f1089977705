import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UriError } from '../../../src/shared/uri.js';
import { destinationView } from '../../../src/status/describe.js';
import { bestOf, find } from '../../../src/status/find.js';
import { statusRig } from '../../support/status-rig.js';

describe('a destination is found', () => {
  const { status, add } = statusRig();
  add('gw', { uri: 'sip:192.0.2.1' });
  add('gw tls', { uri: 'sip:192.0.2.1;transport=tls' });
  add('one', { uri: 'sip:a.example' });
  add('two', { uri: 'sip:a.example' });
  add('sip:192.0.2.9', { uri: 'sip:192.0.2.8' });
  const names = (text: string) => find(status, text).map(({ destination }) => destination.name);

  for (const [text, ...expected] of [
    ['gw', 'gw'],
    ['192.0.2.1', 'gw'],
    ['SIP:192.0.2.1:5060', 'gw'],
    ['sip:192.0.2.1:5061;transport=tls', 'gw tls'],
    ['sip:A.example', 'one', 'two'],
    ['sip:192.0.2.9', 'sip:192.0.2.9'],
    ['sip:192.0.2.77'],
  ] as const) {
    test(`by ${text}: ${expected.join(' and ') || 'none'}`, () => {
      assert.deepEqual(names(text), expected);
    });
  }

  test('by neither a name nor a URI: that is an error', () => {
    assert.throws(() => names('http://x'), UriError);
  });
});

test('of several destinations one that is up is the best, then one that is unknown', () => {
  const { status, add } = statusRig();
  const views = (['down', 'unknown', 'up'] as const).map((state) => {
    const added = add(state);
    if (state === 'up') added.ping();
    if (state === 'down') added.ping({ reason: 'timeout' });
    if (state !== 'unknown') added.become(state);
    return destinationView(status, added.registered);
  });
  const [down, unknown, up] = views;
  assert.equal(bestOf(views), up);
  assert.equal(bestOf([down, unknown].flatMap((view) => view ?? [])), unknown);
  assert.equal(bestOf([down].flatMap((view) => view ?? [])), down);
  assert.equal(bestOf([]), undefined);
});
