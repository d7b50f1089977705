/**
 * One question to one DNS server: over UDP, with an OPT record where the server takes one (RFC 6891),
 * and over TCP where the answer does not fit (RFC 7766 5). An answer has to come from the server, to
 * the port of the socket that asked, with the random number of its query.
 */

import { randomInt } from 'node:crypto';
import type { Clock } from '../time/clock.js';
import { encodeQuery, idOf, type ParsedAnswer, parseAnswer, type Question } from './message.js';
import { type DnsServer, socketErrorOf } from './server.js';
import type { ServerEvent } from './server-event.js';
import type { ServerMemory } from './server-memory.js';
import { queryOverTcp } from './tcp-query.js';
import { UdpSocketPool } from './udp-sockets.js';

/** Messages with the number of a query that are no answer to it, before the server is given up. */
const MAX_UNREADABLE = 16;

/** What became of a question to a server. */
export type ServerReply = Exclude<QueryOutcome, { kind: 'truncated' }> & {
  readonly isOverTcp: boolean;
};

type QueryOutcome = ParsedAnswer | Exclude<ServerEvent, { kind: 'message' }> | Silent;

/** The server gave no answer in time. */
interface Silent {
  readonly kind: 'silent';
  /** Something came that cannot be read, or answers something else. */
  readonly hadUnreadable: boolean;
}

/** What came of one query, and how it was sent. */
interface EdnsAttempt {
  readonly outcome: QueryOutcome;
  readonly withOpt: boolean;
}

interface ServerQuery {
  readonly server: DnsServer;
  readonly question: Question;
  readonly isOverTcp: boolean;
  /** Monotonic, milliseconds. */
  readonly deadlineMs: number;
}

export interface ServerClientOptions {
  readonly clock: Clock;
  readonly memory: ServerMemory;
  /** For all of one exchange, milliseconds. */
  readonly timeoutMs: number;
}

export class ServerClient {
  readonly #clock: Clock;
  readonly #memory: ServerMemory;
  readonly #timeoutMs: number;
  readonly #lines = new UdpSocketPool();

  constructor({ clock, memory, timeoutMs }: ServerClientOptions) {
    this.#clock = clock;
    this.#memory = memory;
    this.#timeoutMs = timeoutMs;
  }

  /** How long the server is waited for before something else is tried beside it, milliseconds. */
  hedgeDelayMs(server: DnsServer): number {
    return Math.min(this.#memory.hedgeDelayMs(server), this.#timeoutMs / 2);
  }

  /** Takes no longer than the timeout; never rejects. */
  async query(server: DnsServer, question: Question): Promise<ServerReply> {
    const untilMs = this.#clock.now() + this.#timeoutMs;
    const overUdp = await this.#overEither({
      server,
      question,
      deadlineMs: untilMs,
      isOverTcp: false,
    });
    if (overUdp.kind !== 'truncated') return { ...overUdp, isOverTcp: false };
    const overTcp = await this.#overEither({
      server,
      question,
      deadlineMs: untilMs,
      isOverTcp: true,
    });
    if (overTcp.kind !== 'truncated') return { ...overTcp, isOverTcp: true };
    return { kind: 'garbage', why: 'a truncated answer', isOverTcp: true };
  }

  /** Closes what is open to other servers, once it is not needed any more. */
  keepOnly(servers: readonly DnsServer[]): void {
    this.#lines.keepOnly(servers);
  }

  /** With an OPT record if the server may take one, and without it where that is what it objects to. */
  async #overEither(way: ServerQuery): Promise<QueryOutcome> {
    const { server } = way;
    if (!this.#memory.maySendEdns(server)) return this.#query(way, false);
    const tried = await this.#withOptFirst(way);
    const { outcome } = tried;
    if (tried.withOpt && this.#isAboutOpt(server, outcome)) {
      const plain = await this.#query(way, false);
      if (isAnswer(plain)) this.#memory.recordEdnsSupport(server, false);
      return plain.kind === 'silent' ? outcome : plain;
    }
    if (!tried.withOpt && isAnswer(outcome)) this.#memory.recordEdnsSupport(server, false);
    return outcome;
  }

  #isAboutOpt(server: DnsServer, outcome: QueryOutcome): boolean {
    if (outcome.kind !== 'error' || !outcome.isAboutOpt) return false;
    return outcome.what !== 'SERVFAIL' || !this.#memory.supportsEdns(server);
  }

  /** Asks without OPT beside it when a server that may not know OPT is silent for a while. */
  #withOptFirst(way: ServerQuery): Promise<EdnsAttempt> {
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
      const isKnown = way.isOverTcp || this.#memory.supportsEdns(way.server);
      const cancel = isKnown
        ? () => {}
        : this.#clock.after(this.hedgeDelayMs(way.server), () => void send(false));
      void send(true);
    });
  }

  /** One query, and what is remembered of its outcome. Never rejects. */
  async #query(way: ServerQuery, withOpt: boolean): Promise<QueryOutcome> {
    const askedAt = this.#clock.now();
    const outcome = await this.#heard(way, withOpt);
    const { server, isOverTcp } = way;
    const isSaid = outcome.kind === 'error' || isAnswer(outcome);
    if (isSaid && !isOverTcp) this.#memory.recordAnswer(server, askedAt);
    const isAway = outcome.kind === 'fault' && outcome.fault.kind !== 'local';
    if ((outcome.kind === 'silent' || isAway) && !isOverTcp) this.#memory.silent(server, askedAt);
    if (withOpt && isAnswer(outcome)) this.#memory.recordEdnsSupport(server, true);
    return outcome;
  }

  #heard(
    { server, question, isOverTcp, deadlineMs }: ServerQuery,
    withOpt: boolean,
  ): Promise<QueryOutcome> {
    return new Promise((resolve) => {
      let hangUp = () => {};
      let isOver = false;
      let unreadable = 0;
      const end = (outcome: QueryOutcome) => {
        if (isOver) return;
        isOver = true;
        cancel();
        hangUp();
        resolve(outcome);
      };
      // What came until now is read before this, if the event loop gets around to it once more.
      const cancel = this.#clock.after(Math.max(deadlineMs - this.#clock.now(), 0), () =>
        setImmediate(() => end({ kind: 'silent', hadUnreadable: unreadable > 0 })),
      );
      const hear = (heard: ServerEvent) => {
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
        end({ kind: 'fault', fault: socketErrorOf(error, true) });
      }
    });
  }
}

/** RFC 7766 7: over TCP too an answer is held against the number of its query. */
function overTcp(
  server: DnsServer,
  query: (id: number) => Buffer,
  hear: (heard: ServerEvent) => void,
): () => void {
  const id = randomInt(2 ** 16);
  return queryOverTcp(server, query(id), (heard) => {
    const isOther = heard.kind === 'message' && idOf(heard.bytes) !== id;
    hear(isOther ? { kind: 'garbage', why: 'an answer to another query' } : heard);
  });
}

/** Bytes that nobody foresaw end their own query at most. */
function meaningOf(bytes: Buffer, question: Question): ParsedAnswer | undefined {
  try {
    return parseAnswer(bytes, question);
  } catch {
    return undefined;
  }
}

/** Whether the server answers the question, be it that there is nothing. */
function isAnswer({ kind }: QueryOutcome): boolean {
  return kind === 'records' || kind === 'alias' || kind === 'absent' || kind === 'truncated';
}
