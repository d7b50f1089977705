/** Basic authentication in front of every route. */

import { createHash, randomBytes } from 'node:crypto';
import { setImmediate as nextRound } from 'node:timers/promises';
import { compare } from 'bcryptjs';
import type { RequestHandler, Response } from 'express';
import type { WebConfig } from './web-config.js';

/** Compared for users that do not exist, so that nobody learns from the time which do. */
const NOBODY = '$2b$10$abcdefghijklmnopqrstuuhAyr5AeZi9EDH0IBzJwYtCdXRXjCEbS';
/** Who may wait for a comparison; one more is told to come back. */
const MOST_WAITING = 10;
/** Comparisons are slow on purpose; right ones are remembered, as many as this. */
const MOST_REMEMBERED = 100;

export function basicAuth(config: () => WebConfig): RequestHandler {
  const salt = randomBytes(16);
  const remembered = new Set<string>();
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  /** One comparison at a time, and others in between, so that guesses cannot fill the thread. */
  const isRight = (password: string, hash: string, response: Response): Promise<boolean> => {
    const result = last.then(async () => {
      await nextRound();
      return !response.destroyed && compare(password, hash);
    });
    last = result.catch(() => {});
    return result;
  };
  return async (request, response, next) => {
    const { users } = config();
    if (users.size === 0) return next();
    const [user, password] = credentials(request.headers.authorization);
    const hash = users.get(user);
    const key = createHash('sha256')
      .update(salt)
      .update(`${hash}\0${user}\0${password}`)
      .digest('hex');
    if (hash !== undefined && remembered.has(key)) return next();
    if (waiting >= MOST_WAITING) {
      response.status(429).type('text/plain').send('Too many requests\n');
      return;
    }
    waiting++;
    const matches = await isRight(password, hash ?? NOBODY, response).finally(() => waiting--);
    if (hash !== undefined && matches) {
      if (remembered.size >= MOST_REMEMBERED) remembered.clear();
      remembered.add(key);
      return next();
    }
    response.setHeader('WWW-Authenticate', 'Basic');
    response.status(401).type('text/plain').send('Unauthorized\n');
  };
}

function credentials(header: string | undefined): readonly [user: string, password: string] {
  const [, encoded = ''] = /^Basic\s+([A-Za-z0-9+/=]+)\s*$/i.exec(header ?? '') ?? [];
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? ['', ''] : [text.slice(0, colon), text.slice(colon + 1)];
}
