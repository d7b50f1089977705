/** Limits the rate of all requests together: a token bucket, as the exporters of Prometheus have it. */

import type { RequestHandler } from 'express';
import type { Clock } from '../../shared/clock.js';
import type { WebConfig } from '../server/web-config.js';

/** Answers 429 when there is no token for a request. */
export function rateLimit(
  config: () => Pick<WebConfig, 'rateLimit'>,
  clock: Pick<Clock, 'now'>,
): RequestHandler {
  let limit = config().rateLimit;
  let tokens = limit?.burst ?? 0;
  let filledAtMs = clock.now();
  return (_request, response, next) => {
    const now = clock.now();
    const { rateLimit: current } = config();
    if (current?.burst !== limit?.burst || current?.intervalMs !== limit?.intervalMs) {
      limit = current;
      tokens = current?.burst ?? 0;
      filledAtMs = now;
    }
    if (limit === undefined) return next();
    tokens = Math.min(limit.burst, tokens + (now - filledAtMs) / limit.intervalMs);
    filledAtMs = now;
    if (tokens >= 1) {
      tokens--;
      return next();
    }
    response.setHeader('Retry-After', String(Math.ceil(limit.intervalMs / 1000)));
    response.status(429).type('text/plain').send('Too many requests\n');
  };
}
