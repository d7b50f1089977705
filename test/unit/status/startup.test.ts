import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Startup } from '../../../src/status/startup.js';
import { statusRig } from '../../support/status-rig.js';

test('the first list is in place once it is read and the pinger has each of its destinations', () => {
  const { status, clock, add } = statusRig();
  const startup = new Startup(status, clock);
  const { registered } = add('gw');
  assert.equal(startup.isDone, false, 'not read yet');
  startup.read();
  const { slot } = registered;
  Object.assign(registered, { slot: { ...slot, generation: 2 } });
  assert.equal(startup.isDone, false, 'the row is that of another destination');
  Object.assign(registered, { slot });
  assert.equal(startup.isDone, true);
  Object.assign(registered, { slot: { ...slot, generation: 3 } });
  assert.equal(startup.isDone, true, 'later destinations change nothing');
});

test('an empty list is in place once it is read', () => {
  const { status, clock } = statusRig();
  const startup = new Startup(status, clock);
  startup.read();
  assert.equal(startup.isDone, true);
});

test('a source that does not answer is waited for, but not for long', async () => {
  const { status, clock, add } = statusRig();
  const startup = new Startup(status, clock);
  add('gw');
  await clock.advanceSettling(9_999);
  assert.equal(startup.isDone, false);
  await clock.advanceSettling(1);
  assert.equal(startup.isDone, true);
});

test('a destination that the pinger does not take is not waited for without end', async () => {
  const { status, clock, add } = statusRig();
  const startup = new Startup(status, clock);
  const { registered } = add('gw');
  Object.assign(registered, { slot: { ...registered.slot, generation: 2 } });
  startup.read();
  await clock.advanceSettling(59_999);
  assert.equal(startup.isDone, false);
  await clock.advanceSettling(1);
  assert.equal(startup.isDone, true);
});
