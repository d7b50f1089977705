/** Panels of each kind in the one style of the boards. */

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
import { plain } from './looks.js';
import { DATASOURCE } from './queries.js';

/** What every panel says of itself. */
export interface About {
  readonly title: string;
  readonly description: string;
  /** Shown instead of the panel where there is nothing to show, and says why. */
  readonly empty: string;
  /** Of the 24 columns of a board. */
  readonly span: number;
  readonly height: number;
  readonly queries: readonly DataqueryBuilder[];
}

/** What the builders of the SDK have in common; it has no name for it. */
interface AnyPanel {
  title(title: string): this;
  description(description: string): this;
  noValue(text: string): this;
  span(columns: number): this;
  height(rows: number): this;
  datasource(reference: typeof DATASOURCE): this;
  targets(targets: DataqueryBuilder[]): this;
}

function about<T extends AnyPanel>(panel: T, { queries, ...text }: About): T {
  const ids = queries.map((query, i) => query.refId(String.fromCharCode('A'.charCodeAt(0) + i)));
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

export interface NumberSpec extends About {
  readonly unit: string;
  readonly decimals?: number;
  readonly thresholds?: ThresholdsConfigBuilder;
  readonly mappings?: ValueMapping[];
  /** Shows the name of the series and not its value. */
  readonly isNamed?: boolean;
}

/** One or a few numbers, large. */
export function number(spec: NumberSpec): stat.PanelBuilder {
  const panel = about(new stat.PanelBuilder(), spec)
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

export interface BarsSpec extends About {
  readonly unit: string;
  readonly thresholds: ThresholdsConfigBuilder;
  readonly links?: readonly DashboardLinkBuilder[];
}

/** One bar for each series, the longest first when the query sorts them. */
export function bars(spec: BarsSpec): bargauge.PanelBuilder {
  return about(new bargauge.PanelBuilder(), spec)
    .unit(spec.unit)
    .min(0)
    .thresholds(spec.thresholds)
    .colorScheme(byThresholds())
    .dataLinks([...(spec.links ?? [])])
    .displayMode(BarGaugeDisplayMode.Basic)
    .orientation(VizOrientation.Horizontal)
    .reduceOptions(lastValue());
}

export interface LinesSpec extends About {
  readonly unit: string;
  readonly max?: number;
  readonly links?: readonly DashboardLinkBuilder[];
  /** Bars on top of each other, for parts of a whole. */
  readonly isStacked?: boolean;
}

export function lines(spec: LinesSpec): timeseries.PanelBuilder {
  const panel = about(new timeseries.PanelBuilder(), spec)
    .unit(spec.unit)
    .min(0)
    .dataLinks([...(spec.links ?? [])])
    .legend(legend())
    .tooltip(
      new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending),
    )
    .showPoints(VisibilityMode.Auto)
    .lineWidth(1);
  if (spec.max !== undefined) panel.max(spec.max);
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

export interface TimelineSpec extends About {
  readonly mappings: ValueMapping[];
  readonly links?: readonly DashboardLinkBuilder[];
}

const ROWS_OF_A_PAGE = 25;

/** A row of states for each series. */
export function timeline(spec: TimelineSpec): statetimeline.PanelBuilder {
  return about(new statetimeline.PanelBuilder(), spec)
    .mappings(spec.mappings)
    .thresholds(plain())
    .colorScheme(byThresholds())
    .dataLinks([...(spec.links ?? [])])
    .showValue(VisibilityMode.Auto)
    .mergeValues(true)
    .rowHeight(0.85)
    .fillOpacity(80)
    .lineWidth(0)
    .perPage(ROWS_OF_A_PAGE)
    .legend(legend());
}

/** The buckets of a classic histogram over time; the scale of colours is safe for every eye. */
export function heat(spec: About): heatmap.PanelBuilder {
  return about(new heatmap.PanelBuilder(), spec)
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

/** A column: the field that it is made of, its name for people, its settings. */
export type Column = readonly [
  field: string,
  name: string,
  settings?: readonly DynamicConfigValue[],
];

export interface TableSpec extends About {
  readonly columns: readonly Column[];
  /** Fields that are not shown; `Time` never is. */
  readonly hidden?: readonly string[];
  /** Names of columns, the highest first. */
  readonly sortBy?: readonly string[];
}

const EMPTY_CELL: DynamicConfigValue = { id: 'noValue', value: '–' };

/** Rows of several queries become one where their labels agree. Labels that no column names follow as they are. */
export function rowsTable(spec: TableSpec): table.PanelBuilder {
  const panel = about(new table.PanelBuilder(), spec)
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation(arranged(spec))
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

function arranged({ columns, hidden = [] }: TableSpec) {
  return {
    id: 'organize',
    options: {
      excludeByName: Object.fromEntries(['Time', ...hidden].map((field) => [field, true])),
      indexByName: Object.fromEntries(columns.map(([field], index) => [field, index])),
      renameByName: Object.fromEntries(columns.map(([field, name]) => [field, name])),
    },
  };
}
