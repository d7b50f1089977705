/**
 * The form in which grafana.com takes dashboards and Grafana's import dialog asks for a data source. It
 * differs from the files that Grafana provisions, because provisioning leaves inputs as they are
 * (grafana/grafana#10786), and grafana.com rejects a file without `id` and inputs as an old format.
 */

import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { placeholder } from './builders/placeholder.js';

/** The oldest Grafana whose format this is. */
const GRAFANA = '12.0.0';
const INPUT = 'DS_PROMETHEUS';

/** Names of panels by their type. */
const PANELS: Readonly<Record<string, string>> = {
  bargauge: 'Bar gauge',
  heatmap: 'Heatmap',
  stat: 'Stat',
  'state-timeline': 'State timeline',
  table: 'Table',
  timeseries: 'Time series',
};

/** Panels keep the variable `datasource`; the input is the value that it has after the import. */
export function shared(board: Dashboard): object {
  const list = board.templating?.list?.map((variable) => {
    if (variable.type !== 'datasource') return variable;
    const value = placeholder(INPUT);
    return { ...variable, current: { selected: true, text: value, value } };
  });
  return {
    __inputs: [
      {
        ...{
          name: INPUT,
          label: 'Prometheus',
          description: 'The Prometheus that scrapes the exporter',
        },
        ...{ type: 'datasource', pluginId: 'prometheus', pluginName: 'Prometheus' },
      },
    ],
    __elements: {},
    __requires: requires(board),
    ...board,
    id: null,
    templating: { list },
  };
}

function requires(board: Dashboard) {
  const types = new Set(board.panels?.map(({ type }) => type).filter((type) => type !== 'row'));
  return [
    { type: 'grafana', id: 'grafana', name: 'Grafana', version: GRAFANA },
    { type: 'datasource', id: 'prometheus', name: 'Prometheus', version: '1.0.0' },
    ...[...types].sort().map((id) => ({ type: 'panel', id, name: PANELS[id] ?? id, version: '' })),
  ];
}
