/** `POST /-/reload`: loads the configuration anew. */

import type { RequestHandler } from 'express';
import type { Exporter } from './exporter.js';

export function reloadHandler(exporter: Exporter): RequestHandler {
  return async (_request, response) => {
    const fault = await exporter.reload();
    if (response.destroyed) return;
    response.type('text/plain');
    if (fault === undefined) response.send('Reloaded\n');
    else response.status(500).send(`Nothing has changed; the configuration is wrong:\n${fault}\n`);
  };
}

/** Lets no page of another site do with us what only our users may. */
export const sameOrigin: RequestHandler = (request, response, next) => {
  const { origin, host } = request.headers;
  const isForeign =
    origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
  if (!isForeign) return next();
  response.status(403).type('text/plain').send('Not for pages of other sites\n');
};
