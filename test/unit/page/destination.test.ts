import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pageModule } from '../../support/page.js';

interface Target {
  readonly state: string;
  readonly pings: number;
  readonly reason: string | null;
  readonly reason_text: string | null;
  readonly detail: string | null;
  readonly sip_code: number | null;
}

const { noExchangeText } = await pageModule<{ noExchangeText: (target: Target) => string }>(
  'destination/target-card.js',
);
const { messageSummary } = await pageModule<{ messageSummary: (message: string) => string }>(
  'destination/ladder.js',
);

const FRESH: Target = {
  ...{ state: 'unknown', pings: 0, reason: null, reason_text: null, detail: null, sip_code: null },
};

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
