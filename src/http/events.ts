/** `GET /api/v1/events`: verdicts that change, as server-sent events (the HTML standard, 9.2). */

import type { RequestHandler, Response } from 'express';
import { eventOf, type StateChange } from '../shared/changes.js';
import { inWords } from '../shared/outcome.js';
import type { Exporter } from './exporter.js';

/** How soon a browser that was cut off comes back, and how often a silent connection is used. */
const RETRY_MS = 2_000;
const HEARTBEAT_MS = 15_000;
const MOST_LISTENERS = 100;
/** What a client may leave unread; with more it is cut off, and comes back for what it missed. */
const MOST_UNREAD = 1 << 20;

export function eventsHandler({ changes }: Exporter): RequestHandler {
  const listeners = new Set<Response>();
  return (request, response) => {
    if (listeners.size >= MOST_LISTENERS) {
      response.status(503).type('text/plain').send(`${MOST_LISTENERS} listen already\n`);
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
    const write = (text: string) => {
      response.write(text);
      if (response.writableLength > MOST_UNREAD) response.destroy();
    };
    listeners.add(response);
    write(`retry: ${RETRY_MS}\n\n`);
    const lastId = request.headers['last-event-id'] ?? request.query['last_event_id'];
    if (typeof lastId === 'string')
      for (const change of changes.since(lastId)) write(asEvent(change));
    const unsubscribe = changes.subscribe((change) => write(asEvent(change)));
    const heartbeat = setInterval(() => write(': still here\n\n'), HEARTBEAT_MS);
    response.once('close', () => {
      listeners.delete(response);
      unsubscribe();
      clearInterval(heartbeat);
    });
  };
}

function asEvent(change: StateChange): string {
  const name = eventOf(change.to) ?? 'dst-unknown';
  return `id: ${change.id}\nevent: ${name}\ndata: ${JSON.stringify(describeChange(change))}\n\n`;
}

/** As webhooks get it too. Times are ISO 8601. */
export function describeChange({ destination, ...change }: StateChange) {
  const { reason } = change;
  return {
    id: change.id,
    event: eventOf(change.to) ?? 'dst-unknown',
    destination: destination.name,
    uri: destination.uri,
    from: change.from,
    state: change.to,
    reason: reason ?? null,
    reason_in_words: reason === undefined ? null : inWords(reason),
    detail: change.trouble === '' ? null : change.trouble,
    at: new Date(change.atMs).toISOString(),
    module: destination.module,
    owners: change.owners,
    labels: destination.labels,
  };
}
