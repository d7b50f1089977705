/** `GET /api/v1/events`: changes of state as server-sent events (the HTML standard, 9.2). */

import type { RequestHandler } from 'express';
import type { Clock } from '../../shared/clock.js';
import type { ChangeSource } from '../../status/state-change-log.js';
import { EventStreams } from './event-streams.js';

/** Pause before a browser reconnects. */
const RETRY_MS = 2_000;
const MAX_CLIENTS = 100;
/** Maximum share of the HTTP connections; the others are for requests. */
const MAX_SHARE = 1 / 2;

export interface EventsHandlerOptions {
  readonly changes: ChangeSource;
  /** Limit of the HTTP server. */
  readonly maxConnections: number;
  readonly clock: Clock;
}

export function eventsHandler(options: EventsHandlerOptions): RequestHandler {
  const { changes, maxConnections, clock } = options;
  const streams = new EventStreams(changes, clock);
  const maxClients = Math.min(MAX_CLIENTS, Math.ceil(maxConnections * MAX_SHARE));
  return (request, response) => {
    if (streams.size >= maxClients) {
      response.setHeader('Retry-After', '60');
      response
        .status(503)
        .type('text/plain')
        .send(`Too many clients: ${maxClients} are connected\n`);
      return;
    }
    response.setHeader('Content-Type', 'text/event-stream');
    response.setHeader('Cache-Control', 'no-store');
    // Otherwise nginx buffers events.
    response.setHeader('X-Accel-Buffering', 'no');
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const lastId = request.headers['last-event-id'] ?? request.query['last_event_id'];
    const isReconnect = typeof lastId === 'string';
    response.write(`retry: ${RETRY_MS}\n\n`);
    streams.add(response, isReconnect ? changes.numberOf(lastId) : changes.newest);
  };
}
