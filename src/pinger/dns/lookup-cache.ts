/**
 * Look-ups as the rest asks for them: an answer is used until its time is up, one look-up serves all
 * who want the same, only a few are under way, and each name has its fair turn at them.
 */

import type { Clock } from '../time/clock.js';
import { LookupQueue } from './lookup-queue.js';
import { preferred } from './preference.js';
import { type DnsAnswer, type DnsRecord, isNegativeAnswer, type RecordType } from './records.js';

/** Look-ups under way at one moment, for one name, and look-ups that wait for a turn. */
const BOUNDS = { maxInFlight: 64, maxInFlightPerRequester: 8, maxWaiting: 50_000 } as const;
/** Answers that are kept, and their bytes. */
const MAX_KEPT = 100_000;
const MAX_KEPT_BYTES = 32 * 1024 * 1024;
/** What is left of them once there were too many. */
const KEPT_SHARE = 0.9;
/** Records of one answer: `max_targets` is never more. */
const MAX_RECORDS = 1024;
/** How long it is believed that there is no such record. */
const ABSENT_MS = 5_000;
/** Memory of an answer, and of a record in it, besides its texts. */
const ANSWER_BYTES = 300;
const RECORD_BYTES = 120;

/** An answer, and the monotonic time until which it holds. */
export interface LookupResult {
  readonly answer: DnsAnswer;
  readonly expiresAtMs: number;
}

/** Rejects by a fault of our own alone. */
export type LookupFunction = (name: string, type: RecordType) => Promise<LookupResult>;

/** What is counted of look-ups. */
export interface LookupCounters {
  /** Look-ups under way, and those that wait for a turn. */
  setLookups(inFlight: number, waiting: number): void;
  /** A look-up was not made, because too many waited. */
  recordLookupShed(): void;
  /** Records of an answer are not followed, because there are too many. */
  recordRecordsCut(count: number): void;
}

interface CacheEntry {
  readonly result: Promise<LookupResult>;
  readonly start: (asker: string) => void;
  /** Whose turn it waits for; undefined once it is under way. */
  waitingRequesters: Set<string> | undefined;
  /** Monotonic; infinite until it is answered. */
  expiresAtMs: number;
  bytes: number;
}

export class LookupCache {
  readonly #clock: Clock;
  readonly #ask: (name: string, type: RecordType) => Promise<DnsAnswer>;
  readonly #meter: LookupCounters;
  readonly #turns = new LookupQueue(BOUNDS);
  /** The oldest first. */
  readonly #kept = new Map<string, CacheEntry>();
  #bytes = 0;

  constructor(
    clock: Clock,
    ask: (name: string, type: RecordType) => Promise<DnsAnswer>,
    meter: LookupCounters,
  ) {
    this.#clock = clock;
    this.#ask = ask;
    this.#meter = meter;
  }

  /** Bytes of the answers that are kept, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Look-ups on behalf of one who asks: the name that a destination has. */
  forRequester(asker: string): LookupFunction {
    return async (name, type) => {
      const key = `${type} ${name}`;
      const known = this.#kept.get(key);
      const isKnown = known !== undefined && this.#clock.now() < known.expiresAtMs;
      const entry = isKnown ? known : this.#entryFor(key, name, type);
      if (this.#queue(entry, asker)) return entry.result;
      if (!isKnown) this.#drop(key, entry);
      this.#meter.recordLookupShed();
      const detail = `${BOUNDS.maxWaiting} look-ups wait already`;
      const answer: DnsAnswer = { kind: 'failed', reason: 'local', detail };
      return { answer, expiresAtMs: this.#clock.now() };
    };
  }

  #entryFor(key: string, name: string, type: RecordType): CacheEntry {
    let begin: (asker: string) => void = () => {};
    const begun = new Promise<string>((resolve) => {
      begin = resolve;
    });
    const lookedUp = begun.then((asker) => this.#answered(key, asker, entry, name, type));
    const entry: CacheEntry = {
      ...{ result: lookedUp, start: begin, waitingRequesters: new Set<string>() },
      ...{ expiresAtMs: Number.POSITIVE_INFINITY, bytes: 0 },
    };
    const old = this.#kept.get(key);
    if (old !== undefined) this.#drop(key, old);
    this.#kept.set(key, entry);
    return entry;
  }

  /** Waits for the asker's turn, unless it is under way. False when too many wait, and nobody for it. */
  #queue(entry: CacheEntry, asker: string): boolean {
    const { waitingRequesters } = entry;
    if (waitingRequesters === undefined || waitingRequesters.has(asker)) return true;
    waitingRequesters.add(asker);
    const isQueued = this.#turns.acquire(asker, () => {
      // Another asker's turn came first.
      if (entry.waitingRequesters === undefined) return queueMicrotask(() => this.#endTurn(asker));
      entry.waitingRequesters = undefined;
      entry.start(asker);
    });
    if (!isQueued) waitingRequesters.delete(asker);
    this.#tell();
    return isQueued || waitingRequesters.size > 0;
  }

