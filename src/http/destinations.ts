/** `GET /api/v1/destinations` and `/api/v1/destinations/NAME`. */

import { setImmediate as nextRound } from 'node:timers/promises';
import type { RequestHandler } from 'express';
import { describe, describeResolution } from './describe.js';
import type { Exporter } from './exporter.js';

/** Destinations that are written at a stretch. */
const BATCH = 200;

export function destinationsHandler(exporter: Exporter): RequestHandler {
  return async (_request, response) => {
    if (response.destroyed) return;
    response.type('application/json');
    const all = exporter.roster.all();
    response.write('{"destinations":[');
    for (let i = 0; i < all.length; i += BATCH) {
      const batch = all.slice(i, i + BATCH).map((w) => JSON.stringify(describe(exporter, w)));
      const isFull = !response.write(`${i === 0 ? '' : ','}\n${batch.join(',\n')}`);
      if (isFull) await drained(response);
      else await nextRound();
      if (response.destroyed) return;
    }
    response.end('\n]}\n');
  };
}

export function destinationHandler(exporter: Exporter): RequestHandler {
  return async (request, response) => {
    // A name may have slashes; the route hands its pieces out as a list.
    const pieces = request.params['name'] ?? [];
    const name = Array.isArray(pieces) ? pieces.join('/') : pieces;
    const watched = exporter.roster.named(name);
    if (watched === undefined) {
      response.status(404).json({ error: `not watched: ${name}` });
      return;
    }
    // The pinger may be starting again; the rest can be told all the same.
    const resolution = await exporter.pinger.resolution(watched.slot).catch(() => undefined);
    response.json({ ...describe(exporter, watched), resolution: describeResolution(resolution) });
  };
}

/** Until the client has read on, or is gone. */
function drained(response: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve);
    response.once('close', resolve);
  });
}
