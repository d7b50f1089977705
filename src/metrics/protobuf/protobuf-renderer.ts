/**
 * Protobuf: messages io.prometheus.client.MetricFamily, each after its length
 * (https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto).
 */

import type { Exemplar, Exemplars } from '../../shared/ledger/exemplars.js';
import type { Histogram } from '../../shared/ledger/histogram.js';
import type { Family } from '../families.js';
import type {
  ExporterMetrics,
  Labelled,
  OwnFamily,
  Renderer,
  RenderSettings,
} from '../renderer.js';
import { NO_LABELS, type SampleLabels } from '../sample-labels.js';
import { unitOf } from '../units.js';
import { exemplarField } from './exemplar.js';
import { writeOwnMetric } from './exporter-families.js';
import { FAMILY, METRIC, TYPES } from './fields.js';
import { createdField, writeHistogram } from './histogram.js';
import { PIECE_BYTES, Pieces } from './pieces.js';
import { ReverseWriter } from './reverse-writer.js';

const NOTHING = new Uint8Array(0);

export class ProtobufRenderer implements Renderer<Uint8Array> {
  readonly pause = NOTHING;
  readonly end = NOTHING;
  readonly #exporterMetrics: ExporterMetrics;
  readonly #settings: RenderSettings;
  readonly #writer = new ReverseWriter();

  constructor(exporterMetrics: ExporterMetrics, settings: RenderSettings) {
    this.#exporterMetrics = exporterMetrics;
    this.#settings = settings;
  }

  async exporter(startedMs: number): Promise<Uint8Array> {
    const families = await this.#exporterMetrics.families();
    const all: Uint8Array[] = [];
    for (const family of families) {
      const pieces = new Pieces();
      for (const metric of family.metrics) {
        writeOwnMetric(this.#writer, family.type, metric, startedMs);
        pieces.add(this.#writer);
      }
      all.push(...this.#complete(family, pieces));
    }
    return Buffer.concat(all);
  }

  *family<Row>(
    family: Family<Row>,
    rows: readonly Labelled<Row>[],
  ): Generator<Uint8Array, void, undefined> {
    const pieces = new Pieces();
    const metrics = new FamilyMetrics(family, this.#writer, pieces, this.#settings);
    let pauseAt = PIECE_BYTES;
    for (const { labels, createdMs, row } of rows) {
      metrics.labels = labels;
      if (family.type === 'counter') metrics.created = createdField(createdMs);
      if (family.type === 'histogram') family.histograms(row, metrics.histogram);
      else family.samples(row, metrics.sample);
      if (pieces.length < pauseAt) continue;
      pauseAt = pieces.length + PIECE_BYTES;
      yield NOTHING;
    }
    yield* this.#complete(family, pieces);
  }

  /** The whole message, which needs its length first; nothing for a family without metrics. */
  #complete(
    { name, help, type }: Pick<OwnFamily, 'name' | 'help' | 'type'>,
    pieces: Pieces,
  ): readonly Uint8Array[] {
    if (pieces.length === 0) return [];
    const writer = this.#writer;
    const unit = unitOf(name);
    writer.clear();
    if (unit !== '') writer.string(FAMILY.unit, unit);
    writer.uint(FAMILY.type, TYPES[type]);
    writer.string(FAMILY.help, help);
    writer.string(FAMILY.name, name);
    writer.varint(writer.length + pieces.length);
    return [Uint8Array.from(writer.bytes), ...pieces.all()];
  }
}

/** Encodes the metrics of one family. */
class FamilyMetrics {
  /** Of the row at hand. */
  labels = '';
  /** As {@link createdField}, of a counter. */
  created = '';
  readonly #writer: ReverseWriter;
  readonly #pieces: Pieces;
  readonly #settings: RenderSettings;
  readonly #field: number;

  constructor(
    { type }: Pick<Family<never>, 'type'>,
    writer: ReverseWriter,
    pieces: Pieces,
    settings: RenderSettings,
  ) {
    this.#writer = writer;
    this.#pieces = pieces;
    this.#settings = settings;
    this.#field = METRIC[type];
  }

  readonly sample = (
    value: number,
    labels: SampleLabels = NO_LABELS,
    exemplar?: Exemplar,
  ): void => {
    const more = exemplar === undefined ? this.created : exemplarField(exemplar) + this.created;
    this.#pieces.addValue(this.#field, value, this.labels, labels.bytes, more);
  };

  readonly histogram = (
    histogram: Histogram,
    labels: SampleLabels = NO_LABELS,
    exemplars?: Exemplars,
  ): void => {
    const writer = this.#writer;
    writer.clear();
    writeHistogram(writer, histogram, this.#settings.histograms, exemplars);
    writer.message(this.#field, 0);
    writer.raw(labels.bytes);
    writer.raw(this.labels);
    writer.message(FAMILY.metric, 0);
    this.#pieces.add(writer);
  };
}
