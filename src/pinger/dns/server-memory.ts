/**
 * Remembers for each DNS server whether it answers, how fast, and whether it accepts OPT records (RFC 6891
 * 6.2.2).
 */

import type { Clock } from '../time/clock.js';
import { type DnsServer, serverLabel } from './server.js';

/** How long a silent server is queried last; doubles with each further failure. */
const FIRST_PENALTY_MS = 10_000;
const MAX_PENALTY_MS = 300_000;
/** How long a server that rejects OPT records is queried without them. */
const WITHOUT_OPT_MS = 3_600_000;
/** Limits of the time after which another server is queried in parallel. */
const MIN_HEDGE_DELAY_MS = 200;
const MAX_HEDGE_DELAY_MS = 500;
/** That time, as a multiple of the smoothed response time. */
const HEDGE_FACTOR = 3;
/** Weight of one answer in the smoothed response time, as in RFC 6298 2.3. */
const SMOOTHING = 1 / 8;

/** All times are monotonic milliseconds. */
interface ServerRecord {
  /** Smoothed; undefined before the first answer. */
  responseMs: number | undefined;
  lastAnswerAtMs: number;
  /** Until then the server is queried last; minus infinity while it answers. */
  penaltyUntilMs: number;
  penaltyMs: number;
  lastSilenceAtMs: number;
  /** Whether it has answered a query with an OPT record. */
  supportsEdns: boolean;
  withoutOptUntilMs: number;
}

export class ServerMemory {
  readonly #clock: Clock;
  readonly #records = new Map<string, ServerRecord>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The order of servers for one lookup, and how many of them to query at once. Servers that answer come
   * first. A silent server whose penalty has ended comes second, with `atOnce` 2: this lookup tests it in
   * parallel and loses no time, while other lookups still query it last.
   */
  queryOrder(servers: readonly DnsServer[]): { servers: readonly DnsServer[]; atOnce: 1 | 2 } {
    const answering = servers.filter((server) => !this.#isSilent(server));
    const silent = servers.filter((server) => this.#isSilent(server));
    const due = silent.find((server) => this.#recordOf(server).penaltyUntilMs <= this.#clock.now());
    if (due === undefined || answering.length === 0) {
      return { servers: [...answering, ...silent], atOnce: 1 };
    }
    const record = this.#recordOf(due);
    record.penaltyUntilMs = this.#clock.now() + record.penaltyMs;
    const [first, ...others] = [...answering, ...silent.filter((server) => server !== due)];
    return { servers: first === undefined ? [due] : [first, due, ...others], atOnce: 2 };
  }

  /** Wait for the server before another one is queried in parallel, milliseconds. */
  hedgeDelayMs(server: DnsServer): number {
    const { responseMs } = this.#recordOf(server);
    if (responseMs === undefined) return MAX_HEDGE_DELAY_MS;
    return Math.min(Math.max(HEDGE_FACTOR * responseMs, MIN_HEDGE_DELAY_MS), MAX_HEDGE_DELAY_MS);
  }

  /** The server answered a query that was sent at `sentAtMs`, in any way. */
  recordAnswer(server: DnsServer, sentAtMs: number): void {
    const record = this.#recordOf(server);
    const now = this.#clock.now();
    const { responseMs = now - sentAtMs } = record;
    record.responseMs = responseMs + SMOOTHING * (now - sentAtMs - responseMs);
    record.lastAnswerAtMs = now;
    record.penaltyUntilMs = Number.NEGATIVE_INFINITY;
    record.penaltyMs = 0;
  }

  /** The server did not answer a query that was sent at `sentAtMs`. */
  recordSilence(server: DnsServer, sentAtMs: number): void {
    const record = this.#recordOf(server);
    // It has answered other queries since, or another query has already recorded its silence.
    if (record.lastAnswerAtMs >= sentAtMs || record.lastSilenceAtMs >= sentAtMs) return;
    const { penaltyMs } = record;
    const nextMs = penaltyMs === 0 ? FIRST_PENALTY_MS : 2 * penaltyMs;
    record.penaltyMs = Math.min(nextMs, MAX_PENALTY_MS);
    record.lastSilenceAtMs = this.#clock.now();
    record.penaltyUntilMs = this.#clock.now() + record.penaltyMs;
    // When the address answers again, it may be a different server.
    record.supportsEdns = false;
  }

  /** Whether queries to the server may carry an OPT record. */
  maySendEdns(server: DnsServer): boolean {
    return this.#clock.now() >= this.#recordOf(server).withoutOptUntilMs;
  }

  /** Whether the server has answered queries with an OPT record. */
  supportsEdns(server: DnsServer): boolean {
    return this.#recordOf(server).supportsEdns;
  }

  /** @param supportsEdns false when the server answers only queries without an OPT record. */
  recordEdnsSupport(server: DnsServer, supportsEdns: boolean): void {
    const record = this.#recordOf(server);
    record.supportsEdns = supportsEdns;
    record.withoutOptUntilMs = supportsEdns
      ? Number.NEGATIVE_INFINITY
      : this.#clock.now() + WITHOUT_OPT_MS;
  }

  /** Forgets all other servers. */
  keepOnly(servers: readonly DnsServer[]): void {
    const labels = new Set(servers.map(serverLabel));
    for (const label of this.#records.keys()) if (!labels.has(label)) this.#records.delete(label);
  }

  #isSilent(server: DnsServer): boolean {
    return this.#recordOf(server).penaltyUntilMs > Number.NEGATIVE_INFINITY;
  }

  #recordOf(server: DnsServer): ServerRecord {
    const label = serverLabel(server);
    const known = this.#records.get(label);
    if (known !== undefined) return known;
    const record: ServerRecord = {
      responseMs: undefined,
      lastAnswerAtMs: Number.NEGATIVE_INFINITY,
      penaltyUntilMs: Number.NEGATIVE_INFINITY,
      penaltyMs: 0,
      lastSilenceAtMs: Number.NEGATIVE_INFINITY,
      supportsEdns: false,
      withoutOptUntilMs: Number.NEGATIVE_INFINITY,
    };
    this.#records.set(label, record);
    return record;
  }
}
