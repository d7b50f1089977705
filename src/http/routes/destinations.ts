/** `GET /api/v1/destinations`, `/api/v1/destinations/NAME` and `/api/v1/history`. */

import { setImmediate as nextRound } from 'node:timers/promises';
import type { RequestHandler } from 'express';
import type { DestinationSlot, RegisteredDestination } from '../../shared/destination.js';
import type { Explanation } from '../../shared/resolution.js';
import { BriefTexts } from '../../status/brief-text.js';
import {
  briefView,
  destinationDetails,
  destinationView,
  historyView,
} from '../../status/describe.js';
import type { StatusContext } from '../../status/freshness.js';
import type { HistoryView, Hour } from '../../status/views.js';
import { queryDestinations, queryOneOf } from '../query.js';
import { sendJson } from '../server/compression.js';
import { ConcurrencyLimit } from '../server/concurrency-limit.js';
import { answerInPieces } from '../server/pieces.js';
import { rejectBusy } from '../server/pipelining.js';

/** Number of destinations that are written before other work may run. */
const BATCH = 200;
const HISTORY_BATCH = 20;
/** Maximum number of concurrent responses with all destinations. */
const MAX_CONCURRENT = 16;

/** The last hour of a destination. */
export interface HistorySource {
  of(slot: DestinationSlot): Hour;
}

export function destinationsHandler(status: StatusContext): RequestHandler {
  const limit = new ConcurrencyLimit({ max: MAX_CONCURRENT });
  const texts = new BriefTexts();
  const full: Render = (now, registered) => JSON.stringify(destinationView(now, registered));
  const brief: Render = (now, registered) =>
    texts.of(registered.destination, briefView(now, registered));
  return async (request, response) => {
    const render = queryOneOf(request, 'view', ['full', 'brief']) === 'brief' ? brief : full;
    if (!(await limit.acquire(response))) return rejectBusy(response);
    response.type('application/json');
    try {
      await answerInPieces(request, response, list(status, render));
    } finally {
      limit.release(response);
    }
  };
}

type Render = (status: StatusContext, registered: RegisteredDestination) => string;

/** Destinations that are removed meanwhile are left out. */
function* list(status: StatusContext, render: Render): Generator<string, void, undefined> {
  const { registry } = status;
  const all = registry.all();
  let hasRows = false;
  yield '{"destinations":[\n';
  for (let i = 0; i < all.length; i += BATCH) {
    const nowMs = status.now();
    const now = { ...status, now: () => nowMs };
    const rows = all
      .slice(i, i + BATCH)
      .filter((registered) => registry.at(registered.slot) === registered)
      .map((registered) => render(now, registered));
    if (rows.length === 0) continue;
    // Joined with what is before them, because a string of strings would be copied once more.
    if (hasRows) rows.unshift('');
    yield rows.join(',\n');
    hasRows = true;
  }
  yield '\n]}\n';
}

export interface DestinationHandlerOptions {
  readonly status: StatusContext;
  readonly histories: HistorySource;
  /** Rejects when the pinger cannot answer. */
  readonly explain: (slot: DestinationSlot) => Promise<Explanation | undefined>;
}

export function destinationHandler(options: DestinationHandlerOptions): RequestHandler {
  const { status, histories, explain } = options;
  return async (request, response) => {
    // A name may contain slashes; Express passes its pieces as a list.
    const pieces = request.params['name'] ?? [];
    const name = Array.isArray(pieces) ? pieces.join('/') : pieces;
    const registered = status.registry.named(name);
    if (registered === undefined) {
      response.status(404).json({ error: `no such destination: ${name}` });
      return;
    }
    // While the pinger restarts, the details are omitted.
    const explanation = await explain(registered.slot).catch(() => undefined);
    const hour = histories.of(registered.slot);
    const details = destinationDetails(status, registered, explanation, hour);
    await sendJson(request, response, details);
  };
}

/** `GET /api/v1/history?destination=A&destination=B`: the last hour and the last pings of each existing destination. */
export function historyHandler(status: StatusContext, histories: HistorySource): RequestHandler {
  return async (request, response) => {
    const all: [string, HistoryView][] = [];
    for (const [i, name] of queryDestinations(request).entries()) {
      if (i % HISTORY_BATCH === HISTORY_BATCH - 1) await nextRound();
      const registered = status.registry.named(name);
      if (registered === undefined) continue;
      all.push([name, historyView(status, registered, histories.of(registered.slot))]);
    }
    await sendJson(request, response, { histories: Object.fromEntries(all) });
  };
}
