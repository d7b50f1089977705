/** The last probes, and the last ones that failed, for people to look at. */

import type { RequestHandler } from 'express';
import type { ProbeReport } from '../../shared/probe-report.js';

/** Kept of each kind. */
const MAX_KEPT = 100;

export interface Probed {
  readonly id: number;
  readonly target: string;
  readonly module: string;
  readonly report: ProbeReport;
}

export class ProbeHistory {
  readonly #recent: Probed[] = [];
  readonly #failed: Probed[] = [];
  #lastId = 0;

  add(probe: Omit<Probed, 'id'>): void {
    const probed = { id: ++this.#lastId, ...probe };
    keep(this.#recent, probed);
    if (!probe.report.isAlive) keep(this.#failed, probed);
  }

  /** The newest first; failures stay longer. */
  all(): readonly Probed[] {
    const ofEach = new Map([...this.#failed, ...this.#recent].map((probed) => [probed.id, probed]));
    return [...ofEach.values()].sort((a, b) => b.id - a.id);
  }

  find(id: number): Probed | undefined {
    return [...this.#recent, ...this.#failed].find((probed) => probed.id === id);
  }
}

function keep(list: Probed[], probed: Probed): void {
  list.push(probed);
  if (list.length > MAX_KEPT) list.shift();
}

/** `GET /api/v1/probes`: those that are kept. */
export function probesHandler(history: ProbeHistory): RequestHandler {
  return (_request, response) => {
    const probes = history.all().map(({ id, target, module, report }) => {
      const { isAlive, reason = null, detail } = report;
      return { id, target, module, alive: isAlive, reason, detail: detail || null };
    });
    response.json({ probes });
  };
}

/** `GET /logs?id=N`: the log of a probe that is still kept. */
export function logsHandler(history: ProbeHistory): RequestHandler {
  return (request, response) => {
    const probed = history.find(Number(request.query['id']));
    response.type('text/plain');
    if (probed === undefined) {
      response.status(404).send('No such probe is kept; /api/v1/probes lists those that are\n');
      return;
    }
    response.send(`${probed.target} ${probed.module}\n${logText(probed.report)}`);
  };
}

/** A line for each step, and the messages as they were sent and received, set in. */
export function logText({ log }: ProbeReport): string {
  return log
    .map(({ atMs, what, message }) => {
      const body = message === '' ? '' : `${message.trimEnd().replace(/^/gm, '    ')}\n`;
      return `${new Date(atMs).toISOString()} ${what}\n${body}`;
    })
    .join('');
}
