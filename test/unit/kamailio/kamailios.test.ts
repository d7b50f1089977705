import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readConfig } from '../../../src/config/config.js';
import { readFlags } from '../../../src/config/flags.js';
import type { Listing } from '../../../src/discovery/found.js';
import { Kamailios } from '../../../src/kamailio/kamailios.js';
import type { HttpReply, HttpRequest, HttpSettings } from '../../../src/platform/http.js';
import { Faults } from '../../../src/shared/faults.js';
import type { LogLine } from '../../../src/shared/protocol.js';
import type { State } from '../../../src/shared/state.js';
import { FakeClock } from '../../support/fake-clock.js';
import { errorAnswer, resultAnswer } from '../../support/kamailio-answers.js';
import { listing, setOf } from '../../support/listings.js';

/** `held`: ok, once it is released. */
type Answer = 'ok' | 'error' | 'refused' | 'never' | 'held';
type Change = Readonly<Record<string, unknown>>;

/** The sources of these Kamailios, by default one that gets states. */
function sourcesOf(changes: readonly Change[] = [{}]) {
  const all = changes.map((change, i) => {
    return {
      url: `http://192.0.2.${i + 1}:5060/RPC`,
      kamailio: `proxy-${i}`,
      set_state: true,
      ...change,
    };
  });
  const content = { discovery: { kamailio_rpc: all } };
  return readConfig({ flags: readFlags([]), env: {}, version: '1', content }).sources;
}

/** Kamailios whose destinations are named `gw0`, `gw1` … by their indexes. */
function rig(changes?: readonly Change[]) {
  const clock = new FakeClock();
  const verdicts = new Map<string, State>();
  const calls: string[] = [];
  const lines: LogLine[] = [];
  const refreshed: string[] = [];
  const state = {
    ...{ answer: (_call: string): Answer => 'ok', inFlight: 0, maxInFlight: 0 },
    release: () => {},
  };
  const log = (line: LogLine) => void lines.push(line);
  const request = async (settings: HttpSettings, sent: HttpRequest, signal: AbortSignal) => {
    const { params } = JSON.parse(sent.body ?? '');
    const call = `${new URL(settings.url).hostname} ${params.join(' ')}`;
    calls.push(call);
    state.inFlight++;
    state.maxInFlight = Math.max(state.maxInFlight, state.inFlight);
    try {
      const answer = state.answer(call);
      if (answer === 'held') await new Promise<void>((resolve) => (state.release = resolve));
      return await reply(answer, signal);
    } finally {
      state.inFlight--;
    }
  };
  const kamailios = new Kamailios({
    ...{ request, log, clock, faults: new Faults({ now: () => clock.now(), log }) },
    verdict: (name) => verdicts.get(name) ?? 'unknown',
    nameOf: (uri) => (uri === 'sip:known' ? 'gw9' : undefined),
    refresh: async (source) => void refreshed.push(source),
  });
  const sources = sourcesOf(changes);
  kamailios.use(sources);
  /** Passes a list of the Kamailio with this number, and waits for the calls. */
  const list = async (listings: readonly Listing[], number = 0) => {
    const names = listings.map((_one, i) => `gw${i}`);
    const listedModules = ['dispatcher', 'uac'] as const;
    const name = sources[number]?.name ?? assert.fail();
    kamailios.listed(name, { found: [], remarks: [], listings, listedModules }, names);
    await clock.advanceSettling(0);
  };
  const become = async (name: string, verdict: State) => {
    verdicts.set(name, verdict);
    kamailios.changed(name);
    await clock.advanceSettling(0);
  };
  return { clock, verdicts, calls, lines, refreshed, state, kamailios, list, become };
}

async function reply(answer: Answer, signal: AbortSignal): Promise<HttpReply> {
  if (answer === 'refused') throw new Error('connect ECONNREFUSED');
  if (answer === 'never') {
    await new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')));
    });
  }
  await null;
  const isOk = answer !== 'error';
  const text = isOk ? resultAnswer('Ok.') : errorAnswer('State Update Failed');
  return {
    ...{ status: isOk ? 200 : 500, contentType: 'application/json', location: '' },
    body: Buffer.from(text),
  };
}

