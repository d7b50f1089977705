import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DebugLog } from '../../../src/pinger/debug/debug-log.js';
import { debugSettings } from '../../../src/shared/debug-settings.js';
import type { LogLine } from '../../../src/shared/protocol.js';

const TRUNK = { name: 'trunk', uri: 'sip:trunk.example' };
const OTHER = { name: 'other', uri: 'sip:192.0.2.1' };
const LINE: LogLine = {
  level: 'debug',
  event: 'sip_sent',
  message: 'SIP message sent',
  fields: {},
};

function setUp() {
  const batches: (readonly LogLine[])[] = [];
  const waiting: (() => void)[] = [];
  const clock = { ms: 0 };
  const debug = new DebugLog({
    now: () => clock.ms,
    afterReads: (callback) => waiting.push(callback),
    post: (lines) => batches.push(lines),
  });
  const endTick = () => {
    for (const callback of waiting.splice(0)) callback();
  };
  return { debug, batches, clock, endTick };
}

test('log.level decides what is written while no destination is chosen', () => {
  const { debug } = setUp();
  const seen = (['info', 'debug', 'trace'] as const).map((level) => {
    debug.configure(debugSettings(level, []));
    return [
      debug.isOn,
      debug.isForAll,
      debug.isTrace,
      debug.covers(TRUNK),
      debug.covers(undefined),
    ];
  });
  assert.deepEqual(seen, [
    [false, false, false, false, false],
    [true, true, false, true, true],
    [true, true, true, true, true],
  ]);
});

test('a chosen destination, by name or by URI, has lines at every log level, and no other has', () => {
  const { debug } = setUp();
  for (const name of ['trunk', 'sip:trunk.example', 'trunk.example']) {
    debug.configure(debugSettings('warn', [name]));
    assert.deepEqual(
      [debug.isOn, debug.isForAll, debug.covers(TRUNK), debug.covers(OTHER)],
      [true, false, true, false],
      name,
    );
    assert.equal(debug.covers(undefined), false);
  }
});

test('the text of log.destination need not be a URI', () => {
  assert.deepEqual(debugSettings('info', ['a name']).destinations, ['a name']);
});

test('DNS lines are those of hosts of chosen destinations', () => {
  const { debug } = setUp();
  debug.configure(debugSettings('info', ['trunk']));
  debug.addHost(TRUNK, 'proxy.example');
  debug.addHost(OTHER, 'other.example');
  assert.deepEqual(
    ['proxy.example', 'other.example'].map((host) => debug.coversHost(host)),
    [true, false],
  );
  debug.configure(debugSettings('debug', []));
  assert.equal(debug.coversHost('other.example'), true);
  debug.configure(debugSettings('info', []));
  assert.equal(debug.coversHost('proxy.example'), false);
});

test('the lines of one tick of the event loop are sent in one message', () => {
  const { debug, batches, endTick } = setUp();
  debug.write(LINE);
  debug.write(LINE);
  assert.equal(batches.length, 0);
  endTick();
  debug.write(LINE);
  endTick();
  assert.deepEqual(
    batches.map((lines) => lines.length),
    [2, 1],
  );
});

test('lines beyond the limit of a second are dropped and counted', () => {
  const { debug, batches, clock, endTick } = setUp();
  for (let i = 0; i < 10_003; i++) debug.write(LINE);
  endTick();
  assert.equal(batches[0]?.length, 10_000);
  clock.ms = 1000;
  debug.write(LINE);
  endTick();
  assert.deepEqual(
    batches[1]?.map(({ event, fields }) => [event, fields['lines']]),
    [
      ['debug_lines_dropped', 3],
      ['sip_sent', undefined],
    ],
  );
  assert.equal(debug.written, 10_004);
});

test('whole messages beyond the limit of a second are dropped', () => {
  const { debug, batches, endTick } = setUp();
  const whole: LogLine = { ...LINE, fields: { content: 'x'.repeat(1 << 20) } };
  for (let i = 0; i < 10; i++) debug.write(whole);
  endTick();
  assert.equal(batches[0]?.length, 8);
});