  async #answered(
    key: string,
    asker: string,
    entry: CacheEntry,
    name: string,
    type: RecordType,
  ): Promise<LookupResult> {
    try {
      const answer = trimmed(await this.#ask(name, type));
      if (answer.kind === 'records' && answer.cut) this.#meter.recordRecordsCut(answer.cut);
      entry.expiresAtMs = this.#clock.now() + believedMs(answer);
      this.#keep(key, entry, answer);
      return { answer, expiresAtMs: entry.expiresAtMs };
    } catch (error) {
      this.#drop(key, entry);
      throw error;
    } finally {
      this.#endTurn(asker);
    }
  }

  #endTurn(asker: string): void {
    this.#turns.release(asker);
    this.#tell();
  }

  #tell(): void {
    this.#meter.setLookups(this.#turns.inFlight, this.#turns.waiting);
  }

  #keep(key: string, entry: CacheEntry, answer: DnsAnswer): void {
    if (this.#kept.get(key) !== entry) return;
    if (entry.expiresAtMs <= this.#clock.now()) {
      this.#drop(key, entry);
      return;
    }
    entry.bytes = key.length + sizeOf(answer);
    this.#bytes += entry.bytes;
    const isFull = this.#kept.size > MAX_KEPT || this.#bytes > MAX_KEPT_BYTES;
    if (isFull) this.#makeRoom();
  }

  /** Drops what is out of date, and the oldest when that is not enough. */
  #makeRoom(): void {
    const now = this.#clock.now();
    for (const [key, entry] of this.#kept) if (entry.expiresAtMs <= now) this.#drop(key, entry);
    for (const [key, entry] of this.#kept) {
      const isEnough =
        this.#kept.size <= KEPT_SHARE * MAX_KEPT && this.#bytes <= KEPT_SHARE * MAX_KEPT_BYTES;
      if (isEnough) return;
      if (Number.isFinite(entry.expiresAtMs)) this.#drop(key, entry);
    }
  }

  #drop(key: string, entry: CacheEntry): void {
    if (this.#kept.get(key) !== entry) return;
    this.#kept.delete(key);
    this.#bytes -= entry.bytes;
  }
}

function believedMs(answer: DnsAnswer): number {
  if (answer.kind === 'records') return answer.ttlSeconds * 1000;
  return isNegativeAnswer(answer.reason) ? ABSENT_MS : 0;
}

/** The best records of an answer that has too many. */
function trimmed(answer: DnsAnswer): DnsAnswer {
  if (answer.kind === 'failed' || answer.records.length <= MAX_RECORDS) return answer;
  const records = preferred(answer.records).slice(0, MAX_RECORDS);
  return { ...answer, records, cut: answer.records.length - records.length };
}

function sizeOf(answer: DnsAnswer): number {
  if (answer.kind === 'failed') return ANSWER_BYTES + answer.detail.length;
  return answer.records.reduce(
    (sum, record) => sum + RECORD_BYTES + textLength(record),
    ANSWER_BYTES,
  );
}

function textLength(record: DnsRecord): number {
  switch (record.type) {
    case 'SRV':
      return record.target.length;
    case 'NAPTR':
      return record.flags.length + record.service.length + record.replacement.length;
    default:
      return record.address.length;
  }
}
