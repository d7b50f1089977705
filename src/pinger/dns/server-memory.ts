/**
 * What is remembered of DNS servers from one look-up to the next: who is silent, who does not take
 * OPT records (RFC 6891 6.2.2), and how long an answer usually takes.
 */

import type { Clock } from '../time/clock.js';
import { type DnsServer, serverLabel } from './server.js';

/** A server that did not answer is asked last so long; it doubles with each further silence. */
const FIRST_SILENCE_MS = 10_000;
const MAX_SILENCE_MS = 300_000;
/** How long a server is asked without OPT records that it does not take. */
const WITHOUT_OPT_MS = 3_600_000;
/** Bounds on how long one server is waited for before the next one is asked beside it. */
const MIN_PATIENCE_MS = 200;
const MAX_PATIENCE_MS = 500;
/** Patience, as a multiple of the usual time of an answer. */
const PATIENCE = 3;
/** How much one answer counts in the usual time (RFC 6298 2.3 has the same for round trips). */
const SHARE = 1 / 8;

/** All times are monotonic milliseconds. */
interface Remembered {
  /** Smoothed; undefined before the first answer. */
  usualMs: number | undefined;
  lastAnswerAt: number;
  /** Until then it is asked last; minus infinity for a server that answers. */
  silentUntil: number;
  silenceMs: number;
  /** When it was found silent last. */
  foundAt: number;
  /** It has answered a query with an OPT record. */
  takesOpt: boolean;
  withoutOptUntil: number;
}

export class ServerMemory {
  readonly #clock: Clock;
  readonly #known = new Map<string, Remembered>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The servers as they are to be asked: those that answer, then the silent ones. One whose time as a
   * silent one is up comes second, and `atOnce` is 2: one look-up finds out whether it is back, at no
   * cost, while the others leave it last.
   */
  queryOrder(servers: readonly DnsServer[]): { servers: readonly DnsServer[]; atOnce: 1 | 2 } {
    const answering = servers.filter((server) => !this.#isSilent(server));
    const recordSilence = servers.filter((server) => this.#isSilent(server));
    const due = recordSilence.find((server) => this.#of(server).silentUntil <= this.#clock.now());
    if (due === undefined || answering.length === 0) {
      return { servers: [...answering, ...recordSilence], atOnce: 1 };
    }
    const remembered = this.#of(due);
    remembered.silentUntil = this.#clock.now() + remembered.silenceMs;
    const [first, ...others] = [...answering, ...recordSilence.filter((server) => server !== due)];
    return { servers: first === undefined ? [due] : [first, due, ...others], atOnce: 2 };
  }

  /** How long the server is waited for before another one is asked beside it, milliseconds. */
  hedgeDelayMs(server: DnsServer): number {
    const { usualMs } = this.#of(server);
    if (usualMs === undefined) return MAX_PATIENCE_MS;
    return Math.min(Math.max(PATIENCE * usualMs, MIN_PATIENCE_MS), MAX_PATIENCE_MS);
  }

  /** It has answered, with whatever, a query that was sent at `askedAt`. */
  recordAnswer(server: DnsServer, askedAt: number): void {
    const remembered = this.#of(server);
    const now = this.#clock.now();
    const { usualMs = now - askedAt } = remembered;
    remembered.usualMs = usualMs + SHARE * (now - askedAt - usualMs);
    remembered.lastAnswerAt = now;
    remembered.silentUntil = Number.NEGATIVE_INFINITY;
    remembered.silenceMs = 0;
  }

  /** It has not answered a query that was sent at `askedAt`. */
  silent(server: DnsServer, askedAt: number): void {
    const remembered = this.#of(server);
    // Silent on this one question alone, or found silent since by another query.
    if (remembered.lastAnswerAt >= askedAt || remembered.foundAt >= askedAt) return;
    const { silenceMs } = remembered;
    const nextMs = silenceMs === 0 ? FIRST_SILENCE_MS : 2 * silenceMs;
    remembered.silenceMs = Math.min(nextMs, MAX_SILENCE_MS);
    remembered.foundAt = this.#clock.now();
    remembered.silentUntil = this.#clock.now() + remembered.silenceMs;
    // Another server may answer at that address when it comes back.
    remembered.takesOpt = false;
  }

  /** Whether queries to the server may have an OPT record. */
  maySendEdns(server: DnsServer): boolean {
    return this.#clock.now() >= this.#of(server).withoutOptUntil;
  }

  /** Whether the server is known to answer queries with an OPT record. */
  supportsEdns(server: DnsServer): boolean {
    return this.#of(server).takesOpt;
  }

  /** It answers queries with an OPT record, or only those without one. */
  recordEdnsSupport(server: DnsServer, takesOpt: boolean): void {
    const remembered = this.#of(server);
    remembered.takesOpt = takesOpt;
    remembered.withoutOptUntil = takesOpt
      ? Number.NEGATIVE_INFINITY
      : this.#clock.now() + WITHOUT_OPT_MS;
  }

  /** Forgets all other servers. */
  keepOnly(servers: readonly DnsServer[]): void {
    const labels = new Set(servers.map(serverLabel));
    for (const label of this.#known.keys()) if (!labels.has(label)) this.#known.delete(label);
  }

  #isSilent(server: DnsServer): boolean {
    return this.#of(server).silentUntil > Number.NEGATIVE_INFINITY;
  }

  #of(server: DnsServer): Remembered {
    const label = serverLabel(server);
    const known = this.#known.get(label);
    if (known !== undefined) return known;
    const remembered: Remembered = {
      usualMs: undefined,
      lastAnswerAt: Number.NEGATIVE_INFINITY,
      silentUntil: Number.NEGATIVE_INFINITY,
      silenceMs: 0,
      foundAt: Number.NEGATIVE_INFINITY,
      takesOpt: false,
      withoutOptUntil: Number.NEGATIVE_INFINITY,
    };
    this.#known.set(label, remembered);
    return remembered;
  }
}
