/** `POST /-/reload`: loads the configuration anew. */

import type { RequestHandler } from 'express';
import type { Exporter } from '../exporter.js';

export function reloadHandler(exporter: Exporter): RequestHandler {
  return async (_request, response) => {
    const fault = await exporter.reload();
    if (response.destroyed) return;
    response.type('text/plain');
    if (fault === undefined) response.send('Reloaded\n');
    else response.status(500).send(`Nothing has changed; the configuration is wrong:\n${fault}\n`);
  };
}
