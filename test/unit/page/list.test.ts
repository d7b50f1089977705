import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DestinationBrief } from '../../../src/status/views.js';
import { pageModule } from '../../support/page.js';
import { pageRow as row } from '../../support/page-rows.js';

type Rows = readonly DestinationBrief[];
interface Group {
  readonly key: string;
  readonly rows: Rows;
}

const { chosenStates, filterRows, sortRows } = await pageModule<{
  chosenStates: (query: URLSearchParams) => ReadonlySet<string>;
  filterRows: (rows: Rows, filter: { search: string; states: ReadonlySet<string> }) => Rows;
  sortRows: (rows: Rows, sort: string) => Rows;
}>('list/filter.js');
const { chosenGrouping, groupings, groupRows, groupVerdict, listItems } = await pageModule<{
  chosenGrouping: (query: URLSearchParams, rows: Rows) => string;
  groupings: (rows: Rows) => readonly (readonly [string, string])[];
  groupRows: (rows: Rows, by: string) => readonly Group[];
  groupVerdict: (group: Group) => string;
  listItems: (rows: Rows, groups: readonly Group[], folded: ReadonlySet<string>) => unknown[];
}>('list/group.js');
const { csv } = await pageModule<{ csv: (rows: Rows) => string }>('list/export.js');

const DOWN = { state: 'down', code: 2, reason: 'timeout', reason_text: 'no response' } as const;
const names = (rows: Rows) => rows.map(({ destination }) => destination);
const find = (rows: Rows, search: string, ...states: string[]) =>
  names(filterRows(rows, { search, states: new Set(states) }));

describe('the filter of the list', () => {
  const rows = [
    row('a', { labels: { carrier: 'Acme' } }),
    row('b', { ...DOWN, owners: ['billing'] }),
    row('c', { degraded: '1 of 2 addresses is down' }),
    row('d', { ...DOWN, reason: 'draining' }),
    row('e', { state: 'unknown', code: -1 }),
  ];

  for (const [search, expected] of [
    ['', 'abcde'],
    ['ACME', 'a'],
    ['carrier=acme sip:a', 'a'],
    ['down', 'bc'],
    ['degraded', 'c'],
    ['billing', 'b'],
    ['no response', 'bd'],
    ['nothing like this', ''],
  ] as const) {
    test(`finds ${expected || 'nothing'} by ${JSON.stringify(search)}`, () => {
      assert.equal(find(rows, search).join(''), expected);
    });
  }

  test('knows the states that are shown, several of them together', () => {
    assert.deepEqual(find(rows, '', 'down'), ['b']);
    assert.deepEqual(find(rows, '', 'draining', 'degraded'), ['c', 'd']);
    assert.deepEqual(find(rows, '', 'up'), ['a']);
  });

  test('ignores states in the URL that there are not', () => {
    const query = new URLSearchParams('state=bogus&state=down&state=degraded');
    assert.deepEqual([...chosenStates(query)], ['down', 'degraded']);
    assert.equal(chosenStates(new URLSearchParams('state=bogus')).size, 0);
  });

  test('sees a row as it is now, not as it was when it was first searched', () => {
    const one = row('x');
    assert.deepEqual(find([one], 'down'), []);
    Object.assign(one, { ...DOWN, since: '2026-01-01T00:00:00.000Z' });
    assert.deepEqual(find([one], 'down'), ['x']);
  });

  test('sorts the worst first by default, and equals by name', () => {
    assert.equal(names(sortRows(rows, 'state')).join(''), 'bceda');
    assert.equal(names(sortRows(rows, '-destination')).join(''), 'edcba');
    assert.equal(names(sortRows(rows, 'no such column')).join(''), 'bceda');
  });

  test('sorts a destination that does not answer behind all round-trip times', () => {
    const some = [row('silent', { ...DOWN, rtt: 0.001 }), row('fast'), row('slow', { rtt: 1 })];
    assert.deepEqual(names(sortRows(some, 'rtt')), ['fast', 'slow', 'silent']);
    assert.deepEqual(names(sortRows(some, '-rtt')), ['slow', 'fast', 'silent']);
  });
});

describe('the groups of the list', () => {
  const rows = [
    row('a', { labels: { carrier: 'acme', setid: '1,2' } }),
    row('b', { ...DOWN, labels: { carrier: 'blue' } }),
    row('c', { labels: { carrier: 'acme', setid: '2' }, owners: ['config', 'billing'] }),
    row('d'),
  ];

  test('are offered for each label, the owner and the module', () => {
    assert.deepEqual(
      groupings(rows).map(([key]) => key),
      ['none', 'label.carrier', 'label.setid', 'owner', 'module'],
    );
  });

  test('have a verdict, and the worst comes first', () => {
    const groups = groupRows(rows, 'label.carrier');
    assert.deepEqual(
      groups.map((group) => [group.key, groupVerdict(group)]),
      [
        ['blue', '0 of 1 up'],
        ['', '1 of 1 up'],
        ['acme', '2 of 2 up'],
      ],
    );
  });

  test('have a destination of several owners or sets in each of them', () => {
    const keys = (by: string) => groupRows(rows, by).map(({ key, rows }) => [key, names(rows)]);
    assert.deepEqual(Object.fromEntries(keys('label.setid')), {
      '': ['b', 'd'],
      1: ['a'],
      2: ['a', 'c'],
    });
    assert.deepEqual(Object.fromEntries(keys('owner')), {
      billing: ['c'],
      config: ['a', 'b', 'c', 'd'],
    });
  });

  test('show no rows while they are folded', () => {
    const groups = groupRows(rows, 'label.carrier');
    assert.equal(listItems(rows, groups, new Set()).length, 3 + 4);
    assert.equal(listItems(rows, groups, new Set(['acme'])).length, 3 + 2);
    assert.equal(listItems(rows, [], new Set(['acme'])).length, 4);
  });

  for (const [given, expected] of [
    ['', 'none'],
    ['group=owner', 'owner'],
    ['group=label.carrier', 'label.carrier'],
    ['group=setid', 'label.setid'],
    ['group=bogus', 'none'],
    ['group=label.bogus', 'none'],
  ] as const) {
    test(`of a URL with ${JSON.stringify(given)} are by ${expected}`, () => {
      assert.equal(chosenGrouping(new URLSearchParams(given), rows), expected);
    });
  }

  test('of a URL are by its label before the rows are known', () => {
    assert.equal(chosenGrouping(new URLSearchParams('group=label.x'), []), 'label.x');
  });

  test('of an unknown kind are none', () => {
    assert.deepEqual(groupRows(rows, 'label'), []);
    assert.deepEqual(groupRows(rows, 'none'), []);
  });
});

describe('the list as CSV', () => {
  const cells = (text: string) =>
    csv([row(text)])
      .split('\r\n')[1]
      ?.slice(0, text.length + 4);

  test('quotes commas, quotes and line breaks', () => {
    assert.equal(cells('a,b')?.startsWith('"a,b",'), true);
    assert.equal(cells('a"b')?.startsWith('"a""b",'), true);
    assert.match(csv([row('a\nb')]), /^"a\nb",/m);
  });

  for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\tx']) {
    test(`has no formula for ${JSON.stringify(text)}`, () => {
      assert.match(csv([row(text)]), /\r\n"?'/);
    });
  }

  test('has numbers as numbers, and nothing for what is unknown', () => {
    const [, line] = csv([row('gw', { rtt: 0.25, sip_code: null })]).split('\r\n');
    assert.equal(line, 'gw,sip:gw,up,,alive,,0.25,1,1,,default,config,');
  });
});
