/** Basic authentication in front of every route (RFC 7617). */

import { createHash, randomBytes } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import type { WebConfig } from '../server/web-config.js';
import { LoginAttempts } from './login-attempts.js';
import { costOf, type PasswordCheck, passwordThread } from './passwords.js';

/** Comparisons are slow on purpose: what came of the last ones is remembered. */
const MAX_RIGHT = 100;
const MAX_WRONG = 1_000;

export interface GuardOptions {
  /** The users as they are now. Throws when they cannot be read; then the last ones stay in use. */
  readonly config: () => WebConfig;
  readonly onError: (error: unknown) => void;
  readonly check?: PasswordCheck;
}

export function basicAuth({
  config,
  onError,
  check = passwordThread(),
}: GuardOptions): RequestHandler {
  const users = usersOf(config, onError);
  const attempts = new LoginAttempts(check, onError);
  const salt = randomBytes(16);
  const keyOf = (...parts: readonly string[]) =>
    createHash('sha256').update(salt).update(JSON.stringify(parts)).digest('base64');
  const right = new Recent(MAX_RIGHT);
  const wrong = new Recent(MAX_WRONG);
  return async (request, response, next) => {
    const { hashes, cost } = users();
    if (hashes.size === 0) return next();
    const given = credentials(request.headers.authorization);
    if (given === undefined) return unauthorized(response);
    const { user, password } = given;
    const hash = hashes.get(user);
    // With the hash in it, nothing that is remembered outlives a change of the password.
    const key = keyOf(hash ?? '', user, password);
    if (hash !== undefined && right.has(key)) return next();
    const client = networkOf(request.socket.remoteAddress ?? '');
    // With the client in it, nobody learns from the time what others have tried.
    const attempt = keyOf(client, key, String(cost));
    if (wrong.has(attempt)) return unauthorized(response);
    const verdict = await attempts.verdict(attempt, client, { password, hash, cost }, response);
    switch (verdict) {
      case 'right':
        right.add(key);
        return next();
      case 'wrong':
        wrong.add(attempt);
        return unauthorized(response);
      case 'busy':
        response.setHeader('Retry-After', '1');
        response.status(429).type('text/plain').send('Too many requests\n');
        return;
      case 'gone':
        return;
      default:
        verdict satisfies never;
    }
  };
}

interface Users {
  readonly hashes: ReadonlyMap<string, string>;
  /** The highest cost of their hashes. */
  readonly cost: number;
}

/** The users as they are now; while the file that has them is wrong, as they were before. */
function usersOf(config: GuardOptions['config'], onError: GuardOptions['onError']): () => Users {
  let users: Users = { hashes: new Map(), cost: 0 };
  let lastFault = '';
  const use = ({ users: hashes }: WebConfig) => {
    lastFault = '';
    if (hashes === users.hashes) return;
    users = { hashes, cost: Math.max(0, ...[...hashes.values()].map(costOf)) };
  };
  use(config());
  return () => {
    try {
      use(config());
    } catch (error) {
      const fault = String(error);
      if (fault !== lastFault) onError(error);
      lastFault = fault;
    }
    return users;
  };
}

/** The keys that were added or found last, up to a number of them. */
class Recent {
  readonly #most: number;
  readonly #keys = new Set<string>();

  constructor(most: number) {
    this.#most = most;
  }

  has(key: string): boolean {
    if (!this.#keys.delete(key)) return false;
    this.#keys.add(key);
    return true;
  }

  add(key: string): void {
    this.#keys.add(key);
    const [oldest] = this.#keys;
    if (this.#keys.size > this.#most && oldest !== undefined) this.#keys.delete(oldest);
  }
}

function unauthorized(response: Response): void {
  response.setHeader('WWW-Authenticate', 'Basic');
  response.status(401).type('text/plain').send('Unauthorized\n');
}

/** Undefined when the header is absent or malformed: there is nothing to compare. */
function credentials(
  header: string | undefined,
): { readonly user: string; readonly password: string } | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** One client: of IPv6 a network of 64 bits, which is what one subscriber has. */
function networkOf(address: string): string {
  const ipv4 = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!ipv4.includes(':')) return ipv4;
  const [head = '', tail] = ipv4.split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(8 - groups.length - after.length, 0) }, () => '0');
  return [...groups, ...zeros, ...after].slice(0, 4).join(':');
}
