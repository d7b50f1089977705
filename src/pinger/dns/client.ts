/**
 * Asks DNS servers: over UDP, and over TCP what does not fit (RFC 1035 4.2, RFC 7766 5). An answer has
 * to come from the server, to the port of the socket that asked, with the random number of its query.
 */

import { randomBytes } from 'node:crypto';
import * as net from 'node:net';
import type { ResolutionFailure } from '../../shared/resolution.js';
import type { Clock } from '../clock.js';
import {
  decodeAnswer,
  encodeQuery,
  isFor,
  type Meaning,
  meaningOf,
  type Query,
} from './message.js';
import type { DnsAnswer, RecordType } from './records.js';
import { UdpLines } from './udp-lines.js';

export interface DnsServer {
  readonly address: string;
  readonly port: number;
}

export interface DnsClientOptions {
  /** Asked in this order. */
  readonly servers: readonly DnsServer[];
  /** For each answer, milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Times that all servers are asked before one gives up. */
const ROUNDS = 2;
/** Names that are asked for one after the other because each is an alias of the next. */
const MOST_ALIASES = 8;
/** RFC 1035 2.3.4: 255 bytes with the length of each label, as text 253 characters. */
const LONGEST_NAME = 253;
/** TCP: two bytes of length in front of each message. */
const LENGTH_BYTES = 2;

/** What one server said of one query; undefined when it said nothing that can be used. */
type Reply = Meaning | undefined;

export class DnsClient {
  readonly #options: DnsClientOptions;
  readonly #lines = new UdpLines();

  constructor(options: DnsClientOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async ask(name: string, type: RecordType): Promise<DnsAnswer> {
    let at = name;
    let ttlSeconds = Number.POSITIVE_INFINITY;
    for (let aliases = 0; aliases <= MOST_ALIASES; aliases++) {
      const meaning = await this.#askAny(at, type);
      if (meaning.kind === 'failed') return meaning;
      ttlSeconds = Math.min(ttlSeconds, meaning.ttlSeconds);
      if (meaning.kind === 'records') return { ...meaning, ttlSeconds };
      at = meaning.name;
    }
    return failed('servfail', 'one alias leads to the other');
  }

  /** Asks one server after the other until one knows. */
  async #askAny(name: string, type: RecordType): Promise<Exclude<Meaning, { kind: 'truncated' }>> {
    let worst: DnsAnswer = failed('timeout', 'no DNS server answered');
    for (let round = 0; round < ROUNDS; round++) {
      for (const server of this.#options.servers) {
        const reply = await this.#askOne(server, name, type);
        if (reply === undefined || reply.kind === 'truncated') continue;
        const isFinal =
          reply.kind !== 'failed' || reply.reason === 'nxdomain' || reply.reason === 'nodata';
        if (isFinal) return reply;
        worst = reply;
      }
      // A server that says no will say so again.
      if (worst.kind === 'failed' && worst.reason !== 'timeout') return worst;
    }
    return worst;
  }

  async #askOne(server: DnsServer, name: string, type: RecordType): Promise<Reply> {
    if (name.length > LONGEST_NAME) return failed('nodata', 'the name is too long for the DNS');
    const query = { id: randomBytes(2).readUInt16BE(), name, type };
    const bytes = encodeQuery(query);
    const reply = await this.#overUdp(server, query, bytes);
    return reply?.kind === 'truncated' ? this.#overTcp(server, query, bytes) : reply;
  }

  #overUdp(server: DnsServer, query: Query, bytes: Buffer): Promise<Reply> {
    let hangUp = () => {};
    return this.#reply(
      (take) => {
        hangUp = this.#lines.send(server, bytes, (answer) => {
          if (answer === undefined) {
            take(failed('refused', 'no DNS server listens there'));
          } else if (isFor(answer, query)) {
            const decoded = decodeAnswer(answer, query);
            if (decoded !== undefined) take(meaningOf(decoded, query));
          }
        });
      },
      () => hangUp(),
    );
  }

  #overTcp(server: DnsServer, query: Query, bytes: Buffer): Promise<Reply> {
    const socket = net.connect({ host: server.address, port: server.port });
    let read = Buffer.alloc(0);
    return this.#reply(
      (take) => {
        socket.on('data', (chunk) => {
          read = Buffer.concat([read, chunk]);
          const length = read.length < LENGTH_BYTES ? 0 : read.readUInt16BE();
          if (length === 0 || read.length < LENGTH_BYTES + length) return;
          const decoded = decodeAnswer(read.subarray(LENGTH_BYTES, LENGTH_BYTES + length), query);
          take(decoded === undefined ? undefined : meaningOf(decoded, query));
        });
        socket.on('error', () => take(failed('refused', 'no DNS server listens there over TCP')));
        socket.on('end', () => take(undefined));
        const length = Buffer.alloc(LENGTH_BYTES);
        length.writeUInt16BE(bytes.length);
        socket.write(Buffer.concat([length, bytes]));
      },
      () => socket.destroy(),
    );
  }

  /** What `listen` takes first, or nothing when time is up; then the socket is closed. */
  #reply(listen: (take: (reply: Reply) => void) => void, close: () => void): Promise<Reply> {
    return new Promise((resolve) => {
      let isOver = false;
      const take = (reply: Reply) => {
        if (isOver) return;
        isOver = true;
        cancel();
        close();
        resolve(reply);
      };
      // What came until now is read before this, if the event loop gets around to it once more.
      const cancel = this.#options.clock.after(this.#options.timeoutMs, () =>
        setImmediate(() => take(undefined)),
      );
      listen(take);
    });
  }
}

function failed(reason: ResolutionFailure, detail: string): DnsAnswer {
  return { kind: 'failed', reason, detail };
}