describe('what a Kamailio believes', () => {
  test('is known by destination and set, with a disagreement and its start', async () => {
    const { kamailios, verdicts, list, clock } = rig([{ set_state: false }]);
    verdicts.set('gw0', 'up').set('gw1', 'down').set('gw2', 'up');
    const atMs = clock.epoch();
    const set = [...setOf('1', 'AAI'), listing({ found: 0, setid: '2', duid: 'a' })];
    await list(set);
    assert.deepEqual(
      kamailios.of('gw0').map(({ kamailio, setid, duid }) => [kamailio, setid, duid]),
      [
        ['proxy-0', '1', ''],
        ['proxy-0', '2', 'a'],
      ],
    );
    const disagreements = () =>
      [...kamailios.all()].flatMap(({ destination, disagreement: one }) =>
        one === undefined ? [] : [[destination, one.kind, one.sinceMs - atMs]],
      );
    assert.deepEqual(disagreements(), [
      ['gw1', 'routes_to_down', 0],
      ['gw2', 'leaves_out_up', 0],
    ]);

    clock.advance(10_000);
    await list(set);
    assert.deepEqual(disagreements()[0], ['gw1', 'routes_to_down', 0], 'it goes on');
    verdicts.set('gw1', 'up').set('gw2', 'down');
    kamailios.changed('gw1');
    kamailios.changed('gw2');
    assert.deepEqual(disagreements(), []);
    verdicts.set('gw0', 'down');
    kamailios.changed('gw0');
    assert.deepEqual(disagreements(), [
      ['gw0', 'routes_to_down', 10_000],
      ['gw0', 'routes_to_down', 10_000],
    ]);
  });

  test('is also known of one that is disabled here, and monitored for another Kamailio', async () => {
    const { kamailios, verdicts, list, calls } = rig();
    verdicts.set('gw9', 'up');
    const disabled = listing({ found: undefined, uri: 'sip:known', state: 'disabled' });
    await list([disabled, { ...disabled, uri: 'sip:other' }, { ...disabled, state: 'inactive' }]);
    assert.deepEqual(
      [...kamailios.all()].map(({ destination, state }) => [destination, state]),
      [['gw9', 'disabled']],
    );
    assert.deepEqual(calls, []);
  });

  test('has registrations, which agree with every verdict', async () => {
    const { kamailios, verdicts, list, calls } = rig();
    verdicts.set('gw0', 'down');
    const uac = { module: 'uac', setid: '', isRegistered: true, isProbed: false } as const;
    await list([listing(uac)]);
    const [belief] = kamailios.of('gw0');
    assert.deepEqual(
      [belief?.module, belief?.isRegistered, belief?.disagreement],
      ['uac', true, undefined],
    );
    assert.deepEqual(calls, []);
  });

  test('is one belief for a destination that is in a set twice: that which is routed to', async () => {
    const { kamailios, list } = rig();
    await list([listing({ state: 'inactive' }), listing({ uri: 'sip:192.0.2.1;x' })]);
    assert.deepEqual(
      kamailios.of('gw0').map(({ state }) => state),
      ['active'],
    );
  });

  test('is dropped when its list could not be read for three refreshes and a timeout', async () => {
    const { kamailios, list, clock } = rig([{ refresh_interval: 10, timeout: 5 }]);
    await list(setOf('1', 'A'));
    clock.advance(35_000);
    assert.equal(kamailios.of('gw0').length, 1);
    clock.advance(1);
    assert.deepEqual([kamailios.of('gw0'), [...kamailios.all()]], [[], []]);
  });

  test('stays as it was for a list that could not be read', async () => {
    const { kamailios, list } = rig();
    await list(setOf('1', 'A'));
    const findings = { found: [], remarks: [], listings: [], listedModules: [] };
    kamailios.listed(sourcesOf()[0]?.name ?? '', findings, []);
    assert.equal(kamailios.of('gw0').length, 1);
  });
});

