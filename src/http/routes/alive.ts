/** `GET /alive?destination=D`: what Kamailio's `is_alive(D)` answers. */

import type { Request, RequestHandler, Response } from 'express';
import type { RegisteredDestination } from '../../shared/destination.js';
import { UriError } from '../../shared/uri.js';
import { destinationView } from '../../status/describe.js';
import { bestOf, find } from '../../status/find.js';
import type { Exporter } from '../exporter.js';

/** What `fail_on_down` may say. */
const YES_OR_NO = new Map<unknown, boolean>([
  [undefined, false],
  ['0', false],
  ['false', false],
  ['1', true],
  ['true', true],
]);

export function aliveHandler(exporter: Exporter): RequestHandler {
  return (request, response) => {
    const asked = request.query['destination'];
    if (typeof asked !== 'string' || asked === '') {
      const got = asked === undefined || asked === '' ? 'none' : 'more than one';
      return refuse(request, response, 400, `expected one parameter destination, got ${got}`);
    }
    const isDownRefused = YES_OR_NO.get(request.query['fail_on_down']);
    if (isDownRefused === undefined)
      return refuse(request, response, 400, 'fail_on_down: expected 1 or 0');
    let found: readonly RegisteredDestination[];
    try {
      found = find(exporter, asked);
    } catch (error) {
      if (!(error instanceof UriError)) throw error;
      return refuse(request, response, 400, error.message);
    }
    if (found.length === 0) return refuse(request, response, 404, 'not watched');
    const best = bestOf(found.map((watched) => destinationView(exporter, watched)));
    if (best === undefined) return refuse(request, response, 404, 'not watched');
    response.status(best.code === -1 || (best.code === 2 && isDownRefused) ? 503 : 200);
    if (wantsJson(request)) response.json(best);
    else response.type('text/plain').send(`${best.code}\n`);
  };
}

function refuse(request: Request, response: Response, status: number, error: string): void {
  response.status(status);
  if (wantsJson(request)) response.json({ code: -1, error });
  else response.type('text/plain').send('-1\n');
}

function wantsJson(request: Request): boolean {
  return request.accepts(['text/plain', 'application/json']) === 'application/json';
}
