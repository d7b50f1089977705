/** The labels of destinations and targets as a format has them, made once: they are the same in every scrape. */

import type { Destination, RegisteredDestination, TargetAddress } from '../shared/destination.js';
import { isPlainLabelName } from '../shared/labels.js';
import type { Escaping, Format } from './format.js';
import { escapedLabels } from './label-names.js';
import { type Labels, labelBytes, labelText } from './sample-labels.js';

/** Which labels of users the metrics have; all when neither is given. */
export interface LabelFilter {
  /** These alone. */
  readonly keep?: readonly string[] | undefined;
  /** All but these. */
  readonly drop?: readonly string[] | undefined;
}

/** By what they belong to: text, or bytes as `labelBytes` makes them. */
interface Known {
  readonly destinations: WeakMap<Destination, string>;
  readonly targets: WeakMap<TargetAddress, string>;
}

/** The labels as one encoding has them. */
class EncodedLabels {
  /** Makes them from all labels of a row. */
  readonly encode: (labels: Labels) => string;
  /** Those that are the same for every escaping. */
  readonly #plain = nothingKnown();
  readonly #escaped = new Map<Escaping, Known>();

  constructor(encode: (labels: Labels) => string) {
    this.encode = encode;
  }

  ofDestination(destination: Destination, escaping: Escaping): string | undefined {
    const plain = this.#plain.destinations.get(destination);
    return plain ?? this.#escaped.get(escaping)?.destinations.get(destination);
  }

  ofTarget(target: TargetAddress, escaping: Escaping): string | undefined {
    const plain = this.#plain.targets.get(target);
    return plain ?? this.#escaped.get(escaping)?.targets.get(target);
  }

  into(isPlain: boolean, escaping: Escaping): Known {
    if (isPlain) return this.#plain;
    const known = this.#escaped.get(escaping) ?? nothingKnown();
    this.#escaped.set(escaping, known);
    return known;
  }
}

export class RowLabels {
  readonly #filter: LabelFilter;
  readonly #text = new EncodedLabels((labels) => labelText(labels, '{'));
  readonly #bytes = new EncodedLabels(labelBytes);

  constructor(filter: LabelFilter = {}) {
    this.#filter = filter;
  }

  /** `{destination="x",site="y"`, without the closing brace; or the same as protobuf. */
  destination({ destination }: RegisteredDestination, format: Format): string {
    const { escaping } = format;
    const encoded = this.#encodedFor(format);
    const known = encoded.ofDestination(destination, escaping);
    if (known !== undefined) return known;
    const { labels, isPlain } = this.#labelsOf(destination, escaping);
    const made = encoded.encode({ destination: destination.name, ...labels });
    encoded.into(isPlain, escaping).destinations.set(destination, made);
    return made;
  }

  /** `{destination="x",transport="udp",address="192.0.2.1:5060",site="y"`, in the same form. */
  target({ destination }: RegisteredDestination, target: TargetAddress, format: Format): string {
    const { escaping } = format;
    const encoded = this.#encodedFor(format);
    const known = encoded.ofTarget(target, escaping);
    if (known !== undefined) return known;
    const { labels, isPlain } = this.#labelsOf(destination, escaping);
    const { transport, address } = target;
    const made = encoded.encode({ destination: destination.name, transport, address, ...labels });
    encoded.into(isPlain, escaping).targets.set(target, made);
    return made;
  }

  #encodedFor({ encoding }: Format): EncodedLabels {
    return encoding === 'protobuf' ? this.#bytes : this.#text;
  }

  /** The labels that the filter keeps, under the names that they are exposed by. */
  #labelsOf({ labels }: Destination, escaping: Escaping) {
    const { keep, drop } = this.#filter;
    const kept = Object.entries(labels).filter(
      ([name]) => (keep?.includes(name) ?? true) && drop?.includes(name) !== true,
    );
    const isPlain = kept.every(([name]) => isPlainLabelName(name));
    const all = Object.fromEntries(kept);
    return { labels: isPlain ? all : escapedLabels(all, escaping), isPlain };
  }
}

function nothingKnown(): Known {
  return { destinations: new WeakMap(), targets: new WeakMap() };
}
