/** The text format, and OpenMetrics 1.0. */

import type { Exemplar, Exemplars } from '../shared/ledger/exemplars.js';
import type { Histogram } from '../shared/ledger/histogram.js';
import { bucketExemplar, exemplarLabels } from './exemplars.js';
import type { Family } from './families.js';
import type { ExporterMetrics, Labelled, Renderer, RenderSettings } from './renderer.js';
import { labelText, NO_LABELS, type SampleLabels } from './sample-labels.js';
import { unitOf } from './units.js';

/** Length of a piece, roughly, in characters. */
const PIECE_LENGTH = 64 * 1024;

export class TextRenderer implements Renderer<string> {
  readonly pause = '';
  readonly end: string;
  readonly #exporterMetrics: ExporterMetrics;
  readonly #isOpenMetrics: boolean;
  readonly #settings: RenderSettings;

  constructor(
    encoding: 'text' | 'openmetrics',
    exporterMetrics: ExporterMetrics,
    settings: RenderSettings,
  ) {
    this.#exporterMetrics = exporterMetrics;
    this.#isOpenMetrics = encoding === 'openmetrics';
    this.#settings = settings;
    this.end = this.#isOpenMetrics ? '# EOF\n' : '';
  }

  async exporter(): Promise<string> {
    const encoding = this.#isOpenMetrics ? 'openmetrics' : 'text';
    const text = await this.#exporterMetrics.text(encoding);
    return text === '' ? '' : `${text}\n`;
  }

  *family<Row>(
    family: Family<Row>,
    rows: readonly Labelled<Row>[],
  ): Generator<string, void, undefined> {
    const lines = new FamilyLines(family, this.#isOpenMetrics, this.#settings);
    for (const { labels, createdMs, row } of rows) {
      lines.begin(labels, createdMs);
      if (family.type === 'histogram') family.histograms(row, lines.histogram);
      else family.samples(row, lines.sample);
      if (lines.length >= PIECE_LENGTH) yield lines.take();
    }
    yield lines.take();
  }
}

/** The lines of one family. */
class FamilyLines {
  #text: string;
  /** Labels of the row at hand, without the closing brace. */
  #labels = '';
  #createdMs = 0;
  readonly #name: string;
  readonly #sampleName: string;
  readonly #hasBuckets: boolean;
  readonly #isOpenMetrics: boolean;
  readonly #hasCreated: boolean;

  constructor(family: Family<never>, isOpenMetrics: boolean, settings: RenderSettings) {
    const { name, type, help } = family;
    // OpenMetrics 1.0 names a counter's family without the suffix of its samples.
    this.#name = isOpenMetrics && type === 'counter' ? name.replace(/_total$/, '') : name;
    this.#sampleName = name;
    this.#hasBuckets = settings.histograms !== 'native';
    this.#isOpenMetrics = isOpenMetrics;
    this.#hasCreated = isOpenMetrics && settings.isCreatedShown && type !== 'gauge';
    const unit = isOpenMetrics ? unitOf(this.#name) : '';
    this.#text = `# HELP ${this.#name} ${escapeHelp(help)}\n# TYPE ${this.#name} ${type}\n`;
    if (unit !== '') this.#text += `# UNIT ${this.#name} ${unit}\n`;
  }

  get length(): number {
    return this.#text.length;
  }

  /** The lines since the last call. */
  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  begin(labels: string, createdMs: number): void {
    this.#labels = labels;
    this.#createdMs = createdMs;
  }

  readonly sample = (
    value: number,
    labels: SampleLabels = NO_LABELS,
    exemplar?: Exemplar,
  ): void => {
    const all = this.#allLabels(labels);
    const end = exemplar === undefined ? '\n' : `${exemplarText(exemplar)}\n`;
    this.#text += `${this.#sampleName}${all} ${value}${end}`;
    if (this.#hasCreated) this.#addCreated(all, this.#createdMs);
  };

  readonly histogram = (
    histogram: Histogram,
    labels: SampleLabels = NO_LABELS,
    exemplars?: Exemplars,
  ): void => {
    const name = this.#sampleName;
    const all = this.#allLabels(labels);
    const { count } = histogram;
    const buckets = `${name}_bucket${all === '' ? '{' : `${all.slice(0, -1)},`}le="`;
    if (this.#hasBuckets) this.#addBuckets(histogram, buckets, exemplars);
    // OpenMetrics requires this bucket of every histogram.
    else if (this.#isOpenMetrics) this.#text += `${buckets}+Inf"} ${count}\n`;
    this.#text += `${name}_sum${all} ${histogram.sumMicros / 1e6}\n${name}_count${all} ${count}\n`;
    if (this.#hasCreated) this.#addCreated(all, histogram.createdMs);
  };

  /** Cumulative, as Prometheus has them; those of the ledger are not. @param start of each line, up to the bound. */
  #addBuckets(histogram: Histogram, start: string, exemplars: Exemplars | undefined): void {
    const { boundsMicros } = histogram;
    let lines = '';
    let count = 0;
    for (let i = 0; i <= boundsMicros.length; i++) {
      count += histogram.bucket(i);
      const exemplar =
        exemplars === undefined ? undefined : bucketExemplar(exemplars, histogram, i);
      const end = exemplar === undefined ? '\n' : `${exemplarText(exemplar)}\n`;
      lines += `${start}${boundText(boundsMicros[i])}"} ${count}${end}`;
    }
    this.#text += lines;
  }

  #addCreated(labels: string, createdMs: number): void {
    this.#text += `${this.#name}_created${labels} ${createdMs / 1000}\n`;
  }

  /** In braces; empty without any. */
  #allLabels({ text }: SampleLabels): string {
    if (this.#labels !== '') return `${this.#labels}${text}}`;
    return text === '' ? '' : `{${text.slice(1)}}`;
  }
}

function exemplarText(exemplar: Exemplar): string {
  const { value, atMs } = exemplar;
  const labels = labelText(exemplarLabels(exemplar), '{');
  return ` # ${labels}} ${value} ${atMs / 1000}`;
}

const boundTexts = new Map<number | undefined, string>();

/** Seconds; a whole number has one decimal, as OpenMetrics requires. */
function boundText(micros: number | undefined): string {
  const known = boundTexts.get(micros);
  if (known !== undefined) return known;
  const seconds = micros === undefined ? '+Inf' : String(micros / 1e6);
  const text = /^\d+$/.test(seconds) ? `${seconds}.0` : seconds;
  boundTexts.set(micros, text);
  return text;
}

function escapeHelp(help: string): string {
  return help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}
