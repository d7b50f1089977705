import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pageModule } from '../../support/page.js';

interface Route {
  readonly view: string;
  readonly name: string;
  readonly query: URLSearchParams;
}

const { parseRoute, formatRoute } = await pageModule<{
  parseRoute: (hash: string) => Route;
  formatRoute: (route: Partial<Route>) => string;
}>('route.js');

describe('the hash of the page', () => {
  for (const [hash, view, name, query] of [
    ['', 'list', '', ''],
    ['#', 'list', '', ''],
    ['#/', 'list', '', ''],
    ['#/?q=acme+gw&state=down&state=up', 'list', '', 'q=acme+gw&state=down&state=up'],
    ['#/nowhere', 'list', '', ''],
    ['#/destination/gw', 'destination', 'gw', ''],
    ['#/destination/carrier%2Fa', 'destination', 'carrier/a', ''],
    ['#/destination/carrier/a', 'destination', 'carrier/a', ''],
    ['#/destination/50%25', 'destination', '50%', ''],
    ['#/destination/50%', 'destination', '50%', ''],
    ['#/incidents?destination=gw', 'incidents', '', 'destination=gw'],
    ['#/silences', 'silences', '', ''],
  ] as const) {
    test(`${JSON.stringify(hash)} is ${view} ${name}`, () => {
      const route = parseRoute(hash);
      assert.deepEqual([route.view, route.name, String(route.query)], [view, name, query]);
    });
  }

  for (const name of ['gw', 'a/b', '50%', 'ä ö', '?x=1#y', '<img src=x>', "'"]) {
    test(`a link to the destination ${JSON.stringify(name)} leads to it`, () => {
      assert.equal(parseRoute(formatRoute({ view: 'destination', name })).name, name);
    });
  }

  test('keeps what is chosen, with any characters', () => {
    const query = new URLSearchParams([
      ['q', 'a&b=c %'],
      ['fold', 'x'],
      ['fold', ''],
    ]);
    const route = parseRoute(formatRoute({ query }));
    assert.deepEqual([...route.query], [...query]);
  });
});
