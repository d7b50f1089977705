/** The dashboards match their code and are consistent. `npm run dashboards` updates them. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, test } from 'node:test';
import { boards as asBuilt, FOLDER, fileOf, textOf } from '../../grafana/boards.js';
import * as looks from '../../grafana/builders/looks.js';
import { placeholder } from '../../grafana/builders/placeholder.js';
import { parseYaml } from '../../src/platform/yaml.js';
import { type Board, type Panel, queriesOf, readBoards } from '../support/dashboards.js';

test('the files match the code, and there are no others', () => {
  for (const board of asBuilt()) {
    const found = readFileSync(fileOf(board), 'utf8');
    assert.ok(found === textOf(board), `${fileOf(board)} is out of date; run npm run dashboards`);
  }
  const files = asBuilt().map((board) => basename(fileOf(board)));
  assert.deepEqual(readdirSync(FOLDER).sort(), files.sort());
});

const boards = readBoards();
const panelsOf = (board: Board) => board.panels.filter(({ type }) => type !== 'row');

for (const board of boards) {
  describe(board.title, () => {
    test('every panel says what it shows, in which unit, and why it may be empty', () => {
      for (const panel of panelsOf(board)) {
        const { noValue, unit } = panel.fieldConfig?.defaults ?? {};
        assert.ok(panel.title, `${panel.id} has no title`);
        assert.ok((panel.description ?? '').length > 20, `${panel.title} has no description`);
        assert.ok((noValue ?? '').length > 8, `${panel.title} does not say why it is empty`);
        // A column of a table has its own unit, and a state has none.
        const isUnitless = ['table', 'state-timeline'].includes(panel.type);
        assert.equal(unit === undefined, isUnitless, `the unit of ${panel.title}`);
      }
    });

    test('panels and queries have unique ids, and the selected data source', () => {
      const ids = board.panels.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
      assert.ok(ids.every((id) => Number.isInteger(id) && id > 0));
      const places = queriesOf(board).map(({ where }) => where);
      assert.equal(new Set(places).size, places.length);
      for (const { title, targets = [], datasource } of panelsOf(board)) {
        assert.ok(targets.length > 0, title);
        for (const source of [datasource, ...targets.map((target) => target.datasource)])
          assert.equal(source?.uid, SELECTED, title);
      }
    });

    test('panels fill the grid without a gap or an overlap', () => {
      const cells = board.panels.flatMap(cellsOf);
      assert.equal(new Set(cells).size, cells.length, 'panels overlap');
      const height = Math.max(...board.panels.map(({ gridPos: { y, h } }) => y + h));
      assert.equal(cells.length, height * COLUMNS, 'there are gaps');
    });

    test('every variable that is used is defined', () => {
      const defined = new Set([...board.templating.list.map(({ name }) => name), ...BUILT_IN]);
      const text = JSON.stringify(board);
      const used = [...text.matchAll(/\$\{?([A-Za-z_]\w*)/g)].map(([, name = '']) => name);
      assert.ok(used.length > 10);
      assert.deepEqual(
        [...new Set(used)].filter((name) => !defined.has(name)),
        [],
      );
    });

    test('links lead to existing dashboards, and set variables that those have', () => {
      const urls = urlsOf(board).filter((url) => url.startsWith('/'));
      assert.ok(urls.length >= boards.length - 1);
      for (const url of urls) {
        const [, uid] = /^\/d\/([\w-]+)\?/.exec(url) ?? [];
        const there = boards.find((other) => other.uid === uid) ?? assert.fail(url);
        const names = there.templating.list.map(({ name }) => name);
        for (const [, set, kept] of url.matchAll(/var-(\w+)=|\{(\w+):queryparam\}/g))
          assert.ok(
            names.includes(set ?? kept ?? ''),
            `${url}: ${there.title} has no ${set ?? kept}`,
          );
      }
    });

    test('other links lead to the status page, or to a section of the runbook', () => {
      const headings = [...readFileSync('docs/runbook.md', 'utf8').matchAll(/^## (\w+)$/gm)];
      const sections = headings.map(([, heading = '']) => heading.toLowerCase());
      const urls = urlsOf(board).filter((url) => !url.startsWith('/'));
      assert.ok(urls.length > 5);
      for (const url of urls) {
        const [, variable, rest = ''] = /^\$\{(\w+)\}(.*)$/.exec(url) ?? assert.fail(url);
        if (variable === 'exporter_url')
          assert.match(rest, /^\/#\/destination\/\$\{[\w.]+:percentencode\}$/);
        else if (!rest.startsWith('#:~:text=')) assert.ok(sections.includes(rest.slice(1)), url);
      }
      assert.ok(pageFiles('.js').includes('#/destination/'), 'the route of the page');
    });
  });
}

test('each dashboard has a unique id that Grafana accepts', () => {
  const uids = boards.map(({ uid }) => uid);
  assert.equal(new Set(uids).size, uids.length);
  for (const uid of uids) assert.match(uid, /^[a-z][a-z0-9-]{7,39}$/);
});

test('up, down, degraded and draining have the colours of the status page, and unknown is grey', () => {
  const css = pageFiles('.css');
  const pairs = [
    ['up', looks.GOOD],
    ['down', looks.BAD],
    ['degraded', looks.WARNING],
    ['draining', looks.DRAINING],
  ] as const;
  for (const [name, color] of pairs) {
    const [, ofPage = ''] = new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(css) ?? [];
    const apart = Math.abs(hueOf(color) - hueOf(ofPage));
    assert.ok(Math.min(apart, 360 - apart) < 30, `${name}: ${color}, on the page ${ofPage}`);
  }
  const [red = 0, , blue = 0] = channelsOf(looks.UNKNOWN);
  assert.ok(Math.abs(red - blue) < 30, 'unknown is grey');
});

test('a state has a text besides its colour', () => {
  for (const { options } of [...looks.STATES, ...looks.UP_OR_DOWN, ...looks.KAMAILIO_STATES])
    for (const { text = '' } of Object.values(options as Record<string, { text?: string }>))
      assert.match(text, /^[●■▲◆○] [a-z]+$/);
});

test('the provisioning of Grafana names the folder of the dashboards and one data source', () => {
  const read = (file: string): unknown =>
    parseYaml(readFileSync(`grafana/provisioning/${file}`, 'utf8'));
  const { datasources } = read('datasources/prometheus.yml') as {
    datasources: { uid: string; type: string; url: string }[];
  };
  assert.deepEqual(
    datasources.map(({ uid, type, url }) => [uid, type, url]),
    [['prometheus', 'prometheus', 'http://prometheus:9090']],
  );
  const { providers } = read('dashboards/sip-keepalive.yml') as {
    providers: { type: string; options: { path: string } }[];
  };
  assert.deepEqual(
    providers.map(({ type, options }) => [type, options.path]),
    [['file', '/var/lib/grafana/dashboards/sip-keepalive']],
  );
});

const SELECTED = placeholder('datasource');
const COLUMNS = 24;
const BUILT_IN = [
  ...['__rate_interval', '__range', '__range_s', '__all', '__url_time_range'],
  ...['__field', '__value'],
];

/** The text of all files of the status page with this extension. */
const pageFiles = (extension: string): string =>
  readdirSync('page', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(extension))
    .map((name) => readFileSync(`page/${name}`, 'utf8'))
    .join('\n');

const urlsOf = (board: Board): string[] =>
  [...JSON.stringify(board).matchAll(/"url":"([^"]*)"/g)].map(([, url = '']) => url);

const channelsOf = (color: string): number[] =>
  [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));

/** In degrees: red is 0, green 120, blue 240. */
function hueOf(color: string): number {
  const [r = 0, g = 0, b = 0] = channelsOf(color);
  const [max, spread] = [Math.max(r, g, b), Math.max(r, g, b) - Math.min(r, g, b)];
  const sixth =
    max === r ? (g - b) / spread : max === g ? 2 + (b - r) / spread : 4 + (r - g) / spread;
  return (sixth * 60 + 360) % 360;
}

function cellsOf({ gridPos: { x, y, w, h } }: Panel): string[] {
  assert.ok(x >= 0 && x + w <= COLUMNS && w > 0 && h > 0);
  return Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`);
}
