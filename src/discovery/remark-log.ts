/** Logs the remarks about the entries of one source, each once. */

import type { LogEvent } from '../shared/log-events.js';
import type { LogLine } from '../shared/protocol.js';
import type { Reconciled, Remark } from './found.js';

/** Maximum number of remarks that are logged after one read. */
const MAX_LINES = 20;
/** Number of remarks that are remembered, so that only new ones are logged. */
const MAX_REMEMBERED = 1_000;

const TEXTS: Readonly<
  Record<Remark['kind'], { readonly event: LogEvent; readonly message: string }>
> = {
  skipped: { event: 'entry_skipped', message: 'entry skipped; it is not monitored' },
  adjusted: { event: 'entry_adjusted', message: 'entry is not used as written' },
  duplicate: { event: 'entry_duplicate', message: 'entry repeats an earlier one' },
  empty: { event: 'source_empty', message: 'source has no destination' },
};

export class RemarkLog {
  readonly #source: string;
  readonly #log: (line: LogLine) => void;
  /** The first remarks of the last read. */
  #remembered: ReadonlySet<string> = new Set();
  readonly #renamed = new Set<string>();

  constructor(source: string, log: (line: LogLine) => void) {
    this.#source = source;
    this.#log = log;
  }

  /** Logs new remarks, which the previous read did not have. */
  write(remarks: readonly Remark[]): void {
    const first = remarks.slice(0, MAX_REMEMBERED);
    const added = first.filter((one) => !this.#remembered.has(keyOf(one)));
    this.#remembered = new Set(first.map(keyOf));
    for (const { kind, place, reason } of added.slice(0, MAX_LINES)) {
      const { event, message } = TEXTS[kind];
      this.#warn(event, message, { place, reason });
    }
    const count = added.length + remarks.length - first.length - MAX_LINES;
    if (added.length === 0 || count <= 0) return;
    this.#warn('remarks_truncated', 'further entries skipped, adjusted or duplicate', { count });
  }

  /** Logs each label once, because every target of the source may have it. */
  writeRenamed(renamed: Reconciled['renamed']): void {
    for (const [label, exposed] of renamed) {
      if (this.#renamed.has(label) || this.#renamed.size >= MAX_REMEMBERED) continue;
      this.#renamed.add(label);
      this.#warn('label_renamed', 'label is renamed in the metrics', { label, exposed });
    }
  }

  /** Logs destinations with new names, whose series begin again. */
  writeRenamedDestinations(renamed: Reconciled['renamedDestinations']): void {
    for (const { from, to } of renamed.slice(0, MAX_LINES)) {
      this.#warn('destination_renamed', 'destination has a new name, and its series begin again', {
        ...{ destination: to, previous: from },
      });
    }
    const count = renamed.length - MAX_LINES;
    if (count > 0)
      this.#warn('renames_truncated', 'further destinations have new names', { count });
  }

  #warn(event: LogEvent, message: string, fields: LogLine['fields']): void {
    this.#log({ level: 'warn', event, message, fields: { source: this.#source, ...fields } });
  }
}

function keyOf({ place, reason }: Remark): string {
  return `${place} ${reason}`;
}
