import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL, incidentsRig } from '../../support/incidents-rig.js';
import { change } from '../../support/state-changes.js';

const HOUR_MS = 3_600_000;

test('an incident begins when a destination is down and ends when it is up', () => {
  const { become, fake, views, clock } = incidentsRig();
  become('a', 'up', { from: 'unknown' });
  assert.deepEqual(views(), [], 'the first state, and it is up');
  const began_at = new Date(clock.epoch()).toISOString();
  const { destination } = change('a', { carrier: 'acme' });
  const more = { destination, reason: 'code', detail: 'answered with 503', sipCode: 503 } as const;
  become('a', 'down', more);
  fake.advance(1_500);
  const facts = {
    ...{
      id: clock.epoch() - 1_500,
      destination: 'a',
      uri: 'sip:a.example',
      state: 'down',
      began_at,
    },
    ...{ reason: 'code', detail: 'answered with 503', sip_code: 503 },
    reason_text: 'answered with a status code that does not count as alive',
    ...{ module: 'default', owners: ['config'], labels: { carrier: 'acme' } },
  };
  const open = { ended_at: null, duration: 1.5, ended_by: null };
  assert.deepEqual(views(), [{ ...facts, ...open }]);
  fake.advance(500);
  become('a', 'up', { destination, from: 'down' });
  fake.advance(60_000);
  const ended_at = new Date(clock.epoch() - 60_000).toISOString();
  assert.deepEqual(views(), [{ ...facts, ended_at, duration: 2, ended_by: 'up' }]);
});

test('the first state of a destination begins an incident only if it is down', () => {
  const { become, short } = incidentsRig();
  become('a', 'up', { from: 'unknown' });
  become('b', 'down', { from: 'unknown' });
  assert.deepEqual(short(), ['b down 0 null']);
});

test('between down and unknown one incident ends and another begins; the same state again changes nothing', () => {
  const { become, fake, short } = incidentsRig();
  become('a', 'unknown');
  fake.advance(1_000);
  become('a', 'down', { from: 'unknown' });
  fake.advance(1_000);
  become('a', 'down', { from: 'unknown', reason: 'refused' });
  fake.advance(1_000);
  become('a', 'unknown', { from: 'down' });
  fake.advance(1_000);
  become('a', 'up', { from: 'unknown' });
  assert.deepEqual(short(), ['a unknown 1 down', 'a down 2 unknown', 'a unknown 1 up']);
});

test('the begin of an incident that lasts is that of its state and its URI', () => {
  const { become, incidents, fake, clock } = incidentsRig();
  const { destination } = change('a');
  const atMs = clock.epoch();
  become('a', 'down');
  fake.advance(1_000);
  assert.equal(incidents.beganAtMs(destination, 'down'), atMs);
  assert.equal(incidents.beganAtMs(destination, 'unknown'), undefined);
  assert.equal(incidents.beganAtMs({ ...destination, uri: 'sip:b.example' }, 'down'), undefined);
  become('a', 'up', { from: 'down' });
  assert.equal(incidents.beganAtMs(destination, 'down'), undefined);
});

test('a destination that is removed, or replaced by one with another URI, ends its incident', () => {
  const { become, incidents, fake, short } = incidentsRig();
  for (const name of ['a', 'b', 'c']) become(name, 'down');
  fake.advance(3_000);
  incidents.removed([change('a'), change('nobody')]);
  const other = { ...change('b').destination, uri: 'sip:other.example' };
  become('b', 'down', { from: 'unknown', destination: other });
  assert.deepEqual(short(), [
    'a down 3 removed',
    'b down 3 removed',
    'c down 3 null',
    'b down 0 null',
  ]);
});

test('a clock that is set back an hour or forward a day changes no duration, and ids increase', () => {
  const { become, fake, short, setClock, views } = incidentsRig();
  for (const byMs of [-HOUR_MS, 24 * HOUR_MS]) {
    become('a', 'down');
    become('b', 'down');
    setClock(byMs);
    fake.advance(5_000);
    become('a', 'up', { from: 'down' });
    become('b', 'unknown', { from: 'down' });
  }
  assert.deepEqual(short(), [
    ...['a down 5 up', 'b down 5 unknown', 'b unknown 0 down'],
    ...['a down 5 up', 'b down 5 unknown', 'b unknown 0 null'],
  ]);
  const ids = views().map(({ id }) => id);
  assert.deepEqual(
    ids,
    [...new Set(ids)].toSorted((a, b) => b - a),
  );
});

