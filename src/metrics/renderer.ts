/** What a format of `/metrics` is written by. */

import type { Family } from './families.js';
import type { Encoding } from './format.js';
import type { Selection } from './selection.js';

/** Which buckets histograms have. */
export type HistogramBuckets = 'classic' | 'native' | 'both';

export interface RenderSettings {
  readonly histograms: HistogramBuckets;
  /** Whether OpenMetrics and protobuf have exemplars. */
  readonly hasExemplars: boolean;
  /** Whether OpenMetrics has `_created` samples. */
  readonly isCreatedShown: boolean;
}

/** A row with the labels of all its samples, as its format has them. */
export interface Labelled<Row> {
  readonly labels: string;
  /** When its counters began to count: wall clock, milliseconds. */
  readonly createdMs: number;
  readonly row: Row;
}

export interface Renderer<Piece> {
  /** An occasion to give way to other work. */
  readonly pause: Piece;
  /** The metrics of the exporter itself. */
  exporter(startedMs: number): Promise<Piece>;
  family<Row>(
    family: Family<Row>,
    rows: readonly Labelled<Row>[],
  ): Generator<Piece, void, undefined>;
  /** Follows the last family. */
  readonly end: Piece;
}

/** The metrics of the exporter itself and of its process; all of them without a selection. */
export interface ExporterMetrics {
  /** As text or OpenMetrics, without the end mark of the latter. */
  text(encoding: Exclude<Encoding, 'protobuf'>, selection?: Selection): Promise<string>;
  families(selection?: Selection): Promise<readonly OwnFamily[]>;
}

export interface OwnFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly metrics: readonly OwnMetric[];
}

export interface OwnMetric {
  readonly labels: Readonly<Record<string, string>>;
  /** The number of values, if it is a histogram. */
  readonly value: number;
  /** Of a histogram. */
  readonly sum: number;
  /** Of a histogram, cumulative. */
  readonly buckets: readonly (readonly [bound: number, count: number])[];
}

export const NO_EXPORTER_METRICS: ExporterMetrics = {
  text: async () => '',
  families: async () => [],
};
