/** Reads the protobuf format of `/metrics`, by the official schema. */

import { join } from 'node:path';
import protobuf from 'protobufjs';

/** Of prometheus/client_model 0.6.3. The tests run from dist/; npm starts them in the project. */
const SCHEMA = join(process.cwd(), 'test/support/metrics.proto');

export interface Timestamp {
  readonly seconds: number;
  /** Absent for 0. */
  readonly nanos?: number;
}

export interface ParsedExemplar {
  readonly label: readonly { readonly name: string; readonly value: string }[];
  readonly value: number;
  readonly timestamp: Timestamp;
}

export interface ParsedHistogram {
  readonly sampleCount: number;
  readonly sampleSum: number;
  readonly bucket?: readonly {
    readonly cumulativeCount: number;
    readonly upperBound: number;
    readonly exemplar?: ParsedExemplar;
  }[];
  readonly createdTimestamp: Timestamp;
  readonly schema?: number;
  readonly zeroThreshold?: number;
  readonly zeroCount?: number;
  readonly positiveSpan?: readonly { readonly offset: number; readonly length: number }[];
  readonly positiveDelta?: readonly number[];
  readonly exemplars?: readonly ParsedExemplar[];
}

export interface ParsedMetric {
  readonly label?: readonly { readonly name: string; readonly value: string }[];
  readonly gauge?: { readonly value: number };
  readonly counter?: {
    readonly value: number;
    readonly createdTimestamp: Timestamp;
    readonly exemplar?: ParsedExemplar;
  };
  readonly histogram?: ParsedHistogram;
}

export interface ParsedFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'COUNTER' | 'GAUGE' | 'HISTOGRAM';
  readonly unit?: string;
  readonly metric: readonly ParsedMetric[];
}

const MetricFamily = new protobuf.Root()
  .loadSync(SCHEMA, { keepCase: false })
  .lookupType('io.prometheus.client.MetricFamily');

/** Every message, which has its length in front. */
export function parseFamilies(bytes: Uint8Array): ParsedFamily[] {
  const reader = protobuf.Reader.create(bytes);
  const families: ParsedFamily[] = [];
  while (reader.pos < reader.len) {
    const message = MetricFamily.decodeDelimited(reader);
    families.push(MetricFamily.toObject(message, { longs: Number, enums: String }) as ParsedFamily);
  }
  return families;
}

/** Wall clock, milliseconds. */
export function millisOf({ seconds, nanos = 0 }: Timestamp): number {
  return 1000 * seconds + nanos / 1e6;
}

/** Labels as an object. */
export function labelsOf({ label = [] }: ParsedMetric): Readonly<Record<string, string>> {
  return Object.fromEntries(label.map(({ name, value }) => [name, value]));
}

/** The native buckets that the spans name, as [index, count]. */
export function nativeBuckets({
  positiveSpan = [],
  positiveDelta = [],
}: ParsedHistogram): [index: number, count: number][] {
  const buckets: [number, number][] = [];
  let index = 0;
  let count = 0;
  for (const { offset, length } of positiveSpan) {
    index += offset;
    for (let i = 0; i < length; i++) {
      count += positiveDelta[buckets.length] ?? Number.NaN;
      buckets.push([index++, count]);
    }
  }
  return buckets;
}
