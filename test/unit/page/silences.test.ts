import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SilenceView } from '../../../src/status/page-views.js';
import { pageModule } from '../../support/page.js';

type Matcher = SilenceView['matchers'][number];
interface Labelled {
  readonly destination: string;
  readonly labels: Readonly<Record<string, string>>;
}

const { silencesOf, matchersText } = await pageModule<{
  silencesOf: (silences: readonly SilenceView[], of: Labelled) => readonly SilenceView[];
  matchersText: (silence: SilenceView) => string;
}>('silences/cover.js');
const { silencesProblem } = await pageModule<{
  silencesProblem: (store: {
    readonly silences: readonly SilenceView[] | null;
    readonly silencesError: string;
    readonly silencesAtMs: number;
  }) => string;
}>('silences/problem.js');

const GATEWAY = { destination: 'gw-1', labels: { carrier: 'acme' } };

function silence(...matchers: readonly Partial<Matcher>[]): SilenceView {
  return {
    ...{ id: '1', state: 'active', created_by: 'bob', comment: 'works' },
    ...{ starts_at: '2026-01-01T00:00:00Z', ends_at: '2026-01-02T00:00:00Z' },
    matchers: matchers.map((one) => ({
      ...{ name: 'destination', value: '', is_regex: false, is_equal: true },
      ...one,
    })),
  };
}

describe('a silence', () => {
  for (const [title, covers, ...matchers] of [
    ['of the destination covers it', true, { value: 'gw-1' }],
    ['of another destination does not', false, { value: 'gw-2' }],
    ['matches a pattern against the whole name', false, { value: 'gw', is_regex: true }],
    ['with a pattern covers it', true, { value: 'gw-.|x', is_regex: true }],
    ['that excludes it does not', false, { value: 'gw-1', is_equal: false }],
    ['of a label covers it', true, { name: 'carrier', value: 'acme' }],
    [
      'of one alert counts',
      true,
      { value: 'gw-1' },
      { name: 'alertname', value: 'SipDestinationDown' },
    ],
    ['of an alert alone does not', false, { name: 'alertname', value: 'SipDestinationDown' }],
    ['of a label that it lacks does not', false, { name: 'site', value: 'north' }],
    ['with a pattern that is none does not', false, { value: '(', is_regex: true }],
  ] as const) {
    test(title, () => {
      assert.equal(silencesOf([silence(...matchers)], GATEWAY).length, covers ? 1 : 0);
    });
  }

  test('is written as Alertmanager writes it', () => {
    const one = silence(
      { value: 'a"b' },
      { name: 'carrier', value: 'x|y', is_regex: true },
      { name: 'site', value: 'n', is_equal: false },
      { name: 'site', value: 's', is_equal: false, is_regex: true },
    );
    const text = 'destination="a\\"b", carrier=~"x|y", site!="n", site!~"s"';
    assert.equal(matchersText(one), text);
  });
});

describe('the line about unknown silences', () => {
  const silencesAtMs = Date.now();

  test('is empty while they are known', () => {
    assert.equal(silencesProblem({ silences: [], silencesError: '', silencesAtMs }), '');
  });

  test('says from when those are that are shown, or that none is', () => {
    const failed = { silencesError: 'no answer', silencesAtMs };
    assert.match(
      silencesProblem({ ...failed, silences: [silence()] }),
      /^The silences are not known: no answer\. Those shown are of .*\.$/,
    );
    assert.equal(
      silencesProblem({ ...failed, silences: null }),
      'The silences are not known: no answer. None is shown.',
    );
  });
});
