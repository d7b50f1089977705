/** What the user chooses above a board. */

import {
  AdHocVariableBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DATASOURCE } from './queries.js';

/** It is there for every destination from the first scrape, also before the first verdict. */
const EVERY_DESTINATION = 'sip_keepalive_is_alive';
const ALL = { selected: true, text: ['All'], value: ['$__all'] };

const query = (name: string, label: string, text: string): QueryVariableBuilder =>
  new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query(text)
    .definition(text)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc);

/** All is a regular expression for everything, also for series without that label. */
const several = (variable: QueryVariableBuilder): QueryVariableBuilder =>
  variable.multi(true).includeAll(true).allValue('.*').current(ALL);

export const datasource = (): DatasourceVariableBuilder =>
  new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus');

export const instance = (): QueryVariableBuilder =>
  several(query('instance', 'Exporter', `label_values(${EVERY_DESTINATION}, instance)`));

/** The name of any label, the user's own among them, which nobody but Prometheus knows. */
export const label = (): QueryVariableBuilder =>
  query('label', 'Label', `label_names(${EVERY_DESTINATION})`)
    .regex('/^(?!__name__$).+/')
    .description('Any label of the destinations, those of your configuration among them.')
    .current({ selected: true, text: 'instance', value: 'instance' });

export const value = (): QueryVariableBuilder =>
  several(query('value', 'is', `label_values(${EVERY_DESTINATION}, $label)`)).description(
    'Which values of that label are shown.',
  );

export const destinations = (which: string): QueryVariableBuilder =>
  several(
    query(
      'destination',
      'Destination',
      `label_values(${EVERY_DESTINATION}{${which}}, destination)`,
    ),
  );

export const destination = (which: string): QueryVariableBuilder =>
  query('destination', 'Destination', `label_values(${EVERY_DESTINATION}{${which}}, destination)`);

/** Grafana puts these into every query of the board. */
export const filters = (): AdHocVariableBuilder =>
  new AdHocVariableBuilder('filters')
    .label('Further filters')
    .datasource(DATASOURCE)
    .description('Any further label, the ones of your configuration among them.');

/**
 * The jobs and instances that are exporters of this kind. All is the list of them and not
 * everything: `up` and `process_*` are metrics of many programs.
 */
export const exporters = (): QueryVariableBuilder[] => {
  const info = 'sip_keepalive_exporter_build_info';
  const listed = (variable: QueryVariableBuilder) =>
    variable.multi(true).includeAll(true).current(ALL);
  return [
    listed(query('job', 'Job', `label_values(${info}, job)`)),
    listed(query('instance', 'Exporter', `label_values(${info}{job=~"$job"}, instance)`)),
  ];
};
