/**
 * Asks DNS servers for records. They are asked in their order, but a silent one last for a while; the
 * next one is asked when one fails, and beside it when it is slow. The first good answer counts.
 */

import type { Clock } from '../time/clock.js';
import { ALIAS_LOOP, MAX_ALIASES, type Question } from './message.js';
import type { DnsAnswer, RecordType } from './records.js';
import { type DnsServer, serverLabel } from './server.js';
import { ServerClient, type ServerReply } from './server-client.js';
import { type FailureReply, failedAnswer, type ServerFailure } from './server-failure.js';
import { ServerMemory } from './server-memory.js';

export interface DnsClientOptions {
  /** In the order in which they are to be asked; looked at for each look-up. */
  readonly servers: () => readonly DnsServer[];
  /** For each answer, milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Times that a silent server is asked before one gives up. */
const ROUNDS = 2;
/** Servers that are asked for one look-up. */
const MAX_SERVERS = 4;
/** RFC 1035 2.3.4: 255 bytes with the length of each label, as text 253; a label has up to 63. */
const MAX_NAME_LENGTH = 253;
const MAX_LABEL_LENGTH = 63;

/** What ends a look-up: an answer, and who gave it. */
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
  readonly #exchanges: ServerClient;
  #servers: readonly DnsServer[] = [];

  constructor(options: DnsClientOptions) {
    const { clock, timeoutMs } = options;
    this.#options = options;
    this.#memory = new ServerMemory(clock);
    this.#exchanges = new ServerClient({ clock, timeoutMs, memory: this.#memory });
  }

  /** Never rejects. The detail of a failure says whom was asked, and what came of it. */
  async query(name: string, type: RecordType): Promise<DnsAnswer> {
    const servers = this.#serversNow();
    const untilMs = this.#options.clock.now() + this.#mostMs(Math.min(servers.length, MAX_SERVERS));
    let at = name;
    let ttlSeconds = Number.POSITIVE_INFINITY;
    for (let aliases = 0; aliases <= MAX_ALIASES; aliases++) {
      if (!isDnsName(at)) return failed('nodata', `the DNS can have no name ${at}`);
      const found = await this.#askAll(servers, { name: at, type });
      if (found.kind === 'failed') return found;
      ttlSeconds = Math.min(ttlSeconds, found.ttlSeconds);
      if (found.kind === 'records') return { ...found, ttlSeconds };
      at = found.name;
      if (this.#options.clock.now() > untilMs)
        return failed('timeout', `no end at the alias ${at}`);
    }
    return failed('servfail', ALIAS_LOOP);
  }

  #serversNow(): readonly DnsServer[] {
    const servers = this.#options.servers();
    if (servers !== this.#servers) {
      this.#servers = servers;
      this.#memory.keepOnly(servers);
      this.#exchanges.keepOnly(servers);
    }
    return servers;
  }

  /** How long the rounds of one question can take, milliseconds. */
  #mostMs(servers: number): number {
    return ROUNDS * this.#options.timeoutMs * (1 + Math.max(servers - 1, 0) / 2);
  }

  async #askAll(
    servers: readonly DnsServer[],
    question: Question,
  ): Promise<DnsAnswer | Extract<ServerReply, { kind: 'alias' }>> {
    const failures = new Map<string, ServerFailure>();
    const ordered = this.#memory.queryOrder(servers);
    let order = ordered.servers.slice(0, MAX_SERVERS);
    let { atOnce }: { atOnce: number } = ordered;
    for (let round = 0; round < ROUNDS && order.length > 0; round++) {
      const outcome = await this.#race(order, atOnce, question);
      if (outcome.kind === 'answered') return answerOf(outcome);
      for (const failure of outcome.failures) {
        failures.set(serverLabel(failure.server), failure);
      }
      const isSaid = outcome.failures.some(({ reply }) => reply.kind === 'error');
      // A server that says what is wrong will say so again.
      order = isSaid
        ? []
        : outcome.failures.filter(({ reply }) => reply.kind === 'silent').map((f) => f.server);
      atOnce = 1;
    }
    return failedAnswer([...failures.values()], this.#options.timeoutMs);
  }

  /** Asks each server once, the first `atOnce` at once; the next when one fails or is slow. */
  #race(
    order: readonly DnsServer[],
    atOnce: number,
    question: Question,
  ): Promise<Answered | Unanswered> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const waiting = [...order];
      const running = new Map<DnsServer, number>();
      const failures: ServerFailure[] = [];
      let cancel = () => {};
      let isOver = false;
      const end = (outcome: Answered | Unanswered) => {
        isOver = true;
        cancel();
        resolve(outcome);
      };
      const take = (server: DnsServer, reply: ServerReply) => {
        running.delete(server);
        if (isOver) return;
        if (isFailed(reply)) {
          failures.push({ server, reply });
          if (waiting.length > 0) askNext();
          else if (running.size === 0) end({ kind: 'unanswered', failures });
          return;
        }
        for (const [slow, askedAt] of running) {
          const isSlow = clock.now() - askedAt >= this.#exchanges.hedgeDelayMs(slow);
          if (isSlow) this.#memory.silent(slow, askedAt);
        }
        end({ kind: 'answered', server, reply });
      };
      const askNext = () => {
        cancel();
        const server = waiting.shift();
        if (server === undefined) return;
        running.set(server, clock.now());
        // Once an answer is there, the others are heard to their end: a late answer is one too.
        void this.#exchanges.query(server, question).then((reply) => take(server, reply));
        if (waiting.length > 0) cancel = clock.after(this.#exchanges.hedgeDelayMs(server), askNext);
      };
      for (let i = 0; i < atOnce; i++) askNext();
    });
  }
}

function isFailed(reply: ServerReply): reply is FailureReply {
  const { kind } = reply;
  return kind === 'error' || kind === 'garbage' || kind === 'fault' || kind === 'silent';
}

function answerOf({
  server,
  reply,
}: Answered): DnsAnswer | Extract<ServerReply, { kind: 'alias' }> {
  if (reply.kind !== 'absent') return reply;
  const label = `${serverLabel(server)}${reply.isOverTcp ? ' over TCP' : ''}`;
  const what = reply.reason === 'nxdomain' ? 'NXDOMAIN' : 'no such record';
  return { kind: 'failed', reason: reply.reason, detail: `${what} from ${label}` };
}

function failed(
  reason: Extract<DnsAnswer, { kind: 'failed' }>['reason'],
  detail: string,
): DnsAnswer {
  return { kind: 'failed', reason, detail };
}

/** Whether a query can carry the name; what DNS answers lead to may be anything. */
function isDnsName(name: string): boolean {
  const isLabel = (label: string) => label !== '' && Buffer.byteLength(label) <= MAX_LABEL_LENGTH;
  return Buffer.byteLength(name) <= MAX_NAME_LENGTH && name.split('.').every(isLabel);
}
