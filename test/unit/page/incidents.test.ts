import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageModule } from '../../support/page.js';

const { keptText, soughtText } = await pageModule<{
  soughtText: (query: URLSearchParams) => string;
  keptText: (found: { total: number; dropped: number; oldest: string | null }) => string;
}>('incidents/view.js');

test('the page says what was looked for, whatever the link chooses', () => {
  for (const [query, text] of [
    ['', ''],
    ['q=flap', '“flap”'],
    ['q=flap&open=true&label=a%3Db&label=c', '“flap”, label: a=b, label: c, not over yet'],
    ['open=perhaps&nosuch=1', 'open: perhaps, nosuch: 1'],
  ] as const) {
    assert.equal(soughtText(new URLSearchParams(query)), text);
  }
});

test('the page says how many incidents are kept, and how many no longer', () => {
  assert.equal(keptText({ total: 0, dropped: 0, oldest: null }), '0 incidents are kept.');
  const oldest = '2026-01-31T12:00:00.000Z';
  assert.match(
    keptText({ total: 1, dropped: 0, oldest }),
    /^1 incident is kept; the oldest began .*2026.*\.$/,
  );
  const text = keptText({ total: 10_000, dropped: 7, oldest });
  assert.match(text, /^10000 incidents are kept; .*\. 7 older ones are no longer kept\.$/);
});
