/** `GET /api/v1/status`: the exporter itself. */

import type { RequestHandler } from 'express';
import type { StatusContext } from '../../status/freshness.js';
import { isoTime } from '../../status/iso-time.js';
import type { StatusView } from '../../status/page-views.js';
import { countStates } from '../../status/state-counts.js';
import { sendJson } from '../server/compression.js';

/** What is known without a look at the destinations. */
export type ExporterStatus = Omit<StatusView, 'now' | 'destinations' | 'states' | 'ready'>;

export interface StatusHandlerOptions {
  readonly status: StatusContext;
  readonly exporter: () => ExporterStatus;
  /** Why the exporter is not ready; undefined when it is. */
  readonly problem: () => string | undefined;
}

export function statusHandler({ status, exporter, problem }: StatusHandlerOptions): RequestHandler {
  let counting: Promise<StatusView['states']> | undefined;
  // Requests that arrive during a count share it.
  const count = () => {
    counting ??= countStates(status).finally(() => {
      counting = undefined;
    });
    return counting;
  };
  return async (request, response) => {
    const states = await count();
    const reason = problem() ?? null;
    const view: StatusView = {
      ...exporter(),
      now: isoTime(status.now()) ?? '',
      destinations: status.registry.size,
      states,
      ready: { ok: reason === null, reason },
    };
    await sendJson(request, response, view);
  };
}
