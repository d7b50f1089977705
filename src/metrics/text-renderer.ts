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
      lines.labels = labels;
      lines.createdMs = createdMs;
      if (family.type === 'histogram') family.histograms(row, lines.histogram);
      else family.samples(row, lines.sample);
      if (lines.text.length < PIECE_LENGTH) continue;
      yield lines.text;
      lines.text = '';
    }
    yield lines.text;
  }
}

/** The lines of one family. */
class FamilyLines {
  text: string;
  /** Of the row at hand. */
  labels = '';
  createdMs = 0;
  readonly #name: string;
  readonly #sampleName: string;
  readonly #isClassic: boolean;
  readonly #isOpenMetrics: boolean;
  readonly #hasCreated: boolean;

  constructor(family: Family<never>, isOpenMetrics: boolean, settings: RenderSettings) {
    const { name, type, help } = family;
    // OpenMetrics 1.0 names a counter's family without the suffix of its samples.
    this.#name = isOpenMetrics && type === 'counter' ? name.replace(/_total$/, '') : name;
    this.#sampleName = name;
    this.#isClassic = settings.histograms !== 'native';
    this.#isOpenMetrics = isOpenMetrics;
    this.#hasCreated = isOpenMetrics && settings.isCreatedShown && type !== 'gauge';
    const unit = isOpenMetrics ? unitOf(this.#name) : '';
    this.text = `# HELP ${this.#name} ${escapeHelp(help)}\n# TYPE ${this.#name} ${type}\n`;
    if (unit !== '') this.text += `# UNIT ${this.#name} ${unit}\n`;
  }

  readonly sample = (
    value: number,
    labels: SampleLabels = NO_LABELS,
    exemplar?: Exemplar,
  ): void => {
    const all = this.#withRow(labels);
    this.text += `${this.#sampleName}${closed(all)} ${value}${exemplarText(exemplar)}\n`;
    if (this.#hasCreated) this.#created(all, this.createdMs);
  };

  readonly histogram = (
    histogram: Histogram,
    labels: SampleLabels = NO_LABELS,
    exemplars?: Exemplars,
  ): void => {
    const name = this.#sampleName;
    const all = this.#withRow(labels);
    const { count } = histogram;
    if (this.#isClassic) this.#buckets(histogram, all, exemplars);
    // OpenMetrics requires this bucket of every histogram.
    else if (this.#isOpenMetrics)
      this.text += `${name}_bucket${withBound(all, undefined)} ${count}\n`;
    const end = closed(all);
    this.text += `${name}_sum${end} ${histogram.sumMicros / 1e6}\n${name}_count${end} ${count}\n`;
    if (this.#hasCreated) this.#created(all, histogram.createdMs);
  };

  /** Cumulative, as Prometheus has them; those of the ledger are not. */
  #buckets(histogram: Histogram, labels: string, exemplars: Exemplars | undefined): void {
    const { boundsMicros } = histogram;
    const name = `${this.#sampleName}_bucket`;
    let count = 0;
    for (let i = 0; i <= boundsMicros.length; i++) {
      count += histogram.bucket(i);
      const exemplar = exemplarText(bucketExemplar(exemplars, histogram, i));
      this.text += `${name}${withBound(labels, boundsMicros[i])} ${count}${exemplar}\n`;
    }
  }

  #created(labels: string, createdMs: number): void {
    this.text += `${this.#name}_created${closed(labels)} ${createdMs / 1000}\n`;
  }

  #withRow({ text }: SampleLabels): string {
    return this.labels === '' && text !== '' ? `{${text.slice(1)}` : this.labels + text;
  }
}

/** Empty without one. */
function exemplarText(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return '';
  const { value, atMs } = exemplar;
  const labels = labelText(exemplarLabels(exemplar), '{');
  return ` # ${labels}} ${value} ${atMs / 1000}`;
}

function closed(labels: string): string {
  return labels === '' ? '' : `${labels}}`;
}

function withBound(labels: string, micros: number | undefined): string {
  return `${labels === '' ? '{' : `${labels},`}le="${boundText(micros)}"}`;
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
