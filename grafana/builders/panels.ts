/** Each kind of panel, in the style of the dashboards. */

import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TableSortByFieldStateBuilder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import type { DashboardLinkBuilder, ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  type DynamicConfigValue,
  FieldColorBuilder,
  FieldColorModeId,
  type ThresholdsConfigBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import type { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import { toRunbook } from './links.js';
import { plain } from './looks.js';
import { DATASOURCE } from './queries.js';

/** What every panel has. */
export interface PanelSpec {
  readonly title: string;
  readonly description: string;
  /** Shown when there is no data; says why. */
  readonly empty: string;
  /** Columns, of the 24 of a dashboard. */
  readonly span: number;
  readonly height: number;
  readonly queries: readonly DataqueryBuilder[];
  /** The alert whose section of the runbook says what to do. */
  readonly runbook?: string;
  /** Further links of the panel, after that to the runbook. */
  readonly panelLinks?: readonly DashboardLinkBuilder[];
}

/** What the panel builders of the SDK have in common. */
interface AnyPanel {
  title(title: string): this;
  description(description: string): this;
  noValue(text: string): this;
  span(columns: number): this;
  height(rows: number): this;
  datasource(reference: typeof DATASOURCE): this;
  targets(targets: DataqueryBuilder[]): this;
  links(links: DashboardLinkBuilder[]): this;
}

function describe<T extends AnyPanel>(panel: T, { queries, ...text }: PanelSpec): T {
  const ids = queries.map((query, i) => query.refId(String.fromCharCode('A'.charCodeAt(0) + i)));
  const links = [
    ...(text.runbook === undefined ? [] : [toRunbook(text.runbook)]),
    ...(text.panelLinks ?? []),
  ];
  if (links.length > 0) panel.links(links);
  return panel
    .title(text.title)
    .description(text.description)
    .noValue(text.empty)
    .span(text.span)
    .height(text.height)
    .datasource(DATASOURCE)
    .targets(ids);
}

const byThresholds = () => new FieldColorBuilder().mode(FieldColorModeId.Thresholds);
const lastValue = () =>
  new ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false);

export interface NumberSpec extends PanelSpec {
  readonly unit: string;
  readonly decimals?: number;
  readonly thresholds?: ThresholdsConfigBuilder;
  readonly mappings?: ValueMapping[];
  /** Shows the name of the series instead of its value. */
  readonly isNamed?: boolean;
}

/** One or a few large numbers. */
export function number(spec: NumberSpec): stat.PanelBuilder {
  const panel = describe(new stat.PanelBuilder(), spec)
    .unit(spec.unit)
    .thresholds(spec.thresholds ?? plain())
    .colorScheme(byThresholds())
    .mappings(spec.mappings ?? [])
    .graphMode(BigValueGraphMode.None)
    .colorMode(BigValueColorMode.Value)
    .textMode(spec.isNamed === true ? BigValueTextMode.Name : BigValueTextMode.Auto)
    .reduceOptions(lastValue());
  return spec.decimals === undefined ? panel : panel.decimals(spec.decimals);
}

export interface BarsSpec extends PanelSpec {
  readonly unit: string;
  readonly decimals?: number;
  readonly thresholds: ThresholdsConfigBuilder;
  readonly links?: readonly DashboardLinkBuilder[];
  /** Whether values may be below zero. Otherwise the axis begins there. */
  readonly isSigned?: boolean;
}

/** One bar for each series, in the order of the query. */
export function bars(spec: BarsSpec): bargauge.PanelBuilder {
  const panel = describe(new bargauge.PanelBuilder(), spec);
  if (spec.isSigned !== true) panel.min(0);
  if (spec.decimals !== undefined) panel.decimals(spec.decimals);
  return panel
    .unit(spec.unit)
    .thresholds(spec.thresholds)
    .colorScheme(byThresholds())
    .dataLinks([...(spec.links ?? [])])
    .displayMode(BarGaugeDisplayMode.Basic)
    .orientation(VizOrientation.Horizontal)
    .reduceOptions(lastValue());
}

export interface LinesSpec extends PanelSpec {
  readonly unit: string;
  readonly links?: readonly DashboardLinkBuilder[];
  /** Whether values may be below zero. Otherwise the axis begins there. */
  readonly isSigned?: boolean;
  /** Stacked bars, for parts of a total. */
  readonly isStacked?: boolean;
}

export function lines(spec: LinesSpec): timeseries.PanelBuilder {
  const panel = describe(new timeseries.PanelBuilder(), spec)
    .unit(spec.unit)
    .dataLinks([...(spec.links ?? [])])
    .legend(legend())
    .tooltip(
      new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending),
    )
    .showPoints(VisibilityMode.Auto)
    .lineWidth(1);
  if (spec.isSigned !== true) panel.min(0);
  return spec.isStacked === true ? stacked(panel) : panel.fillOpacity(5);
}

