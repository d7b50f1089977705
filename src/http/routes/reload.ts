/** `POST /-/reload`: reloads the configuration. */

import type { RequestHandler } from 'express';

/** @param reload resolves with the errors of an invalid configuration; then nothing has changed. */
export function reloadHandler(
  reload: () => Promise<string | undefined>,
  isEnabled: () => boolean,
): RequestHandler {
  return async (_request, response) => {
    if (!isEnabled()) {
      const text = 'Lifecycle API is not enabled; set web.enable-lifecycle, or send SIGHUP';
      response.status(403).type('text/plain').send(`${text}\n`);
      return;
    }
    const error = await reload();
    if (response.destroyed) return;
    response.type('text/plain');
    if (error === undefined) response.send('Reloaded\n');
    else {
      const message = 'Reload failed; keeping the current configuration';
      response.status(500).send(`${message}:\n${error}\n`);
    }
  };
}
