/** Collects errors and the expiry of the result during a search for server locations. */

import type { ResolutionFailure, ResolutionStep } from '../../shared/resolution.js';
import type { LookupResult } from './lookup-cache.js';
import { isNegativeAnswer, type RecordType } from './records.js';

export interface LookupError {
  readonly reason: ResolutionFailure;
  readonly detail: string;
}

/**
 * The part of a result that is unknown because a lookup was not answered: the addresses of one family;
 * another service (NAPTR or SRV records) than the one that was used; some of the locations.
 */
export type MissingPart = 'family' | 'service' | 'locations';

/** How much a failure explains, the most important last. */
const WEIGHTS = ['absent', 'unusable', 'unknown', 'local'] as const;
type Weight = (typeof WEIGHTS)[number];

interface ReportedFailure extends LookupError {
  readonly weight: Weight;
  /** Undefined for a record that was received but cannot be used. */
  readonly question: { readonly name: string; readonly type: RecordType } | undefined;
}

/** Maximum number of names listed in one sentence. */
const MAX_NAMES = 4;
const MAX_SENTENCES = 20;

export class LocateReport {
  /** Monotonic, milliseconds. */
  expiresAtMs = Number.POSITIVE_INFINITY;
  /** `TYPE NAME` of each lookup that was not answered. */
  readonly unanswered = new Set<string>();
  /** The same for lookups of one address family when the other family was answered. */
  readonly unansweredBeside = new Set<string>();
  /** Number of records and addresses that are not used because there are too many. */
  cut = 0;
  readonly #failures: ReportedFailure[] = [];
  readonly #remarks = new Set<string>();
  #missing: MissingPart | undefined;

  /** @param previousSteps the records that led to this lookup, so it is expected to have an answer. */
  addLookup(
    { answer, expiresAtMs }: LookupResult,
    name: string,
    type: RecordType,
    previousSteps: readonly ResolutionStep[],
  ): void {
    if (answer.kind === 'records') {
      this.expiresAtMs = Math.min(this.expiresAtMs, expiresAtMs);
      const { cut = 0, records } = answer;
      if (cut > 0) this.addCut(cut, `${type} of ${name}`, records.length + cut);
      return;
    }
    const { reason } = answer;
    const isUnknown = !isNegativeAnswer(reason);
    if (isUnknown) this.unanswered.add(`${type} ${name}`);
    const parent = previousSteps.at(-1);
    const negativeWeight = parent === undefined ? 'absent' : 'unusable';
    const weight = reason === 'local' ? 'local' : isUnknown ? 'unknown' : negativeWeight;
    const text = answer.detail === '' ? reason : `${reason}, ${answer.detail}`;
    const detail =
      parent === undefined ? text : `${text} (target of ${parent.type} of ${parent.name})`;
    this.#failures.push({ weight, reason, detail, question: { name, type } });
  }

  addUnusableRecord(detail: string): void {
    this.#failures.push({ weight: 'unusable', reason: 'nodata', detail, question: undefined });
  }

  /** A record says that there is no such service. */
  addDeniedService(name: string, type: RecordType, detail: string): void {
    this.#failures.push({ weight: 'absent', reason: 'nodata', detail, question: { name, type } });
  }

  /** Adds a sentence after the failures. */
  addRemark(text: string): void {
    this.#remarks.add(text);
  }

  /** Records of a lookup that are not used because there are too many. */
  addCut(count: number, what: string, all: number): void {
    this.cut += count;
    this.addRemark(`${what}: ${all} records, ${count} of them not used`);
  }

  markMissing(part: MissingPart): void {
    const isWorse =
      this.#missing === undefined || this.#missing === 'family' || part === 'locations';
    if (isWorse) this.#missing = part;
  }

  /** The current service led to no location, so the next one is tried. */
  markFallback(): void {
    if (this.#missing === 'locations') this.#missing = 'service';
  }

  get missing(): MissingPart | undefined {
    return this.#missing;
  }

  /** Whether a lookup failed because of an error of the exporter's own host. */
  get hasLocalError(): boolean {
    return this.#failures.some(({ weight }) => weight === 'local');
  }

  /** Whether every failed lookup had a negative answer. */
  get isNegative(): boolean {
    return this.#failures.every(({ weight }) => weight === 'absent');
  }

  /** The most important failures as one error. */
  get error(): LookupError {
    const weight = WEIGHTS.findLast((one) => this.#failures.some((f) => f.weight === one));
    const heaviest = this.#failures.filter((failure) => failure.weight === weight);
    // Of negative answers the last one counts: it is about the host itself.
    const { reason = 'nodata' } = (weight === 'absent' ? heaviest.at(-1) : heaviest[0]) ?? {};
    const text = sentences(heaviest).join('; ') || 'no such record';
    return { reason, detail: [text, ...this.#remarks].join('; ') };
  }

  /** A sentence for each failure of a search with a result; expected negative answers are omitted. */
  get errors(): readonly string[] {
    const unexpected = this.#failures.filter(({ weight }) => weight !== 'absent');
    return [...unexpected.flatMap((failure) => sentences([failure])), ...this.#remarks];
  }

  /** Sentences for all failures of a search without a result, the most important first. */
  get allErrors(): readonly string[] {
    const byWeight = WEIGHTS.toReversed().map((weight) =>
      sentences(this.#failures.filter((failure) => failure.weight === weight)),
    );
    return [...byWeight.flat(), ...this.#remarks];
  }
}

/** One sentence for each detail: `A and AAAA of a.test, SRV of _sip._udp.a.test: nodata`. */
function sentences(failures: readonly ReportedFailure[]): readonly string[] {
  const typesByDetail = new Map<string, Map<string, RecordType[]>>();
  for (const { detail, question } of failures) {
    const typesByName = typesByDetail.get(detail) ?? new Map<string, RecordType[]>();
    typesByDetail.set(detail, typesByName);
    if (question === undefined) continue;
    const { name, type } = question;
    typesByName.set(name, [...(typesByName.get(name) ?? []), type]);
  }
  const all = [...typesByDetail].map(([detail, typesByName]) =>
    typesByName.size === 0 ? detail : `${questionsText(typesByName)}: ${detail}`,
  );
  const rest = all.length - MAX_SENTENCES;
  return rest <= 0 ? all : [...all.slice(0, MAX_SENTENCES), `and ${rest} more errors`];
}

function questionsText(typesByName: ReadonlyMap<string, readonly RecordType[]>): string {
  const namesByTypes = new Map<string, string[]>();
  for (const [name, types] of typesByName) {
    const typesText = joined([...new Set(types)]);
    namesByTypes.set(typesText, [...(namesByTypes.get(typesText) ?? []), name]);
  }
  return [...namesByTypes]
    .map(([types, names]) => {
      const rest = names.length - MAX_NAMES;
      const listed = rest > 0 ? [...names.slice(0, MAX_NAMES), `${rest} more`] : names;
      return `${types} of ${joined(listed)}`;
    })
    .join(', ');
}

function joined(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
