/** Headers of every response. */

import type { RequestHandler } from 'express';
import type { WebConfig } from '../server/web-config.js';

/** Those that every answer has; the page has a Content-Security-Policy too. */
export const securityHeaders: RequestHandler = (_request, response, next) => {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('X-Frame-Options', 'DENY');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  next();
};

/** Those of the web configuration, which replace the others. */
export function configuredHeaders(config: () => Pick<WebConfig, 'headers'>): RequestHandler {
  return (_request, response, next) => {
    for (const [name, value] of config().headers) response.setHeader(name, value);
    next();
  };
}
