/** The labels of destinations and targets as text, made once: they are the same in every scrape. */

import type { Destination, RegisteredDestination, TargetAddress } from '../shared/destination.js';
import { isPlainLabelName } from '../shared/labels.js';
import { labelText } from './families.js';
import type { Escaping } from './format.js';
import { escapedLabels } from './label-names.js';

/** Which labels of users the metrics have; all when neither is given. */
export interface LabelFilter {
  /** These alone. */
  readonly keep?: readonly string[] | undefined;
  /** All but these. */
  readonly drop?: readonly string[] | undefined;
}

interface Texts {
  readonly destinations: WeakMap<Destination, string>;
  readonly targets: WeakMap<TargetAddress, string>;
}

export class RowLabels {
  readonly #filter: LabelFilter;
  /** Those that are the same for every escaping. */
  readonly #plain = noTexts();
  readonly #escaped = new Map<Escaping, Texts>();

  constructor(filter: LabelFilter = {}) {
    this.#filter = filter;
  }

  /** `{destination="x",site="y"`, without the closing brace. */
  destination({ destination }: RegisteredDestination, escaping: Escaping): string {
    const known =
      this.#plain.destinations.get(destination) ??
      this.#escaped.get(escaping)?.destinations.get(destination);
    if (known !== undefined) return known;
    const { labels, isPlain } = this.#labelsOf(destination, escaping);
    const text = labelText({ destination: destination.name, ...labels }, '{');
    this.#textsOf(isPlain, escaping).destinations.set(destination, text);
    return text;
  }

  /** `{destination="x",transport="udp",address="192.0.2.1:5060",site="y"`, without the closing brace. */
  target(
    { destination }: RegisteredDestination,
    target: TargetAddress,
    escaping: Escaping,
  ): string {
    const known =
      this.#plain.targets.get(target) ?? this.#escaped.get(escaping)?.targets.get(target);
    if (known !== undefined) return known;
    const { labels, isPlain } = this.#labelsOf(destination, escaping);
    const { transport, address } = target;
    const all = { destination: destination.name, transport, address, ...labels };
    const text = labelText(all, '{');
    this.#textsOf(isPlain, escaping).targets.set(target, text);
    return text;
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

  #textsOf(isPlain: boolean, escaping: Escaping): Texts {
    if (isPlain) return this.#plain;
    const texts = this.#escaped.get(escaping) ?? noTexts();
    this.#escaped.set(escaping, texts);
    return texts;
  }
}

function noTexts(): Texts {
  return { destinations: new WeakMap(), targets: new WeakMap() };
}
