/**
 * One question to one DNS server: over UDP, with an OPT record where the server takes one (RFC 6891),
 * and over TCP where the answer does not fit (RFC 7766 5). An answer has to come from the server, to
 * the port of the socket that asked, with the random number of its query.
 */

import { randomInt } from 'node:crypto';
import type { Clock } from '../time/clock.js';
import type { Heard } from './heard.js';
import { encodeQuery, idOf, type Meaning, type Question, readAnswer } from './message.js';
import { type DnsServer, faultOf } from './server.js';
import type { ServerMemory } from './server-memory.js';
import { queryOverTcp } from './tcp-query.js';
import { UdpSocketPool } from './udp-sockets.js';

/** Messages with the number of a query that are no answer to it, before the server is given up. */
const MAX_UNREADABLE = 16;

/** What became of a question to a server. */
export type Reply = Exclude<Outcome, { kind: 'truncated' }> & { readonly isOverTcp: boolean };

type Outcome = Meaning | Exclude<Heard, { kind: 'message' }> | Silent;

/** The server gave no answer in time. */
interface Silent {
  readonly kind: 'silent';
  /** Something came that cannot be read, or answers something else. */
  readonly isGarbled: boolean;
}

/** What came of one query, and how it was sent. */
interface Tried {
  readonly outcome: Outcome;
  readonly withOpt: boolean;
}

interface Way {
  readonly server: DnsServer;
  readonly question: Question;
  readonly isOverTcp: boolean;
  /** Monotonic, milliseconds. */
  readonly untilMs: number;
}

export interface ExchangeOptions {
  readonly clock: Clock;
  readonly memory: ServerMemory;
  /** For all of one exchange, milliseconds. */
  readonly timeoutMs: number;
}

export class Exchanges {
  readonly #clock: Clock;
  readonly #memory: ServerMemory;
  readonly #timeoutMs: number;
  readonly #lines = new UdpSocketPool();

  constructor({ clock, memory, timeoutMs }: ExchangeOptions) {
    this.#clock = clock;
    this.#memory = memory;
    this.#timeoutMs = timeoutMs;
  }

  /** How long the server is waited for before something else is tried beside it, milliseconds. */
  patienceMs(server: DnsServer): number {
    return Math.min(this.#memory.patienceMs(server), this.#timeoutMs / 2);
  }

  /** Takes no longer than the timeout; never rejects. */
  async ask(server: DnsServer, question: Question): Promise<Reply> {
    const untilMs = this.#clock.now() + this.#timeoutMs;
    const overUdp = await this.#overEither({ server, question, untilMs, isOverTcp: false });
    if (overUdp.kind !== 'truncated') return { ...overUdp, isOverTcp: false };
    const overTcp = await this.#overEither({ server, question, untilMs, isOverTcp: true });
    if (overTcp.kind !== 'truncated') return { ...overTcp, isOverTcp: true };
    return { kind: 'garbage', why: 'a truncated answer', isOverTcp: true };
  }

  /** Closes what is open to other servers, once it is not needed any more. */
  keepOnly(servers: readonly DnsServer[]): void {
    this.#lines.keepOnly(servers);
  }

  /** With an OPT record if the server may take one, and without it where that is what it objects to. */
  async #overEither(way: Way): Promise<Outcome> {
    const { server } = way;
    if (!this.#memory.maySendOpt(server)) return this.#query(way, false);
    const tried = await this.#withOptFirst(way);
    const { outcome } = tried;
    if (tried.withOpt && this.#isAboutOpt(server, outcome)) {
      const plain = await this.#query(way, false);
      if (isAnswer(plain)) this.#memory.learnOpt(server, false);
      return plain.kind === 'silent' ? outcome : plain;
    }
    if (!tried.withOpt && isAnswer(outcome)) this.#memory.learnOpt(server, false);
    return outcome;
  }

  #isAboutOpt(server: DnsServer, outcome: Outcome): boolean {
    if (outcome.kind !== 'error' || !outcome.isAboutOpt) return false;
    return outcome.what !== 'SERVFAIL' || !this.#memory.takesOpt(server);
  }

