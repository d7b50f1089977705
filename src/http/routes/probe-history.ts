/** The last probes, and the last ones that failed: `GET /api/v1/probes` and `/logs?id=N`. */

import type { RequestHandler } from 'express';
import { isLocalFailure, reasonText } from '../../shared/outcome.js';
import type { ProbeReport } from '../../shared/probe-report.js';
import { isAliveCode, type State } from '../../shared/state.js';
import type { ProbeDetails, ProbeView } from '../../status/views.js';
import { queryInteger } from '../query.js';
import { RequestError } from '../request-error.js';

/** Number of kept probes, and of kept failed probes. */
const MAX_KEPT = 100;
const SEE = 'see /api/v1/probes';

export interface KeptProbe {
  readonly id: number;
  /** Wall clock, milliseconds. */
  readonly endedAtMs: number;
  readonly target: string;
  readonly module: string;
  readonly report: ProbeReport;
}

export class ProbeHistory {
  readonly #recent: KeptProbe[] = [];
  readonly #failed: KeptProbe[] = [];
  #lastId = 0;

  add(probe: Omit<KeptProbe, 'id'>): KeptProbe {
    const kept = { id: ++this.#lastId, ...probe };
    keep(this.#recent, kept);
    if (!probe.report.isAlive) keep(this.#failed, kept);
    return kept;
  }

  /** All kept probes, the newest first. */
  all(): readonly KeptProbe[] {
    const byId = new Map([...this.#failed, ...this.#recent].map((probe) => [probe.id, probe]));
    return [...byId.values()].sort((a, b) => b.id - a.id);
  }

  find(id: number): KeptProbe | undefined {
    return [...this.#recent, ...this.#failed].find((probe) => probe.id === id);
  }
}

function keep(list: KeptProbe[], probe: KeptProbe): void {
  list.push(probe);
  if (list.length > MAX_KEPT) list.shift();
}

export function probesHandler(history: ProbeHistory): RequestHandler {
  return (_request, response) => {
    response.json({ probes: history.all().map(probeView) });
  };
}

function probeView({ id, endedAtMs, target, module, report }: KeptProbe): ProbeView {
  const { reason } = report;
  const state = stateOf(report);
  const { request: rtt } = report.durations;
  return {
    id,
    at: new Date(endedAtMs).toISOString(),
    target,
    module,
    code: isAliveCode(state),
    state,
    reason: reason ?? null,
    reason_text: reason === undefined ? null : reasonText(reason),
    detail: report.detail || null,
    sip_code: report.code ?? null,
    rtt: report.code === undefined || rtt === undefined || Number.isNaN(rtt) ? null : rtt,
  };
}

export function probeDetails(kept: KeptProbe): ProbeDetails {
  const steps = kept.report.log.map(([atMs, what, message]) => ({
    at: new Date(atMs).toISOString(),
    text: what,
    message: message === '' ? null : message,
  }));
  return { ...probeView(kept), steps };
}

/** The state of the peer; unknown after a local error. */
function stateOf({ isAlive, reason }: ProbeReport): State {
  if (isAlive) return 'up';
  return isLocalFailure(reason) ? 'unknown' : 'down';
}

export function logsHandler(history: ProbeHistory): RequestHandler {
  return (request, response) => {
    const id = queryInteger(request, 'id', Number.MAX_SAFE_INTEGER);
    if (id === undefined)
      throw new RequestError(400, `id: expected that of a probe, got none; ${SEE}`);
    const probe = history.find(id);
    if (probe === undefined) throw new RequestError(404, `no such probe: ${id}; ${SEE}`);
    response.type('text/plain').send(`${probe.target} ${probe.module}\n${logText(probe.report)}`);
  };
}

/** The log as text: a line for each step, with indented messages. */
export function logText({ log }: ProbeReport): string {
  return log
    .map(([atMs, what, message]) => {
      const body = message === '' ? '' : `${message.trimEnd().replace(/^/gm, '    ')}\n`;
      return `${new Date(atMs).toISOString()} ${what}\n${body}`;
    })
    .join('');
}
