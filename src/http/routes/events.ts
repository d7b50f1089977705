/** `GET /api/v1/events`: verdicts that change, as server-sent events (the HTML standard, 9.2). */

import type { RequestHandler } from 'express';
import type { Exporter } from '../exporter.js';
import { EventStreams } from './event-streams.js';

/** How soon a browser that was cut off comes back. */
const RETRY_MS = 2_000;
const MAX_LISTENERS = 100;
/** Of the connections that there may be, the rest is for others. */
const SHARE = 1 / 2;

export function eventsHandler({ changes, connections }: Exporter): RequestHandler {
  const streams = new EventStreams(changes);
  const most = Math.min(MAX_LISTENERS, Math.ceil(connections.limit * SHARE));
  return (request, response) => {
    if (streams.size >= most) {
      response.setHeader('Retry-After', '60');
      response.status(503).type('text/plain').send(`${most} listen already\n`);
      return;
    }
    response.setHeader('Content-Type', 'text/event-stream');
    response.setHeader('Cache-Control', 'no-store');
    // nginx would keep events until it has a page full of them.
    response.setHeader('X-Accel-Buffering', 'no');
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const lastId = request.headers['last-event-id'] ?? request.query['last_event_id'];
    const isBack = typeof lastId === 'string';
    response.write(`retry: ${RETRY_MS}\n\n`);
    streams.add(response, isBack ? changes.numberOf(lastId) : changes.newest);
  };
}
