/** `GET /alive?destination=D`: the result of Kamailio's `is_alive(D)`. */

import type { Request, RequestHandler } from 'express';
import { UriError } from '../../shared/uri.js';
import { destinationView } from '../../status/describe.js';
import { bestOf, find } from '../../status/find.js';
import type { StatusContext } from '../../status/freshness.js';
import type { DestinationView } from '../../status/views.js';
import { queryBoolean, queryText } from '../query.js';
import { RequestError } from '../request-error.js';

export function aliveHandler(status: StatusContext): RequestHandler {
  return (request, response) => {
    const isJson = request.accepts(['text/plain', 'application/json']) === 'application/json';
    try {
      const failOnDown = queryBoolean(request, 'fail_on_down') ?? false;
      const view = requestedDestination(status, request);
      response.status(view.code === -1 || (view.code === 2 && failOnDown) ? 503 : 200);
      if (isJson) response.json(view);
      else response.type('text/plain').send(`${view.code}\n`);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      response.status(error.status);
      if (isJson) response.json({ code: -1, error: error.message });
      else response.type('text/plain').send('-1\n');
    }
  };
}

/** @throws RequestError */
function requestedDestination(status: StatusContext, request: Request): DestinationView {
  const nameOrUri = queryText(request, 'destination');
  if (nameOrUri === undefined) {
    throw new RequestError(400, 'destination: expected a name or a URI, got none');
  }
  try {
    const all = find(status, nameOrUri).map((registered) => destinationView(status, registered));
    const best = bestOf(all);
    if (best === undefined) throw new RequestError(404, `no such destination: ${nameOrUri}`);
    return best;
  } catch (error) {
    throw error instanceof UriError ? new RequestError(400, error.message) : error;
  }
}
