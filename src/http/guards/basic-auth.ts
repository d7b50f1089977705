/** Basic authentication for every route (RFC 7617). */

import { createHash, randomBytes } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import type { WebConfig } from '../server/web-config.js';
import { LoginAttempts } from './login-attempts.js';
import { costOf, type PasswordCheck, passwordThread } from './passwords.js';

/** Number of recent results that are kept, because checks are slow by design. */
const MAX_RIGHT = 100;
const MAX_WRONG = 1_000;

export interface BasicAuthOptions {
  /** The current web configuration. */
  readonly config: () => Pick<WebConfig, 'users'>;
  readonly onError: (error: unknown) => void;
  readonly checkPassword?: PasswordCheck;
}

export function basicAuth({
  config,
  onError,
  checkPassword = passwordThread(),
}: BasicAuthOptions): RequestHandler {
  const users = usersOf(config);
  const attempts = new LoginAttempts(checkPassword, onError);
  const salt = randomBytes(16);
  const keyOf = (...parts: readonly string[]) =>
    createHash('sha256').update(salt).update(JSON.stringify(parts)).digest('base64');
  const right = new RecentKeys(MAX_RIGHT);
  const wrong = new RecentKeys(MAX_WRONG);
  return async (request, response, next) => {
    const { hashes, cost } = users();
    if (hashes.size === 0) return next();
    const login = readCredentials(request.headers.authorization);
    if (login === undefined) return unauthorized(response);
    const { user, password } = login;
    // For routes that record who made a change.
    const accept = () => {
      response.locals['user'] = user;
      next();
    };
    const hash = hashes.get(user);
    // The key contains the hash, so results become invalid when the password changes.
    const key = keyOf(hash ?? '', user, password);
    if (hash !== undefined && right.has(key)) return accept();
    const client = networkOf(request.socket.remoteAddress ?? '');
    // The key contains the client, so that timing does not reveal the attempts of other clients.
    const attempt = keyOf(client, key, String(cost));
    if (wrong.has(attempt)) return unauthorized(response);
    const result = await attempts.check(attempt, client, { password, hash, cost }, response);
    switch (result) {
      case 'right':
        right.add(key);
        return accept();
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
        result satisfies never;
    }
  };
}

interface Users {
  readonly hashes: ReadonlyMap<string, string>;
  /** The highest cost of their hashes. */
  readonly cost: number;
}

/** Returns a function for the users of the current web configuration. */
function usersOf(config: BasicAuthOptions['config']): () => Users {
  let users: Users = { hashes: new Map(), cost: 0 };
  return () => {
    const { users: hashes } = config();
    if (hashes === users.hashes) return users;
    users = { hashes, cost: Math.max(0, ...[...hashes.values()].map(costOf)) };
    return users;
  };
}

/** The most recently used keys. */
class RecentKeys {
  readonly #maxSize: number;
  readonly #keys = new Set<string>();

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  has(key: string): boolean {
    if (!this.#keys.delete(key)) return false;
    this.#keys.add(key);
    return true;
  }

  add(key: string): void {
    this.#keys.add(key);
    const [oldest] = this.#keys;
    if (this.#keys.size > this.#maxSize && oldest !== undefined) this.#keys.delete(oldest);
  }
}

function unauthorized(response: Response): void {
  response.setHeader('WWW-Authenticate', 'Basic');
  response.status(401).type('text/plain').send('Unauthorized\n');
}

/** The user name and password in an Authorization header; undefined when it is absent or malformed. */
function readCredentials(
  header: string | undefined,
): { readonly user: string; readonly password: string } | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Identifies a client: its IPv4 address, or its IPv6 /64, which usually belongs to one subscriber. */
function networkOf(address: string): string {
  const ipv4 = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!ipv4.includes(':')) return ipv4;
  const [head = '', tail] = ipv4.split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const suffix = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(8 - groups.length - suffix.length, 0) }, () => '0');
  return [...groups, ...zeros, ...suffix].slice(0, 4).join(':');
}
