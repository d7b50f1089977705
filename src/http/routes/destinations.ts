/** `GET /api/v1/destinations` and `/api/v1/destinations/NAME`. */

import { once } from 'node:events';
import { setImmediate as nextRound } from 'node:timers/promises';
import type { RequestHandler, Response } from 'express';
import type { RegisteredDestination } from '../../shared/destination.js';
import type { Explanation } from '../../shared/resolution.js';
import {
  briefView,
  type DestinationView,
  describeRecent,
  describeResolution,
  destinationView,
  lastOutcome,
} from '../../status/describe.js';
import type { Exporter } from '../exporter.js';
import { ConcurrencyLimit } from '../server/concurrency-limit.js';
import { rejectBusy } from '../server/pipelining.js';

/** Destinations that are written at a stretch. */
const BATCH = 200;
/** Answers with every destination that are under way at one moment. */
const MAX_CONCURRENT = 16;
/** Destinations whose last hour is told in one answer. */
const MAX_HISTORIES = 100;

export function destinationsHandler(exporter: Exporter): RequestHandler {
  const limit = new ConcurrencyLimit({ max: MAX_CONCURRENT });
  return async (request, response) => {
    const { view = 'full' } = request.query;
    const render = view === 'full' ? destinationView : view === 'brief' ? briefView : undefined;
    if (render === undefined) {
      response.status(400).json({ error: 'view: expected full or brief' });
      return;
    }
    if (!(await limit.acquire(response))) return rejectBusy(response);
    try {
      await writeAll(exporter, response, render);
    } finally {
      limit.release(response);
    }
  };
}

/** Writes no faster than the client reads, and lets others run in between. */
async function writeAll(
  exporter: Exporter,
  response: Response,
  render: (exporter: Exporter, watched: RegisteredDestination) => object,
): Promise<void> {
  response.type('application/json');
  const all = exporter.registry.all();
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.write('{"destinations":[');
  for (let i = 0; i < all.length; i += BATCH) {
    const batch = all.slice(i, i + BATCH).map((w) => JSON.stringify(render(exporter, w)));
    const isFull = !response.write(`${i === 0 ? '' : ','}\n${batch.join(',\n')}`);
    if (isFull) await once(response, 'drain', { signal: gone.signal }).catch(() => {});
    else await nextRound();
    if (gone.signal.aborted) return;
  }
  response.end('\n]}\n');
}

export function destinationHandler(exporter: Exporter): RequestHandler {
  return async (request, response) => {
    // A name may have slashes; the route hands its pieces out as a list.
    const pieces = request.params['name'] ?? [];
    const name = Array.isArray(pieces) ? pieces.join('/') : pieces;
    const watched = exporter.registry.named(name);
    if (watched === undefined) {
      response.status(404).json({ error: `not watched: ${name}` });
      return;
    }
    // The pinger may be starting again; the rest can be told all the same.
    const told = await exporter.pinger.explanation(watched.slot).catch(() => undefined);
    const all = withResolution(destinationView(exporter, watched), told);
    const { targets, ...described } = all;
    response.json({
      ...described,
      ...lastOutcome(all),
      targets: targets.map((target, i) => ({
        ...target,
        ...targetDetails(exporter, watched, i, told),
      })),
      resolution: describeResolution(told?.resolution),
      history: exporter.history.of(watched.slot),
    });
  };
}

/** `GET /api/v1/history?destination=A&destination=B`: the last hour of each that is watched. */
export function historyHandler({ registry, history }: Exporter): RequestHandler {
  return (request, response) => {
    const asked: unknown = request.query['destination'] ?? [];
    const names: readonly unknown[] = Array.isArray(asked) ? asked : [asked];
    if (names.length > MAX_HISTORIES) {
      const error = `expected at most ${MAX_HISTORIES} destinations, got ${names.length}`;
      response.status(400).json({ error });
      return;
    }
    const histories = names.flatMap((name) => {
      const watched = registry.named(String(name));
      return watched === undefined ? [] : [[name, history.of(watched.slot)] as const];
    });
    response.json({ histories: Object.fromEntries(histories) });
  };
}

/** A name that does not resolve, with the words why. */
function withResolution(all: DestinationView, told: Explanation | undefined): DestinationView {
  const errors = told?.resolution.errors ?? [];
  if (all.reason !== 'resolution' || errors.length === 0) return all;
  return { ...all, reason_text: `${all.reason_text}: ${errors.join('; ')}` };
}

/** Of one target: its last pings, and the last messages. */
function targetDetails(
  { ledger }: Exporter,
  watched: RegisteredDestination,
  index: number,
  told: Explanation | undefined,
) {
  const slot = watched.targets[index]?.slot;
  const exchange = slot === undefined ? undefined : told?.exchanges.get(slot.index);
  return {
    recent: slot === undefined ? [] : ledger.recents(slot).map(describeRecent),
    last_sent: exchange?.sent || null,
    last_received: exchange?.received || null,
  };
}
