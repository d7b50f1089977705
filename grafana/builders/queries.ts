/** Queries of panels to the data source that the user has selected. */

import {
  DataqueryBuilder,
  PromQueryFormat,
  QueryEditorMode,
} from '@grafana/grafana-foundation-sdk/prometheus';

import { placeholder } from './placeholder.js';

export const DATASOURCE = { type: 'prometheus', uid: placeholder('datasource') };

const query = (expr: string): DataqueryBuilder =>
  new DataqueryBuilder().datasource(DATASOURCE).editorMode(QueryEditorMode.Code).expr(expr);

/** Lines over time. */
export const series = (expr: string, legend: string): DataqueryBuilder =>
  query(expr).range().legendFormat(legend);

/** Lines over time, with the exemplars of their counter or histogram: single pings, by their Call-ID. */
export const withExemplars = (expr: string, legend: string): DataqueryBuilder =>
  series(expr, legend).exemplar(true);

/** One value for each series, at the end of the time range. */
export const latest = (expr: string, legend: string): DataqueryBuilder =>
  query(expr).instant().legendFormat(legend);

/** Rows of a table at the end of the time range: a column for each label, and the value. */
export const rows = (expr: string): DataqueryBuilder =>
  query(expr).instant().format(PromQueryFormat.Table);

/** The buckets of a histogram, for a heatmap; with the exemplars. */
export const buckets = (expr: string): DataqueryBuilder =>
  query(expr).range().format(PromQueryFormat.Heatmap).legendFormat('{{le}}').exemplar(true);
