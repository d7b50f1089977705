/** Variables that the user selects at the top of a dashboard. */

import {
  AdHocVariableBuilder,
  CustomVariableBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  VariableHide,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DEFAULT_LINKS } from '../../deploy/rules/links.js';
import { DATASOURCE } from './queries.js';

/** Exists for every destination from the first scrape on, also while its state is unknown. */
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

/** All matches everything, including series without that label. */
const several = (variable: QueryVariableBuilder): QueryVariableBuilder =>
  variable.multi(true).includeAll(true).allValue('.*').current(ALL);

export const datasource = (): DatasourceVariableBuilder =>
  new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus');

export const instance = (): QueryVariableBuilder =>
  several(query('instance', 'Exporter', `label_values(${EVERY_DESTINATION}, instance)`));

/** Any label name, including the user's own; only Prometheus knows them. */
export const label = (): QueryVariableBuilder =>
  query('label', 'Label', `label_names(${EVERY_DESTINATION})`)
    .regex('/^(?!__name__$).+/')
    .description('Any label of the destinations, including those of your configuration.')
    .current({ selected: true, text: 'instance', value: 'instance' });

export const value = (): QueryVariableBuilder =>
  several(query('value', 'Label value', `label_values(${EVERY_DESTINATION}, $label)`)).description(
    'Values of that label to show.',
  );

export const destinations = (selector: string): QueryVariableBuilder =>
  several(
    query(
      'destination',
      'Destination',
      `label_values(${EVERY_DESTINATION}{${selector}}, destination)`,
    ),
  );

export const destination = (selector: string): QueryVariableBuilder =>
  query(
    'destination',
    'Destination',
    `label_values(${EVERY_DESTINATION}{${selector}}, destination)`,
  );

/**
 * Whether panels use native or classic histograms. Native ones come first, and so are selected where
 * Prometheus has them.
 *
 * @param name of a histogram that every exporter has, without its unit.
 */
export const histograms = (name: string): QueryVariableBuilder =>
  query(
    'histograms',
    'Histograms',
    `label_values({__name__=~"${name}_seconds(_bucket)?"}, __name__)`,
  )
    .regex(`/^${name}_(seconds(?:_bucket)?)$/`)
    .description('seconds: native histograms; seconds_bucket: classic ones.');

/** A day, in seconds. */
const DAY = 86_400;

/**
 * Hidden: `short` for ranges of up to a day, `long` for longer ones. Prometheus chooses, because Grafana has
 * no conditions.
 */
const byRange = (name: string, short: string, long: string): QueryVariableBuilder => {
  const named = (value: string, comparison: string) =>
    `label_replace(vector($__range_s) ${comparison} ${DAY}, "use", "${value}", "", "")`;
  return query(name, name, `query_result(${named(short, '<=')} or ${named(long, '>')})`)
    .regex('/use="([^"]+)"/')
    .current({ selected: true, text: short, value: short })
    .hide(VariableHide.HideVariable);
};

/** What panels read that look back over the time range, see rules/sip-keepalive-recording.yml. */
export const recordings = (): QueryVariableBuilder[] => [
  byRange('tile', '5m', '1h'),
  byRange('states', 'sip_keepalive_is_alive', 'destination:sip_keepalive_is_alive:max5m'),
  byRange('drainings', 'sip_keepalive_draining', 'destination:sip_keepalive_draining:max5m'),
];

const OBJECTIVES = ['99', '99.5', '99.9', '99.95', '99.99'];
const OBJECTIVE = '99.9';

/** The service level objective, in percent of the time with a known state. */
export const objective = (): CustomVariableBuilder =>
  new CustomVariableBuilder('slo')
    .label('Objective, %')
    .values(OBJECTIVES.join(','))
    .options(OBJECTIVES.map((value) => ({ text: value, value, selected: value === OBJECTIVE })))
    .current({ text: OBJECTIVE, value: OBJECTIVE, selected: true })
    .allowCustomValue(true)
    .description(
      'The share of the time that destinations have to be up: type another if you like.',
    );

const address = (name: string, label: string, url: string, description: string) =>
  new TextBoxVariableBuilder(name)
    .label(label)
    .defaultValue(url)
    .current({ text: url, value: url, selected: true })
    .description(description);

/** Where links lead that leave Grafana. */
export const addresses = (): TextBoxVariableBuilder[] => [
  address(
    'exporter_url',
    'Exporter URL',
    'http://localhost:10060',
    'The exporter as your browser reaches it, for links to its status page.',
  ),
  address(
    'runbook_url',
    'Runbook URL',
    DEFAULT_LINKS.runbookBase,
    'The runbook, for links to its sections.',
  ),
];

/** Grafana adds these to every query of the dashboard. */
export const filters = (): AdHocVariableBuilder =>
  new AdHocVariableBuilder('filters')
    .label('Further filters')
    .datasource(DATASOURCE)
    .description('Any other label, including those of your configuration.');

/**
 * Jobs and instances of this exporter. All is the list of them instead of everything, because `up`
 * and `process_*` are metrics of other programs too.
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
