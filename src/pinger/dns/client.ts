/**
 * Queries DNS servers for records in the configured order, but silent servers last. The next server is
 * queried when one fails, and in parallel when one is slow. The first answer counts.
 */

import type { DebugLog } from '../debug/debug-log.js';
import type { Clock } from '../time/clock.js';
import { MAX_ALIASES, type Question, TOO_MANY_ALIASES } from './message.js';
import type { DnsAnswer, RecordType } from './records.js';
import { type DnsServer, serverLabel } from './server.js';
import { ServerClient, type ServerReply } from './server-client.js';
import { type FailureReply, failedAnswer, type ServerFailure } from './server-failure.js';
import { ServerMemory } from './server-memory.js';

export interface DnsClientOptions {
  /** Returns the servers in the order of preference; called for each lookup. */
  readonly servers: () => readonly DnsServer[];
  /** Timeout of one query, milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly debug?: DebugLog;
}

/** Maximum number of queries to one silent server per lookup. */
const MAX_ROUNDS = 2;
/** Maximum number of servers that are queried per lookup. */
const MAX_SERVERS = 4;
/** RFC 1035 2.3.4: 255 bytes on the wire are 253 as text; a label has up to 63. */
const MAX_NAME_LENGTH = 253;
const MAX_LABEL_LENGTH = 63;

type Alias = Extract<ServerReply, { kind: 'alias' }>;

interface Answered {
  readonly kind: 'answered';
  readonly server: DnsServer;
  readonly reply: Exclude<ServerReply, FailureReply>;
}

/** All servers have failed. */
interface Unanswered {
  readonly kind: 'unanswered';
  readonly failures: readonly ServerFailure[];
}

export class DnsClient {
  readonly #options: DnsClientOptions;
  readonly #memory: ServerMemory;
  readonly #serverClient: ServerClient;
  #servers: readonly DnsServer[] = [];

  constructor(options: DnsClientOptions) {
    const { clock, timeoutMs, debug } = options;
    this.#options = options;
    this.#memory = new ServerMemory(clock);
    this.#serverClient = new ServerClient({
      ...{ clock, timeoutMs, memory: this.#memory },
      ...(debug === undefined ? {} : { debug }),
    });
  }

  /**
   * Looks up a record. Never rejects. The detail of a failure says which servers were queried and what
   * each of them did.
   *
   * @param host the host of the destination, for debug lines.
   */
  async query(name: string, type: RecordType, host = name): Promise<DnsAnswer> {
    const { clock } = this.#options;
    const servers = this.#currentServers();
    const deadlineMs = clock.now() + this.#maxDurationMs(Math.min(servers.length, MAX_SERVERS));
    let canonicalName = name;
    let ttlSeconds = Number.POSITIVE_INFINITY;
    for (let aliases = 0; aliases <= MAX_ALIASES; aliases++) {
      if (!isDnsName(canonicalName)) {
        return failed('nodata', `${canonicalName} is not a valid DNS name`);
      }
      const answer = await this.#queryServers(servers, { name: canonicalName, type, host });
      if (answer.kind === 'failed') return answer;
      ttlSeconds = Math.min(ttlSeconds, answer.ttlSeconds);
      if (answer.kind === 'records') return { ...answer, ttlSeconds };
      canonicalName = answer.name;
      if (clock.now() > deadlineMs) {
        return failed('timeout', `timed out at the alias ${canonicalName}`);
      }
    }
    return failed('servfail', TOO_MANY_ALIASES);
  }

