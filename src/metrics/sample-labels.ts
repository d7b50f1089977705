/** Labels as the formats of `/metrics` have them. */

import { isPlainLabelName, type ReservedLabel } from '../shared/labels.js';
import { ReverseWriter } from './protobuf/reverse-writer.js';

export type Labels = Readonly<Record<string, string>>;

/** The labels of a sample beyond those of its row. */
export class SampleLabels {
  readonly #labels: Labels;
  #text: string | undefined;
  #bytes: string | undefined;

  constructor(labels: Labels) {
    this.#labels = labels;
  }

  /** `,code="200"`. */
  get text(): string {
    this.#text ??= labelText(this.#labels);
    return this.#text;
  }

  /** As {@link labelBytes}. */
  get bytes(): string {
    this.#bytes ??= labelBytes(this.#labels);
    return this.#bytes;
  }
}

export const NO_LABELS = new SampleLabels({});

/** Labels that users cannot set. */
export function reservedLabels(
  labels: Readonly<Partial<Record<ReservedLabel, string>>>,
): SampleLabels {
  return new SampleLabels(labels);
}

/** One label that has few values; the result is made once for each. */
export function labelOf(name: ReservedLabel): (value: string) => SampleLabels {
  const known = new Map<string, SampleLabels>();
  return (value) => {
    const labels = known.get(value) ?? new SampleLabels({ [name]: value });
    known.set(value, labels);
    return labels;
  };
}

/** `,a="1","b.c"="2"` with escaped values; `{a="1","b.c"="2"` with `{` as `opening`. */
export function labelText(labels: Labels, opening = ','): string {
  return Object.entries(labels)
    .map(([name, value], i) => {
      const shown = isPlainLabelName(name) ? name : `"${escapeLabel(name)}"`;
      return `${i === 0 ? opening : ','}${shown}="${escapeLabel(value)}"`;
    })
    .join('');
}

function escapeLabel(value: string): string {
  if (!/[\\"\n]/.test(value)) return value;
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

const writer = new ReverseWriter();

/**
 * The fields `label` of a message, such as io.prometheus.client.Metric; one character for each byte,
 * which takes less memory than a Buffer.
 */
export function labelBytes(labels: Labels): string {
  writer.clear();
  for (const [name, value] of Object.entries(labels).reverse()) {
    const end = writer.length;
    writer.string(2, value);
    writer.string(1, name);
    writer.message(1, end);
  }
  return writer.text();
}
