/**
 * Sends one question to one DNS server: over UDP, with an OPT record if the server accepts one (RFC
 * 6891), and over TCP if the answer is truncated (RFC 7766 5). An answer counts only if it comes from the
 * server, arrives at the socket of the query, and has the query's random ID.
 */

import { randomInt } from 'node:crypto';
import type { DebugLog } from '../debug/debug-log.js';
import type { Clock } from '../time/clock.js';
import { encodeQuery, idOf, type ParsedAnswer, parseAnswer, type Question } from './message.js';
import { answerLine, queryLine } from './query-lines.js';
import { type DnsServer, socketErrorOf } from './server.js';
import type { ServerEvent, ServerEventListener } from './server-event.js';
import type { ServerMemory } from './server-memory.js';
import type { QueryOutcome, ServerQuery } from './server-query.js';
import { queryOverTcp } from './tcp-query.js';
import { UdpSocketPool } from './udp-sockets.js';

/** Maximum number of messages with the query's ID that do not answer it; then the query fails. */
const MAX_UNREADABLE = 16;

export type ServerReply = Exclude<QueryOutcome, { kind: 'truncated' }> & {
  readonly isOverTcp: boolean;
};

interface EdnsAttempt {
  readonly outcome: QueryOutcome;
  readonly withOpt: boolean;
}

export interface ServerClientOptions {
  readonly clock: Clock;
  readonly memory: ServerMemory;
  /** Timeout of one question, including TCP and repetitions, milliseconds. */
  readonly timeoutMs: number;
  readonly debug?: DebugLog;
}

export class ServerClient {
  readonly #clock: Clock;
  readonly #memory: ServerMemory;
  readonly #timeoutMs: number;
  readonly #debug: DebugLog | undefined;
  readonly #udpSockets = new UdpSocketPool();

  constructor({ clock, memory, timeoutMs, debug }: ServerClientOptions) {
    this.#debug = debug;
    this.#clock = clock;
    this.#memory = memory;
    this.#timeoutMs = timeoutMs;
  }