  #currentServers(): readonly DnsServer[] {
    const servers = this.#options.servers();
    if (servers !== this.#servers) {
      this.#servers = servers;
      this.#memory.keepOnly(servers);
      this.#serverClient.keepOnly(servers);
    }
    return servers;
  }

  /** Maximum duration of all rounds of one question, milliseconds. */
  #maxDurationMs(servers: number): number {
    return MAX_ROUNDS * this.#options.timeoutMs * (1 + Math.max(servers - 1, 0) / 2);
  }

  async #queryServers(
    servers: readonly DnsServer[],
    question: Question,
  ): Promise<DnsAnswer | Alias> {
    const failures = new Map<string, ServerFailure>();
    const ordered = this.#memory.queryOrder(servers);
    let order = ordered.servers.slice(0, MAX_SERVERS);
    let { atOnce }: { atOnce: number } = ordered;
    for (let round = 0; round < MAX_ROUNDS && order.length > 0; round++) {
      const outcome = await this.#race(order, atOnce, question);
      if (outcome.kind === 'answered') return answerOf(outcome);
      for (const failure of outcome.failures) {
        failures.set(serverLabel(failure.server), failure);
      }
      // An error from a server would be the same in the next round.
      const hasError = outcome.failures.some(({ reply }) => reply.kind === 'error');
      const silent = outcome.failures.filter(({ reply }) => reply.kind === 'silent');
      order = hasError ? [] : silent.map(({ server }) => server);
      atOnce = 1;
    }
    return failedAnswer([...failures.values()], this.#options.timeoutMs);
  }

  /** Queries each server once: the first `atOnce` together, another when one fails or is slow. */
  #race(
    order: readonly DnsServer[],
    atOnce: number,
    question: Question,
  ): Promise<Answered | Unanswered> {
    const { clock } = this.#options;
    return new Promise((resolve, reject) => {
      const waiting = [...order];
      /** When the query to each server was sent. */
      const inFlight = new Map<DnsServer, number>();
      const failures: ServerFailure[] = [];
      let cancelHedge = () => {};
      let hasEnded = false;
      const end = (outcome: Answered | Unanswered) => {
        hasEnded = true;
        cancelHedge();
        resolve(outcome);
      };
      const onReply = (server: DnsServer, reply: ServerReply) => {
        inFlight.delete(server);
        if (hasEnded) return;
        if (isFailure(reply)) {
          failures.push({ server, reply });
          if (waiting.length > 0) queryNext();
          else if (inFlight.size === 0) end({ kind: 'unanswered', failures });
          return;
        }
        for (const [slow, sentAtMs] of inFlight) {
          const isOverdue = clock.now() - sentAtMs >= this.#serverClient.hedgeDelayMs(slow);
          if (isOverdue) this.#memory.recordSilence(slow, sentAtMs);
        }
        end({ kind: 'answered', server, reply });
      };
      const queryNext = () => {
        cancelHedge();
        const server = waiting.shift();
        if (server === undefined) return;
        inFlight.set(server, clock.now());
        // Queries continue after the race has ended: a late answer shows that the server is alive.
        this.#serverClient
          .query(server, question)
          .then((reply) => onReply(server, reply))
          .catch(reject);
        if (waiting.length === 0) return;
        cancelHedge = clock.after(this.#serverClient.hedgeDelayMs(server), queryNext);
      };
      for (let i = 0; i < atOnce; i++) queryNext();
    });
  }
}

function isFailure(reply: ServerReply): reply is FailureReply {
  const { kind } = reply;
  return kind === 'error' || kind === 'malformed' || kind === 'socketError' || kind === 'silent';
}

function answerOf({ server, reply }: Answered): DnsAnswer | Alias {
  if (reply.kind !== 'absent') return reply;
  const label = `${serverLabel(server)}${reply.isOverTcp ? ' over TCP' : ''}`;
  const what = reply.reason === 'nxdomain' ? 'NXDOMAIN' : 'no such record';
  return failed(reply.reason, `${what} from ${label}`);
}

function failed(
  reason: Extract<DnsAnswer, { kind: 'failed' }>['reason'],
  detail: string,
): DnsAnswer {
  return { kind: 'failed', reason, detail };
}

/** Whether the name fits into a query. Names from DNS answers may not. */
function isDnsName(name: string): boolean {
  const isLabel = (label: string) => label !== '' && Buffer.byteLength(label) <= MAX_LABEL_LENGTH;
  return Buffer.byteLength(name) <= MAX_NAME_LENGTH && name.split('.').every(isLabel);
}