  /** Asks without OPT beside it when a server that may not know OPT is silent for a while. */
  #withOptFirst(way: Way): Promise<Tried> {
    return new Promise((resolve) => {
      let running = 0;
      const send = async (withOpt: boolean) => {
        running++;
        const outcome = await this.#query(way, withOpt);
        running--;
        if (outcome.kind === 'silent' && running > 0) return;
        cancel();
        resolve({ outcome, withOpt });
      };
      const isKnown = way.isOverTcp || this.#memory.takesOpt(way.server);
      const cancel = isKnown
        ? () => {}
        : this.#clock.after(this.patienceMs(way.server), () => void send(false));
      void send(true);
    });
  }

  /** One query, and what is remembered of its outcome. Never rejects. */
  async #query(way: Way, withOpt: boolean): Promise<Outcome> {
    const askedAt = this.#clock.now();
    const outcome = await this.#heard(way, withOpt);
    const { server, isOverTcp } = way;
    const isSaid = outcome.kind === 'error' || isAnswer(outcome);
    if (isSaid && !isOverTcp) this.#memory.answered(server, askedAt);
    const isAway = outcome.kind === 'fault' && outcome.fault.kind !== 'local';
    if ((outcome.kind === 'silent' || isAway) && !isOverTcp) this.#memory.silent(server, askedAt);
    if (withOpt && isAnswer(outcome)) this.#memory.learnOpt(server, true);
    return outcome;
  }

  #heard({ server, question, isOverTcp, untilMs }: Way, withOpt: boolean): Promise<Outcome> {
    return new Promise((resolve) => {
      let hangUp = () => {};
      let isOver = false;
      let unreadable = 0;
      const end = (outcome: Outcome) => {
        if (isOver) return;
        isOver = true;
        cancel();
        hangUp();
        resolve(outcome);
      };
      // What came until now is read before this, if the event loop gets around to it once more.
      const cancel = this.#clock.after(Math.max(untilMs - this.#clock.now(), 0), () =>
        setImmediate(() => end({ kind: 'silent', isGarbled: unreadable > 0 })),
      );
      const hear = (heard: Heard) => {
        if (heard.kind !== 'message') return end(heard);
        const meaning = meaningOf(heard.bytes, question);
        if (meaning !== undefined) return end(meaning);
        if (isOverTcp || ++unreadable >= MAX_UNREADABLE) {
          end({ kind: 'garbage', why: 'what is no answer' });
        }
      };
      const query = (id: number) => encodeQuery(id, question, withOpt);
      try {
        hangUp = isOverTcp ? overTcp(server, query, hear) : this.#lines.send(server, query, hear);
        if (isOver) hangUp();
      } catch (error) {
        end({ kind: 'fault', fault: faultOf(error, true) });
      }
    });
  }
}

/** RFC 7766 7: over TCP too an answer is held against the number of its query. */
function overTcp(
  server: DnsServer,
  query: (id: number) => Buffer,
  hear: (heard: Heard) => void,
): () => void {
  const id = randomInt(2 ** 16);
  return queryOverTcp(server, query(id), (heard) => {
    const isOther = heard.kind === 'message' && idOf(heard.bytes) !== id;
    hear(isOther ? { kind: 'garbage', why: 'an answer to another query' } : heard);
  });
}

/** Bytes that nobody foresaw end their own query at most. */
function meaningOf(bytes: Buffer, question: Question): Meaning | undefined {
  try {
    return readAnswer(bytes, question);
  } catch {
    return undefined;
  }
}

/** Whether the server answers the question, be it that there is nothing. */
function isAnswer({ kind }: Outcome): boolean {
  return kind === 'records' || kind === 'alias' || kind === 'absent' || kind === 'truncated';
}
