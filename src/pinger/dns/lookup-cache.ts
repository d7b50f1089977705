/**
 * Caches DNS answers for their TTL. Concurrent lookups of the same record share one query. The number of
 * queries in flight is limited, with a fair share for each requester ({@link LookupQueue}).
 */

import type { Clock } from '../time/clock.js';
import { LookupQueue } from './lookup-queue.js';
import { preferred } from './preference.js';
import { type DnsAnswer, type DnsRecord, isNegativeAnswer, type RecordType } from './records.js';

const QUEUE_LIMITS = { maxInFlight: 64, maxInFlightPerRequester: 8, maxWaiting: 50_000 } as const;
const MAX_ANSWERS = 100_000;
const MAX_BYTES = 32 * 1024 * 1024;
/** An eviction reduces the cache to this share of its limits. */
const EVICTED_TO = 0.9;
/** Maximum number of records kept per answer; the setting `max_targets` is never larger. */
const MAX_RECORDS = 1024;
/** How long a negative answer is cached. */
const NEGATIVE_TTL_MS = 5_000;
/** Estimated memory of an answer, and of each record in it, without their texts. */
const ANSWER_BYTES = 300;
const RECORD_BYTES = 120;

export interface LookupResult {
  readonly answer: DnsAnswer;
  /** Monotonic, milliseconds. */
  readonly expiresAtMs: number;
}

/** Rejects only on an internal error. */
export type LookupFunction = (name: string, type: RecordType) => Promise<LookupResult>;

export interface LookupCounters {
  setLookups(inFlight: number, waiting: number): void;
  /** A lookup was rejected because too many were waiting. */
  recordLookupShed(): void;
  /** This number of records was dropped because an answer had too many. */
  recordRecordsCut(count: number): void;
}

interface CacheEntry {
  readonly result: Promise<LookupResult>;
  /** Sends the query on behalf of this requester. */
  readonly start: (requester: string) => void;
  /** Requesters that have this lookup in their queue; undefined once the query is in flight. */
  waitingRequesters: Set<string> | undefined;
  /** Monotonic; infinite until there is an answer. */
  expiresAtMs: number;
  bytes: number;
}

export class LookupCache {
  readonly #clock: Clock;
  readonly #query: (name: string, type: RecordType, requester: string) => Promise<DnsAnswer>;
  readonly #counters: LookupCounters;
  readonly #queue = new LookupQueue(QUEUE_LIMITS);
  /** By `TYPE NAME`, the oldest first. */
  readonly #entries = new Map<string, CacheEntry>();
  #bytes = 0;

  constructor(
    clock: Clock,
    query: (name: string, type: RecordType, requester: string) => Promise<DnsAnswer>,
    counters: LookupCounters,
  ) {
    this.#clock = clock;
    this.#query = query;
    this.#counters = counters;
  }

  /** Estimated size of the cached answers, bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Lookups on behalf of one requester: the host of a destination. */
  forRequester(requester: string): LookupFunction {
    return async (name, type) => {
      const key = `${type} ${name}`;
      const cached = this.#entries.get(key);
      const isValid = cached !== undefined && this.#clock.now() < cached.expiresAtMs;
      const entry = isValid ? cached : this.#addEntry(key, name, type);
      if (this.#enqueue(entry, requester)) return entry.result;
      if (!isValid) this.#delete(key, entry);
      this.#counters.recordLookupShed();
      const detail = `too many DNS lookups are waiting (${QUEUE_LIMITS.maxWaiting})`;
      const answer: DnsAnswer = { kind: 'failed', reason: 'local', detail };
      return { answer, expiresAtMs: this.#clock.now() };
    };
  }

  #addEntry(key: string, name: string, type: RecordType): CacheEntry {
    let start: (requester: string) => void = () => {};
    const started = new Promise<string>((resolve) => {
      start = resolve;
    });
    const result = started.then((requester) => this.#run(key, requester, entry, name, type));
    const entry: CacheEntry = {
      ...{ result, start, waitingRequesters: new Set<string>() },
      ...{ expiresAtMs: Number.POSITIVE_INFINITY, bytes: 0 },
    };
    const expired = this.#entries.get(key);
    if (expired !== undefined) this.#delete(key, expired);
    this.#entries.set(key, entry);
    return entry;
  }

  /** Returns false when the queue is full and no other requester has queued this lookup. */
  #enqueue(entry: CacheEntry, requester: string): boolean {
    const { waitingRequesters } = entry;
    if (waitingRequesters === undefined || waitingRequesters.has(requester)) return true;
    waitingRequesters.add(requester);
    const isQueued = this.#queue.acquire(requester, () => {
      // Another requester has started the query meanwhile.
      if (entry.waitingRequesters === undefined) {
        queueMicrotask(() => this.#release(requester));
        return;
      }
      entry.waitingRequesters = undefined;
      entry.start(requester);
    });
    if (!isQueued) waitingRequesters.delete(requester);
    this.#reportCounts();
    return isQueued || waitingRequesters.size > 0;
  }

  async #run(
    key: string,
    requester: string,
    entry: CacheEntry,
    name: string,
    type: RecordType,
  ): Promise<LookupResult> {
    try {
      const answer = withMaxRecords(await this.#query(name, type, requester));
      if (answer.kind === 'records' && answer.cut) this.#counters.recordRecordsCut(answer.cut);
      entry.expiresAtMs = this.#clock.now() + ttlMs(answer);
      this.#store(key, entry, answer);
      return { answer, expiresAtMs: entry.expiresAtMs };
    } catch (error) {
      this.#delete(key, entry);
      throw error;
    } finally {
      this.#release(requester);
    }
  }

  #release(requester: string): void {
    this.#queue.release(requester);
    this.#reportCounts();
  }

  #reportCounts(): void {
    this.#counters.setLookups(this.#queue.inFlight, this.#queue.waiting);
  }

  #store(key: string, entry: CacheEntry, answer: DnsAnswer): void {
    if (this.#entries.get(key) !== entry) return;
    if (entry.expiresAtMs <= this.#clock.now()) {
      this.#delete(key, entry);
      return;
    }
    entry.bytes = key.length + sizeOf(answer);
    this.#bytes += entry.bytes;
    if (this.#entries.size > MAX_ANSWERS || this.#bytes > MAX_BYTES) this.#evict();
  }

  /** Deletes expired answers, then the oldest ones until the limits are met. */
  #evict(): void {
    const now = this.#clock.now();
    for (const [key, entry] of this.#entries)
      if (entry.expiresAtMs <= now) this.#delete(key, entry);
    for (const [key, entry] of this.#entries) {
      const hasRoom =
        this.#entries.size <= EVICTED_TO * MAX_ANSWERS && this.#bytes <= EVICTED_TO * MAX_BYTES;
      if (hasRoom) return;
      const isAnswered = Number.isFinite(entry.expiresAtMs);
      if (isAnswered) this.#delete(key, entry);
    }
  }

  #delete(key: string, entry: CacheEntry): void {
    if (this.#entries.get(key) !== entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}

function ttlMs(answer: DnsAnswer): number {
  if (answer.kind === 'records') return answer.ttlSeconds * 1000;
  return isNegativeAnswer(answer.reason) ? NEGATIVE_TTL_MS : 0;
}

/** The most preferred records of an answer that has too many. */
function withMaxRecords(answer: DnsAnswer): DnsAnswer {
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
