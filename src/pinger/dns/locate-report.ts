/** What a search for places finds out on the way: how long it holds, and what failed, in words. */

import type { ResolutionFailure, ResolutionStep } from '../../shared/resolution.js';
import type { LookupResult } from './lookup-cache.js';
import { isNegativeAnswer, type RecordType } from './records.js';

/** What could not be learnt. */
export interface LookupError {
  readonly reason: ResolutionFailure;
  readonly detail: string;
}

/**
 * What is missing because a look-up was not answered: addresses of one family beside those of the
 * other; another way than the one that was taken; some of the places.
 */
export type MissingPart = 'family' | 'service' | 'locations';

/** How much a failure says, the most at the end. */
const WEIGHTS = ['absent', 'unusable', 'unknown', 'local'] as const;
type Weight = (typeof WEIGHTS)[number];

interface ReportedFailure extends LookupError {
  readonly weight: Weight;
  /** Undefined where a record was answered that cannot be used. */
  readonly question: { readonly name: string; readonly type: RecordType } | undefined;
}

/** Names that a sentence lists; there may be very many. */
const MAX_NAMED = 4;
/** Sentences about failures. */
const MAX_SENTENCES = 20;

export class LocateReport {
  expiresAtMs = Number.POSITIVE_INFINITY;
  /** `TYPE NAME` of each look-up that was not answered. */
  readonly unanswered = new Set<string>();
  /** The same of one family's look-up beside an answer of the other. */
  readonly unansweredBeside = new Set<string>();
  /** Records and addresses that are not followed, because there are too many. */
  cut = 0;
  readonly #failures: ReportedFailure[] = [];
  readonly #remarks = new Set<string>();
  #missing: MissingPart | undefined;

  /** @param before the records that lead there, so that there should be such a record. */
  addLookup(
    { answer, expiresAtMs }: LookupResult,
    name: string,
    type: RecordType,
    before: readonly ResolutionStep[],
  ): void {
    if (answer.kind === 'records') {
      this.expiresAtMs = Math.min(this.expiresAtMs, expiresAtMs);
      const { cut = 0, records } = answer;
      if (cut > 0) {
        const all = records.length + cut;
        this.addCut(cut, `${type} of ${name}: ${all} records, of which ${cut} are not followed`);
      }
      return;
    }
    const { reason, detail } = answer;
    const isUnknown = !isNegativeAnswer(reason);
    if (isUnknown) this.unanswered.add(`${type} ${name}`);
    const leader = before.at(-1);
    const known = leader === undefined ? 'absent' : 'unusable';
    const weight = reason === 'local' ? 'local' : isUnknown ? 'unknown' : known;
    const said = detail === '' ? reason : `${reason}, ${detail}`;
    const why =
      leader === undefined ? said : `${said} (${leader.type} of ${leader.name} leads there)`;
    this.#failures.push({ weight, reason, detail: why, question: { name, type } });
  }

  /** A record that was answered cannot be used. */
  addUnusableRecord(why: string): void {
    this.#failures.push({ weight: 'unusable', reason: 'nodata', detail: why, question: undefined });
  }

  /** It is certain, by a record that says so, that there is nothing. */
  addDeniedService(name: string, type: RecordType, why: string): void {
    this.#failures.push({
      weight: 'absent',
      reason: 'nodata',
      detail: why,
      question: { name, type },
    });
  }

  /** Something to be said beside the failures. */
  addRemark(what: string): void {
    this.#remarks.add(what);
  }

  /** So many records or addresses are not followed, because there are too many. */
  addCut(count: number, why: string): void {
    this.cut += count;
    this.addRemark(why);
  }

  markMissing(what: MissingPart): void {
    const isWorse =
      this.#missing === undefined || this.#missing === 'family' || what === 'locations';
    if (isWorse) this.#missing = what;
  }

  /** What was looked for led nowhere, and another way is taken. */
  markFallback(): void {
    if (this.#missing === 'locations') this.#missing = 'service';
  }

  get missing(): MissingPart | undefined {
    return this.#missing;
  }

  /** Nothing could be asked, by a fault of our own. */
  get hasLocalError(): boolean {
    return this.#failures.some(({ weight }) => weight === 'local');
  }

  /** It is certain of every look-up that there is no such record. */
  get isNegative(): boolean {
    return this.#failures.every(({ weight }) => weight === 'absent');
  }

  /** The weightiest failure, in words with all that failed in the same way. */
  get error(): LookupError {
    const weight = WEIGHTS.findLast((one) => this.#failures.some((f) => f.weight === one));
    const mine = this.#failures.filter((failure) => failure.weight === weight);
    // Of what is absent the last was asked for: the host itself.
    const { reason = 'nodata' } = (weight === 'absent' ? mine.at(-1) : mine[0]) ?? {};
    const why = sentences(mine).join('; ') || 'there is no such record';
    return { reason, detail: [why, ...this.#remarks].join('; ') };
  }

  /** Everything that failed where there should have been something, in words. */
  get errors(): readonly string[] {
    const told = this.#failures.filter(({ weight }) => weight !== 'absent');
    return [...told.flatMap((failure) => sentences([failure])), ...this.#remarks];
  }

  /** The same of a search that found no place at all, what says most first. */
  get allErrors(): readonly string[] {
    const lists = WEIGHTS.toReversed().map((weight) =>
      sentences(this.#failures.filter((failure) => failure.weight === weight)),
    );
    return [...lists.flat(), ...this.#remarks];
  }
}

/** `A and AAAA of a.test, SRV of _sip._udp.a.test: nodata`, one sentence for each way to fail. */
function sentences(failures: readonly ReportedFailure[]): readonly string[] {
  const byWhy = new Map<string, Map<string, RecordType[]>>();
  for (const { detail, question } of failures) {
    const byName = byWhy.get(detail) ?? new Map<string, RecordType[]>();
    byWhy.set(detail, byName);
    if (question !== undefined)
      byName.set(question.name, [...(byName.get(question.name) ?? []), question.type]);
  }
  const all = [...byWhy].map(([why, byName]) =>
    byName.size === 0 ? why : `${listed(byName)}: ${why}`,
  );
  const rest = all.length - MAX_SENTENCES;
  return rest <= 0 ? all : [...all.slice(0, MAX_SENTENCES), `and ${rest} more like these`];
}

function listed(byName: ReadonlyMap<string, readonly RecordType[]>): string {
  const namesOf = new Map<string, string[]>();
  for (const [name, types] of byName) {
    const kind = joined([...new Set(types)]);
    namesOf.set(kind, [...(namesOf.get(kind) ?? []), name]);
  }
  return [...namesOf]
    .map(([types, names]) => {
      const more = names.length - MAX_NAMED;
      const shown = more > 0 ? [...names.slice(0, MAX_NAMED), `${more} more`] : names;
      return `${types} of ${joined(shown)}`;
    })
    .join(', ');
}

function joined(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