test('each condition of a query selects, and pages have every incident once', () => {
  const { become, incidents } = incidentsRig();
  for (let i = 0; i < 25; i++) {
    const made = change(`d${i % 5}`, { carrier: i % 2 === 0 ? 'acme' : 'other', site: `${i % 3}` });
    become(made.destination.name, i % 4 === 0 ? 'unknown' : 'down', {
      ...{ destination: made.destination, owners: [i < 10 ? 'config' : 'rpc'] },
    });
    if (i < 20) become(made.destination.name, 'up', { destination: made.destination });
  }
  const ids = (query: object) =>
    incidents.list({ ...ALL, ...query }).incidents.map(({ id }) => id - firstId);
  const firstId = incidents.list(ALL).incidents.at(-1)?.id ?? 0;
  const where = (isSo: (i: number) => boolean) =>
    Array.from({ length: 25 }, (_, i) => 24 - i).filter(isSo);
  assert.deepEqual(
    ids({}),
    where(() => true),
  );
  assert.deepEqual(
    ids({ destination: 'd3' }),
    where((i) => i % 5 === 3),
  );
  assert.deepEqual(
    ids({ destination: 'sip:d3.example' }),
    where((i) => i % 5 === 3),
  );
  assert.deepEqual(ids({ destination: 'nobody' }), []);
  assert.deepEqual(
    ids({ labels: [['carrier', 'acme']] }),
    where((i) => i % 2 === 0),
  );
  const both = [
    ['carrier', 'acme'],
    ['site', '1'],
  ] as const;
  assert.deepEqual(
    ids({ labels: both }),
    where((i) => i % 2 === 0 && i % 3 === 1),
  );
  assert.deepEqual(ids({ labels: [['nothing', '']] }).length, 25);
  assert.deepEqual(ids({ labels: [['__proto__', 'x']] }), []);
  assert.deepEqual(
    ids({ owner: 'rpc' }),
    where((i) => i >= 10),
  );
  assert.deepEqual(
    ids({ state: 'unknown' }),
    where((i) => i % 4 === 0),
  );
  assert.deepEqual(
    ids({ isOpen: true }),
    where((i) => i >= 20),
  );
  assert.deepEqual(
    ids({ isOpen: false }),
    where((i) => i < 20),
  );
  assert.deepEqual(
    ids({ words: ['d3.ex', 'acm', 'site=1'] }),
    where((i) => i % 5 === 3 && i % 2 === 0 && i % 3 === 1),
  );
  assert.deepEqual(ids({ words: ['d3', 'nobody'] }), []);
  const paged: number[] = [];
  let before: number | undefined;
  do {
    const { incidents: page, next } = incidents.list({ ...ALL, limit: 7, before });
    paged.push(...page.map(({ id }) => id - firstId));
    before = next ?? undefined;
  } while (before !== undefined);
  assert.deepEqual(
    paged,
    where(() => true),
  );
});

test('words find an incident by its state as the page shows it, its reason, SIP code, owner and module', () => {
  const { become, incidents } = incidentsRig();
  become('a', 'down', { reason: 'draining' });
  become('b', 'down', { reason: 'code', detail: 'Service Unavailable', sipCode: 503 });
  become('c', 'unknown', { owners: ['billing'] });
  const found = (...words: string[]) =>
    incidents.list({ ...ALL, words }).incidents.map(({ destination }) => destination);
  assert.deepEqual(found('draining'), ['a']);
  assert.deepEqual(found('down'), ['b']);
  assert.deepEqual(found('503', 'service'), ['b']);
  assert.deepEqual(found('billing', 'unknown', 'default'), ['c']);
});

test('every open incident is kept, the 10,000 that ended last are too, and the others are counted', () => {
  const { become, incidents, fake } = incidentsRig();
  become('long', 'down');
  for (let i = 0; i < 10_050; i++) {
    become(`d${i}`, 'down');
    fake.advance(1);
    become(`d${i}`, 'up', { from: 'down' });
  }
  const { incidents: views, total, dropped, next } = incidents.list(ALL);
  assert.deepEqual(
    [views.length, total, dropped, incidents.dropped, next],
    [10_001, 10_001, 50, 50, null],
  );
  assert.equal(views.at(-1)?.destination, 'long');
  assert.equal(views.at(-2)?.destination, 'd50');
  assert.equal(incidents.list(ALL).oldest, views.at(-1)?.began_at);
});

test('without incidents a list is empty', () => {
  const { incidents } = incidentsRig();
  const empty = { incidents: [], total: 0, dropped: 0, oldest: null, next: null };
  assert.deepEqual(incidents.list(ALL), empty);
});

test('a detail is one line of at most 1,000 characters', () => {
  const { become, views } = incidentsRig();
  become('a', 'down', { detail: `${'x'.repeat(999)}\u202e${'y'.repeat(999_000)}` });
  assert.equal(views()[0]?.detail, `${'x'.repeat(999)}?`);
});
