/** From a host name to IP addresses. */

import { promises as dns } from 'node:dns';
import type { Address } from './addresses.js';

export type Resolution =
  | { readonly kind: 'resolved'; readonly addresses: readonly Address[]; readonly ttlMs: number }
  | { readonly kind: 'failed'; readonly why: string };

export interface Resolver {
  /** Never rejects. Addresses come in the order in which a client would try them. */
  lookup(name: string): Promise<Resolution>;
}

/** Look-ups under way at one moment. */
const MOST_AT_ONCE = 64;
const TIMEOUT_MS = 2_000;
const TRIES = 2;

/**
 * Asks DNS servers for A and AAAA records. `localhost` is always the loopback address
 * (RFC 6761 6.3); the hosts file is not read.
 */
export class DnsResolver implements Resolver {
  readonly #dns: dns.Resolver;
  readonly #underWay = new Map<string, Promise<Resolution>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param servers `address` or `address:port`; none for the system's. */
  constructor(servers: readonly string[]) {
    this.#dns = new dns.Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
    if (servers.length > 0) this.#dns.setServers(servers);
  }

  lookup(name: string): Promise<Resolution> {
    const underWay = this.#underWay.get(name);
    if (underWay !== undefined) return underWay;
    const lookup = this.#inTurn(() => this.#query(name)).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, lookup);
    return lookup;
  }

  async #inTurn(work: () => Promise<Resolution>): Promise<Resolution> {
    if (this.#running >= MOST_AT_ONCE) await new Promise<void>((go) => this.#waiting.push(go));
    this.#running++;
    try {
      return await work();
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async #query(name: string): Promise<Resolution> {
    if (name === 'localhost' || name.endsWith('.localhost')) {
      return {
        kind: 'resolved',
        addresses: [{ address: '127.0.0.1', family: 4 }],
        ttlMs: 3_600_000,
      };
    }
    const [a, aaaa] = await Promise.allSettled([
      this.#dns.resolve4(name, { ttl: true }),
      this.#dns.resolve6(name, { ttl: true }),
    ]);
    // AAAA that fails is common, and harmless where A is answered; the other way round it would move
    // the pings of an IPv4 host to an address that it may have no route to.
    const trouble = hardFailure(a);
    if (trouble !== undefined) return { kind: 'failed', why: trouble };
    const records = [
      ...(a.status === 'fulfilled' ? a.value.map((r) => ({ ...r, family: 4 as const })) : []),
      ...(aaaa.status === 'fulfilled' ? aaaa.value.map((r) => ({ ...r, family: 6 as const })) : []),
    ];
    if (records.length > 0) {
      const ttlMs = 1000 * Math.min(...records.map((record) => record.ttl));
      return { kind: 'resolved', addresses: records, ttlMs };
    }
    return { kind: 'failed', why: a.status === 'rejected' ? codeOf(a.reason) : 'ENODATA' };
  }
}

/** Why it is not known whether there is such a record; undefined when it is known. */
function hardFailure(result: PromiseSettledResult<unknown>): string | undefined {
  const code = result.status === 'rejected' ? codeOf(result.reason) : undefined;
  return code === 'ENODATA' || code === 'ENOTFOUND' ? undefined : code;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