  /** Wait for the server before another query is sent in parallel, milliseconds. */
  hedgeDelayMs(server: DnsServer): number {
    return Math.min(this.#memory.hedgeDelayMs(server), this.#timeoutMs / 2);
  }

  /** Never rejects. */
  async query(server: DnsServer, question: Question): Promise<ServerReply> {
    const deadlineMs = this.#clock.now() + this.#timeoutMs;
    const overUdp = await this.#withEdnsFallback({
      ...{ server, question, deadlineMs, isOverTcp: false },
    });
    if (overUdp.kind !== 'truncated') return { ...overUdp, isOverTcp: false };
    const overTcp = await this.#withEdnsFallback({
      ...{ server, question, deadlineMs, isOverTcp: true },
    });
    if (overTcp.kind !== 'truncated') return { ...overTcp, isOverTcp: true };
    return { kind: 'malformed', detail: 'a truncated answer', isOverTcp: true };
  }

  /** Closes the sockets to all other servers once their queries have ended. */
  keepOnly(servers: readonly DnsServer[]): void {
    this.#udpSockets.keepOnly(servers);
  }

  /** Queries with an OPT record, or without if the server rejects it. */
  async #withEdnsFallback(query: ServerQuery): Promise<QueryOutcome> {
    const { server } = query;
    if (!this.#memory.maySendEdns(server)) return this.#sendOnce(query, false);
    const first = await this.#withOptFirst(query);
    const { outcome } = first;
    if (first.withOpt && this.#isAboutOpt(server, outcome)) {
      const plain = await this.#sendOnce(query, false);
      if (isAnswer(plain)) this.#memory.recordEdnsSupport(server, false);
      return plain.kind === 'silent' ? outcome : plain;
    }
    if (!first.withOpt && isAnswer(outcome)) this.#memory.recordEdnsSupport(server, false);
    return outcome;
  }

  #isAboutOpt(server: DnsServer, outcome: QueryOutcome): boolean {
    if (outcome.kind !== 'error' || !outcome.isAboutOpt) return false;
    return outcome.what !== 'SERVFAIL' || !this.#memory.supportsEdns(server);
  }

  /** Some servers ignore queries with OPT, so a query without it follows if no answer comes soon. */
  #withOptFirst(query: ServerQuery): Promise<EdnsAttempt> {
    return new Promise((resolve, reject) => {
      let inFlight = 0;
      const send = async (withOpt: boolean) => {
        inFlight++;
        const outcome = await this.#sendOnce(query, withOpt);
        inFlight--;
        if (outcome.kind === 'silent' && inFlight > 0) return;
        cancel();
        resolve({ outcome, withOpt });
      };
      const isKnown = query.isOverTcp || this.#memory.supportsEdns(query.server);
      const cancel = isKnown
        ? () => {}
        : this.#clock.after(this.hedgeDelayMs(query.server), () => void send(false).catch(reject));
      send(true).catch(reject);
    });
  }

  /** Sends one query and records its outcome in the server memory. Never rejects. */
  async #sendOnce(query: ServerQuery, withOpt: boolean): Promise<QueryOutcome> {
    const sentAtMs = this.#clock.now();
    if (this.#isLogged(query)) this.#debug?.write(queryLine(query));
    const outcome = await this.#outcomeOf(query, withOpt);
    if (this.#isLogged(query)) {
      this.#debug?.write(answerLine(query, outcome, this.#clock.now() - sentAtMs));
    }
    const { server, isOverTcp } = query;
    const isReply = outcome.kind === 'error' || isAnswer(outcome);
    const isGone = outcome.kind === 'socketError' && outcome.error.kind !== 'local';
    if (!isOverTcp) {
      if (isReply) this.#memory.recordAnswer(server, sentAtMs);
      else if (outcome.kind === 'silent' || isGone) this.#memory.recordSilence(server, sentAtMs);
    }
    if (withOpt && isAnswer(outcome)) this.#memory.recordEdnsSupport(server, true);
    return outcome;
  }

  #isLogged({ question: { name, host = name } }: ServerQuery): boolean {
    return this.#debug?.isOn === true && this.#debug.coversHost(host);
  }

  #outcomeOf(
    { server, question, isOverTcp, deadlineMs }: ServerQuery,
    withOpt: boolean,
  ): Promise<QueryOutcome> {
    return new Promise((resolve) => {
      let closeQuery = () => {};
      let hasEnded = false;
      let unreadable = 0;
      const end = (outcome: QueryOutcome) => {
        if (hasEnded) return;
        hasEnded = true;
        cancelTimeout();
        closeQuery();
        resolve(outcome);
      };
      // One more round of the event loop reads messages that arrived while the thread was busy.
      const cancelTimeout = this.#clock.after(Math.max(deadlineMs - this.#clock.now(), 0), () =>
        setImmediate(() => end({ kind: 'silent', hadUnreadable: unreadable > 0 })),
      );
      const onEvent = (event: ServerEvent) => {
        if (event.kind !== 'message') return end(event);
        const answer = parsed(event.bytes, question);
        if (answer !== undefined) return end(answer);
        if (isOverTcp || ++unreadable >= MAX_UNREADABLE) {
          end({ kind: 'malformed', detail: 'messages that do not answer the query' });
        }
      };
      const encode = (id: number) => encodeQuery(id, question, withOpt);
      try {
        closeQuery = isOverTcp
          ? sendOverTcp(server, encode, onEvent)
          : this.#udpSockets.send(server, encode, onEvent);
        if (hasEnded) closeQuery();
      } catch (error) {
        end({ kind: 'socketError', error: socketErrorOf(error, true) });
      }
    });
  }
}

/** RFC 7766 7: the ID of an answer is also checked over TCP. */
function sendOverTcp(
  server: DnsServer,
  encode: (id: number) => Buffer,
  onEvent: ServerEventListener,
): () => void {
  const id = randomInt(2 ** 16);
  return queryOverTcp(server, encode(id), (event) => {
    const isOther = event.kind === 'message' && idOf(event.bytes) !== id;
    onEvent(isOther ? { kind: 'malformed', detail: 'an answer to another query' } : event);
  });
}

/** An exception of the parser ends only its own query. */
function parsed(bytes: Buffer, question: Question): ParsedAnswer | undefined {
  try {
    return parseAnswer(bytes, question);
  } catch {
    return undefined;
  }
}

/** Whether the server answers the question, positively or negatively. */
function isAnswer({ kind }: QueryOutcome): boolean {
  return kind === 'records' || kind === 'alias' || kind === 'absent' || kind === 'truncated';
}