const stacked = (panel: timeseries.PanelBuilder): timeseries.PanelBuilder =>
  panel
    .drawStyle(GraphDrawStyle.Bars)
    .fillOpacity(70)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));

const legend = () =>
  new VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .showLegend(true)
    .calcs([]);

export interface TimelineSpec extends PanelSpec {
  readonly mappings: ValueMapping[];
  readonly links?: readonly DashboardLinkBuilder[];
}

const ROWS_PER_PAGE = 25;

/** One row of states for each series. */
export function timeline(spec: TimelineSpec): statetimeline.PanelBuilder {
  return describe(new statetimeline.PanelBuilder(), spec)
    .mappings(spec.mappings)
    .thresholds(plain())
    .colorScheme(byThresholds())
    .dataLinks([...(spec.links ?? [])])
    .showValue(VisibilityMode.Auto)
    .mergeValues(true)
    .rowHeight(0.85)
    .fillOpacity(80)
    .lineWidth(0)
    .perPage(ROWS_PER_PAGE)
    .legend(legend());
}

/** The buckets of a classic histogram over time, in a scale for colour-blind people too. */
export function heat(spec: PanelSpec): heatmap.PanelBuilder {
  return describe(new heatmap.PanelBuilder(), spec)
    .calculate(false)
    .unit('short')
    .yAxis(new heatmap.YAxisConfigBuilder().unit('s'))
    .cellValues(new heatmap.CellValuesBuilder().unit('short').decimals(1))
    .color(
      new heatmap.HeatmapColorOptionsBuilder()
        .mode(heatmap.HeatmapColorMode.Scheme)
        .scheme('Viridis')
        .exponent(0.5)
        .steps(64)
        .reverse(false),
    )
    .tooltip(
      new heatmap.HeatmapTooltipBuilder()
        .mode(TooltipDisplayMode.Single)
        .yHistogram(true)
        .showColorScale(true),
    );
}

/** A column: its field, its title, its settings. */
export type Column = readonly [
  field: string,
  name: string,
  settings?: readonly DynamicConfigValue[],
];

export interface TableSpec extends PanelSpec {
  readonly columns: readonly Column[];
  /** Fields that are not shown, besides `Time`. */
  readonly hidden?: readonly string[];
  /** Titles of columns, sorted descending. */
  readonly sortBy?: readonly string[];
}

const EMPTY_CELL: DynamicConfigValue = { id: 'noValue', value: '–' };

/** Merges rows of several queries that have the same labels. Labels without a column follow unchanged. */
export function rowsTable(spec: TableSpec): table.PanelBuilder {
  const panel = describe(new table.PanelBuilder(), spec)
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation(organize(spec))
    .sortBy(
      (spec.sortBy ?? []).map((name) =>
        new TableSortByFieldStateBuilder().displayName(name).desc(true),
      ),
    );
  for (const [, name, settings = []] of spec.columns) {
    panel.overrideByName(name, [EMPTY_CELL, ...settings]);
  }
  return panel;
}

function organize({ columns, hidden = [] }: TableSpec) {
  return {
    id: 'organize',
    options: {
      excludeByName: Object.fromEntries(['Time', ...hidden].map((field) => [field, true])),
      indexByName: Object.fromEntries(columns.map(([field], index) => [field, index])),
      renameByName: Object.fromEntries(columns.map(([field, name]) => [field, name])),
    },
  };
}
