import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PingView } from '../../../src/status/views.js';
import { pageModule } from '../../support/page.js';

const { kindOf, barAt, pingText, barsText } = await pageModule<{
  kindOf: (ping: PingView) => string;
  barAt: (share: number) => number;
  pingText: (ping: PingView & { target?: string | null }) => string;
  barsText: (pings: readonly PingView[]) => string;
}>('list/bars.js');
const { maximum, niceCeiling } = await pageModule<{
  maximum: (values: readonly (number | null)[]) => number | null;
  niceCeiling: (value: number) => number;
}>('list/sparkline.js');

const ALIVE: PingView = {
  ...{ at: null, reason: null, reason_text: null },
  ...{ sip_code: 200, rtt: 0.002, retransmissions: false },
};
const FAILED: PingView = {
  ...ALIVE,
  ...{
    reason: 'timeout',
    reason_text: 'no response within the timeout',
    sip_code: null,
    rtt: null,
  },
};

describe('the bar of a ping', () => {
  for (const [expected, ping] of [
    ['alive', ALIVE],
    ['slow', { ...ALIVE, retransmissions: true }],
    ['slow', { ...ALIVE, rtt: 0.5 }],
    ['failed', FAILED],
    ['failed', { ...FAILED, retransmissions: true }],
    ['local', { ...FAILED, reason: 'local' }],
  ] as const) {
    test(`is ${expected} for ${JSON.stringify(ping)}`, () => assert.equal(kindOf(ping), expected));
  }

  test('is explained in words', () => {
    assert.equal(pingText(ALIVE), '200 after 2.00 ms');
    assert.equal(pingText({ ...ALIVE, retransmissions: true }), '200 after 2.00 ms, retransmitted');
    assert.equal(
      pingText({ ...FAILED, target: 'udp 192.0.2.1:5060' }),
      'no response within the timeout (udp 192.0.2.1:5060)',
    );
  });

  test('is found by its place: the newest is at the right', () => {
    assert.equal(barAt(0.99), 0);
    assert.equal(barAt(0.96), 1);
    assert.equal(barAt(0), 39);
    assert.equal(barAt(1), 0, 'the right edge');
  });

  test('is counted in the sentence for all', () => {
    assert.equal(barsText([]), 'no pings yet');
    assert.equal(
      barsText([FAILED, ALIVE]),
      'last 2 pings: 1 failed, 0 slow or retransmitted; last failure no response within the timeout',
    );
  });
});

describe('the scale of round-trip times', () => {
  for (const [value, expected] of [
    [0.0017, 0.002],
    [0.002, 0.002],
    [0.3, 0.5],
    [0.51, 1],
    [7, 10],
  ] as const) {
    test(`for ${value} s ends at ${expected} s`, () => {
      assert.ok(Math.abs(niceCeiling(value) - expected) < 1e-9);
    });
  }

  test('is none without values', () => {
    assert.equal(maximum([null, null]), null);
    assert.equal(maximum([null, 1, 3, null]), 3);
  });
});
