/** The dashboards in the form that grafana.com takes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boards, textOf } from '../../grafana/boards.js';
import { placeholder } from '../../grafana/builders/placeholder.js';
import { shared } from '../../grafana/sharing.js';

interface SharedBoard {
  readonly __inputs: readonly Readonly<Record<string, string>>[];
  readonly __elements: object;
  readonly __requires: readonly {
    readonly type: string;
    readonly id: string;
    readonly name: string;
    readonly version: string;
  }[];
  readonly id: null;
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly {
    readonly type: string;
    readonly datasource?: { readonly uid: string };
  }[];
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly type: string;
      readonly current: { readonly value: unknown };
    }[];
  };
}

const all = boards().map((board) => JSON.parse(textOf(shared(board))) as SharedBoard);
const INPUT = placeholder('DS_PROMETHEUS');

for (const board of all) {
  test(`${board.title}: asks for a data source, and nothing else`, () => {
    const [input, ...others] = board.__inputs;
    assert.deepEqual(others, []);
    const { name, type, pluginId, pluginName, label, description } = input ?? {};
    assert.deepEqual(
      [name, type, pluginId, pluginName],
      ['DS_PROMETHEUS', 'datasource', 'prometheus', 'Prometheus'],
    );
    assert.ok(label && description);
    const used = new Set(JSON.stringify(board).match(/\$\{DS_\w+\}/g));
    assert.deepEqual([...used], [INPUT]);
  });

  test(`${board.title}: the data source of the import is the value of the variable`, () => {
    const variables = board.templating.list.filter(({ type }) => type === 'datasource');
    assert.deepEqual(
      variables.map(({ name, current }) => [name, current.value]),
      [['datasource', INPUT]],
    );
    for (const { type, datasource } of board.panels)
      if (type !== 'row') assert.equal(datasource?.uid, placeholder('datasource'));
  });

  test(`${board.title}: names Grafana, the data source and each type of panel, once`, () => {
    const of = (wanted: string) =>
      board.__requires.filter(({ type }) => type === wanted).map(({ id }) => id);
    const types = new Set(board.panels.map(({ type }) => type).filter((type) => type !== 'row'));
    assert.deepEqual(of('panel'), [...types].sort());
    assert.deepEqual([of('grafana'), of('datasource')], [['grafana'], ['prometheus']]);
    for (const { name, id, type } of board.__requires)
      assert.ok(type !== 'panel' || name !== id, `${id} has no name`);
    assert.match(
      board.__requires.find(({ type }) => type === 'grafana')?.version ?? '',
      /^\d+\.\d+\.\d+$/,
    );
  });

  test(`${board.title}: is a dashboard without a number, and otherwise the same`, () => {
    assert.equal(board.id, null);
    assert.deepEqual(board.__elements, {});
    const original = boards().find(({ uid }) => uid === board.uid) ?? assert.fail();
    assert.deepEqual(board.panels, JSON.parse(textOf(original)).panels);
  });
}