describe('a Kamailio with set_state', () => {
  test('gets each verdict once, with a log line and a count', async () => {
    const { kamailios, verdicts, list, calls, lines, state } = rig();
    verdicts.set('gw0', 'down').set('gw1', 'up').set('gw2', 'up');
    await list(setOf('1', 'AIA'));
    assert.deepEqual(calls, ['192.0.2.1 ap 1 sip:gw1', '192.0.2.1 ip 1 sip:gw0']);
    assert.equal(state.maxInFlight, 1);
    assert.deepEqual(kamailios.health(), [
      {
        ...{ kamailio: 'proxy-0', pingIntervalMs: 30_000, failures: 0 },
        statesSet: { active: 1, inactive: 1 },
      },
    ]);
    assert.deepEqual(lines.at(-1), {
      ...{ level: 'info', event: 'kamailio_state_set' },
      message: 'destination is set inactive in Kamailio',
      fields: {
        ...{ kamailio: 'proxy-0', destination: 'gw0', setid: '1', uri: 'sip:gw0' },
        ...{ state: 'inactive', from: 'active' },
      },
    });
    assert.deepEqual(
      [...kamailios.all()].map((one) => [one.state, one.disagreement]),
      [
        ['inactive', undefined],
        ['active', undefined],
        ['active', undefined],
      ],
    );
    await list(setOf('1', 'IAA'));
    assert.equal(calls.length, 2);
  });

  test('gets all states again after its restart', async () => {
    const { verdicts, list, calls } = rig();
    verdicts.set('gw0', 'down').set('gw1', 'up');
    await list(setOf('1', 'AA'));
    await list(setOf('1', 'IA'));
    await list(setOf('1', 'AA'));
    assert.deepEqual(calls, ['192.0.2.1 ip 1 sip:gw0', '192.0.2.1 ip 1 sip:gw0']);
  });

  test('is read again at once when a verdict contradicts it, and only then', async () => {
    const { verdicts, list, become, refreshed, calls } = rig();
    verdicts.set('gw0', 'up').set('gw1', 'up');
    await list(setOf('1', 'AA'));
    await become('gw1', 'unknown');
    await become('gw1', 'up');
    await become('elsewhere', 'down');
    assert.deepEqual(refreshed, []);
    await become('gw0', 'down');
    assert.equal(refreshed.length, 1);
    assert.deepEqual(calls, [], 'an operator may have disabled it since');
    await list(setOf('1', 'DA'));
    assert.deepEqual(calls, []);
  });

  test('gets no state without set_state', async () => {
    const { list, become, refreshed, calls } = rig([{ set_state: false }]);
    await list(setOf('1', 'AA'));
    await become('gw0', 'down');
    await list(setOf('1', 'AA'));
    assert.deepEqual([refreshed, calls], [[], []]);
  });

  test('gets a rejected state again at the next refresh; the failure is logged once', async () => {
    const { kamailios, verdicts, list, calls, lines, state } = rig();
    verdicts.set('gw0', 'down').set('gw1', 'down').set('gw2', 'up');
    state.answer = (call) => (call.endsWith('gw1') ? 'error' : 'ok');
    await list(setOf('1', 'AAA'));
    assert.deepEqual(calls, ['192.0.2.1 ip 1 sip:gw1', '192.0.2.1 ip 1 sip:gw0']);
    const failed = () => lines.filter(({ event }) => event === 'kamailio_set_state_failed');
    assert.equal(
      failed()[0]?.fields['error'],
      'dispatcher.set_state: expected a result, got the error "State Update Failed"',
    );
    await list(setOf('1', 'IAA'));
    await list(setOf('1', 'IAA'));
    assert.deepEqual([kamailios.health()[0]?.failures, failed().length], [3, 2]);
    state.answer = () => 'ok';
    await list(setOf('1', 'IAA'));
    assert.deepEqual(kamailios.health()[0]?.statesSet, { active: 0, inactive: 2 });
  });

  test('is left alone until the next refresh when it does not answer', async () => {
    const { kamailios, verdicts, list, calls, state } = rig();
    verdicts.set('gw0', 'down').set('gw1', 'down').set('gw2', 'up');
    state.answer = () => 'refused';
    await list(setOf('1', 'AAA'));
    assert.deepEqual([calls.length, kamailios.health()[0]?.failures], [1, 1]);
    await list(setOf('1', 'AAA'));
    assert.equal(calls.length, 2);
  });

  test('is read again after its states are set if its list or a verdict changed meanwhile', async () => {
    const { verdicts, list, become, refreshed, state, calls, clock } = rig();
    verdicts.set('gw0', 'down').set('gw1', 'up').set('gw2', 'up');
    state.answer = () => 'held';
    await list(setOf('1', 'AAA'));
    await list(setOf('1', 'AAA'));
    await become('gw1', 'down');
    assert.deepEqual([calls.length, refreshed.length], [1, 0]);
    state.release();
    for (let i = 0; i < 3; i++) await clock.advanceSettling(0);
    assert.equal(refreshed.length, 1);
    state.answer = () => 'ok';
    await list(setOf('1', 'IAA'));
    assert.deepEqual(calls.slice(-1), ['192.0.2.1 ip 1 sip:gw1']);
  });

  test('that hangs delays no other', async () => {
    const { verdicts, list, calls, state } = rig([{}, {}]);
    verdicts.set('gw0', 'down').set('gw1', 'up');
    state.answer = (call) => (call.startsWith('192.0.2.1 ') ? 'never' : 'ok');
    await list(setOf('1', 'AA'), 0);
    await list(setOf('1', 'AA'), 1);
    assert.deepEqual(calls, ['192.0.2.1 ip 1 sip:gw0', '192.0.2.2 ip 1 sip:gw0']);
  });

  test('gets no state any more after a stop', async () => {
    const { kamailios, verdicts, list, calls, state, lines, refreshed, become } = rig();
    verdicts.set('gw0', 'down').set('gw1', 'down').set('gw2', 'up');
    state.answer = () => 'never';
    await list(setOf('1', 'AAA'));
    kamailios.close();
    await list(setOf('1', 'AAA'));
    await become('gw2', 'down');
    assert.deepEqual([calls.length, refreshed, lines], [1, [], []]);
  });

  test('stops getting states when its settings or its source are removed', async () => {
    const { kamailios, verdicts, list, calls } = rig();
    verdicts.set('gw0', 'down').set('gw1', 'up');
    const [kept, other] = sourcesOf([{}, {}]);
    assert.ok(kept && other);
    kamailios.use([kept, other]);
    assert.equal(kamailios.health().length, 2);
    kamailios.use(sourcesOf([{ set_state: false }]));
    await list(setOf('1', 'AA'));
    assert.deepEqual(calls, []);
    assert.equal(kamailios.of('gw0')[0]?.disagreement?.kind, 'routes_to_down');
    kamailios.use([]);
    assert.deepEqual([kamailios.health(), kamailios.of('gw0')], [[], []]);
    await list(setOf('1', 'AA'));
    assert.deepEqual(calls, []);
  });

  test('is compared in slices when its list is long', async () => {
    const { kamailios, verdicts, list, clock, refreshed } = rig();
    verdicts.set('gw0', 'up');
    await list([...setOf('1', 'A'.repeat(1_200))]);
    verdicts.set('gw0', 'down');
    kamailios.changed('gw0');
    for (let i = 0; i < 5; i++) await clock.advanceSettling(0);
    assert.equal([...kamailios.all()].length, 1_200);
    assert.equal(refreshed.length, 1);
  });
});
