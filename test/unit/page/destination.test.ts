import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RangeView } from '../../../src/status/page-views.js';
import { pageModule } from '../../support/page.js';

interface Target {
  readonly state: string;
  readonly pings: number;
  readonly reason: string | null;
  readonly reason_text: string | null;
  readonly detail: string | null;
  readonly sip_code: number | null;
}

interface Lasting {
  readonly state: string;
  readonly since: string | null;
}

const { noExchangeText, lastingText } = await pageModule<{
  noExchangeText: (target: Target) => string;
  lastingText: (
    target: Lasting,
    destination: Lasting & { readonly targets_total: number },
    now: number,
  ) => string;
}>('destination/target-card.js');
const { messageSummary } = await pageModule<{ messageSummary: (message: string) => string }>(
  'destination/ladder.js',
);

const FRESH: Target = {
  ...{ state: 'unknown', pings: 0, reason: null, reason_text: null, detail: null, sip_code: null },
};

describe('a target says how long it has been in its state', () => {
  const at = (minute: number) => `2026-01-01T00:0${minute}:00.000Z`;
  const now = Date.parse(at(9));
  const down = (minute: number) => ({ state: 'down', since: at(minute) });

  for (const [title, target, destination, expected] of [
    ['by itself', down(3), { ...down(4), targets_total: 2 }, ' for 6 min'],
    [
      'as its destination was before a restart',
      down(4),
      { ...down(3), targets_total: 1 },
      ' for 6 min',
    ],
    ['at least, with others', down(4), { ...down(3), targets_total: 2 }, ' for at least 5 min'],
    [
      'by itself when it is up',
      { ...down(4), state: 'up' },
      { ...down(3), targets_total: 1 },
      ' for 5 min',
    ],
    [
      'not before its first ping',
      { state: 'unknown', since: null },
      { ...down(3), targets_total: 1 },
      '',
    ],
  ] as const) {
    test(title, () => assert.equal(lastingText(target, destination, now), expected));
  }
});

describe('a target without a known exchange', () => {
  test('has sent nothing before its first ping has ended', () => {
    assert.equal(noExchangeText(FRESH), 'Nothing sent yet.');
  });

  test('says why it could not send', () => {
    const refused = {
      state: 'down',
      pings: 71,
      reason: 'tls',
      reason_text: 'TLS handshake failed',
    };
    assert.equal(
      noExchangeText({ ...FRESH, ...refused }),
      'No request is known to have been sent: TLS handshake failed.',
    );
  });

  test('does not say so when its pings are answered', () => {
    const text = noExchangeText({ ...FRESH, state: 'up', pings: 3, sip_code: 200 });
    assert.equal(text, 'Its messages are not known now.');
  });
});

describe('a message in a ladder', () => {
  for (const [message, expected] of [
    ['OPTIONS sip:gw SIP/2.0\r\nVia: x\r\n\r\n', 'OPTIONS'],
    ['SIP/2.0 503 Service Unavailable\r\n\r\n', '503 Service Unavailable'],
    ['', ''],
  ] as const) {
    test(`is called ${JSON.stringify(expected)}`, () => {
      assert.equal(messageSummary(message), expected);
    });
  }
});

const { dataSince } = await pageModule<{
  dataSince: (quarter: RangeView, day: RangeView) => number | null;
}>('destination/data-since.js');

describe('the data of Prometheus', () => {
  const hour = (n: number) => new Date(n * 3_600_000).toISOString();
  const range = (step: number, ...points: readonly (readonly [number, number | null])[]) => ({
    ...{ step, at: points.map(([n]) => hour(n)), rtt: points.map(() => null) },
    availability: points.map(([, share]) => share),
  });
  const day = range(300, [76, null], [100, 0]);

  for (const [title, quarter, ofDay, expected] of [
    ['begin within the day', range(21_600, [94, null], [100, 0]), day, hour(100 - 1 / 12)],
    ['begin before a gap in the day', range(21_600, [16, null], [22, 1], [100, 0]), day, hour(16)],
    ['begin in the last hour', range(21_600, [94, null]), day, hour(100 - 1 / 12)],
    ['ended before the day', range(21_600, [22, 1]), range(300, [76, null]), hour(16)],
  ] as const) {
    test(title, () => assert.equal(dataSince(quarter, ofDay), Date.parse(expected)));
  }

  test('may be none', () => {
    assert.equal(dataSince(range(21_600, [22, null]), range(300, [76, null])), null);
  });
});
