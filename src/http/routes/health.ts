/** `GET /-/healthy` and `/-/ready`. */

import type { RequestHandler } from 'express';
import type { LedgerReader } from '../../shared/ledger/reader.js';
import { STARTING } from '../../status/startup.js';

/** Consecutive pings with a local error after which the exporter is not ready. */
const MAX_LOCAL_RUN = 3;

/** 200 while the process serves requests. */
export function healthyHandler(): RequestHandler {
  return (_request, response) => {
    response.type('text/plain').send('Healthy\n');
  };
}

/** 200 while the exporter can ping; otherwise 503 with the reason. */
export function readyHandler(problemNow: () => string | undefined): RequestHandler {
  return (_request, response) => {
    const problem = problemNow();
    response
      .status(problem === undefined ? 200 : 503)
      .type('text/plain')
      .send(`${problem ?? 'Ready'}\n`);
  };
}

/** Why the exporter cannot ping; undefined when it can. */
export function readinessProblem(
  pinger: { readonly isReady: boolean },
  startup: { readonly isDone: boolean },
  ledger: Pick<LedgerReader, 'pinger'>,
): string | undefined {
  if (!pinger.isReady) return 'The pinger thread is not running';
  return startup.isDone ? localProblem(ledger) : STARTING.trimEnd();
}

function localProblem(ledger: Pick<LedgerReader, 'pinger'>): string | undefined {
  const { localRun } = ledger.pinger();
  if (localRun < MAX_LOCAL_RUN) return undefined;
  return `The exporter cannot ping: its last ${localRun} pings failed with a local error (reason local)`;
}
