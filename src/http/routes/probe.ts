/**
 * `GET /probe?target=URI&module=NAME`: one ping of any destination, with metrics as in blackbox_exporter.
 * `?destination=NAME` pings a configured destination with its own settings.
 */

import type { Request, RequestHandler, Response } from 'express';
import { TEXT } from '../../metrics/format.js';
import { probeMetrics } from '../../metrics/probe-metrics.js';
import type { Clock } from '../../shared/clock.js';
import { isLocalFailure } from '../../shared/outcome.js';
import type { ProbeReport } from '../../shared/probe-report.js';
import type { ProbeRequest } from '../../shared/protocol.js';
import { parseUri } from '../../shared/uri.js';
import { RequestError } from '../request-error.js';
import { sendJson } from '../server/compression.js';
import { type KeptProbe, logText, type ProbeHistory, probeDetails } from './probe-history.js';
import {
  notAllowed,
  type ProbeParameters,
  type ProbeSettings,
  type ProbeTargets,
  readProbeParameters,
} from './probe-parameters.js';

export interface ProbeHandlerOptions {
  readonly registry: ProbeTargets;
  /** The current settings. */
  readonly settings: () => ProbeSettings;
  /** The settings of a module as text. */
  readonly moduleText: (module: string) => string;
  /** Pings once. Rejects when the pinger cannot, or when `signal` aborts. */
  readonly probe: (request: Omit<ProbeRequest, 'id'>, signal: AbortSignal) => Promise<ProbeReport>;
  readonly history: ProbeHistory;
  readonly clock: Pick<Clock, 'epoch'>;
}

export function probeHandler(options: ProbeHandlerOptions): RequestHandler {
  const { registry, settings, history, clock } = options;
  return async (request, response) => {
    if (response.destroyed) return;
    const closed = new AbortController();
    // An answer that is complete needs no abort, whose error costs more than the rest of this function.
    response.once('close', () => {
      if (!response.writableFinished) closed.abort();
    });
    try {
      const parameters = readProbeParameters(request, settings(), registry);
      const report = await runProbe(options, parameters, closed.signal);
      const { target, module } = parameters;
      const kept = history.add({ endedAtMs: clock.epoch(), target, module, report });
      if (isJsonLog(request)) await answerJson(request, response, kept);
      else answer(response, parameters, report, options.moduleText);
    } catch (error) {
      if (closed.signal.aborted) return;
      if (!(error instanceof RequestError)) throw error;
      response.status(error.status);
      if (isJsonLog(request)) response.json({ error: error.message });
      else response.type('text/plain').send(`${error.message}\n`);
    }
  };
}

/** @throws RequestError when there is no result. */
async function runProbe(
  { probe }: ProbeHandlerOptions,
  { uri, settings, timeoutMs, allow }: ProbeParameters,
  signal: AbortSignal,
): Promise<ProbeReport> {
  const report = await probe({ uri, settings, timeoutMs, allow }, signal).catch(
    (error: unknown) => {
      throw new RequestError(503, error instanceof Error ? error.message : String(error));
    },
  );
  if (!report.isAllowed) throw notAllowed(parseUri(uri).host);
  if (!report.isObserved) {
    throw new RequestError(503, 'the exporter was stalled during the probe; try again');
  }
  return report;
}

/** Whether the client asks for the log, and prefers JSON. */
function isJsonLog(request: Request): boolean {
  if (!['true', '1'].includes(String(request.query['debug']))) return false;
  return request.accepts(['text/plain', 'application/json']) === 'application/json';
}

async function answerJson(request: Request, response: Response, kept: KeptProbe): Promise<void> {
  if (isLocalFailure(kept.report.reason)) response.status(503);
  await sendJson(request, response, probeDetails(kept));
}

function answer(
  response: Response,
  { timeoutMs, isDebug, module }: ProbeParameters,
  report: ProbeReport,
  moduleText: (module: string) => string,
): void {
  // Not as metrics, because probe_success 0 would be a statement about the peer.
  const isLocal = isLocalFailure(report.reason);
  if (isLocal && !isDebug) {
    throw new RequestError(503, `the exporter cannot ping: ${report.detail}`);
  }
  if (isLocal) response.status(503);
  const metrics = probeMetrics(report, timeoutMs / 1000);
  if (!isDebug) {
    response.setHeader('Content-Type', TEXT.contentType);
    response.setHeader('Content-Length', Buffer.byteLength(metrics));
    // With `send`, Express would write the headers and the body each by itself.
    response.end(metrics);
    return;
  }
  const parts = [
    ...['Logs for the probe:', logText(report)],
    ...['Metrics that would have been returned:', metrics],
    ...['Module configuration:', moduleText(module)],
  ];
  response.type('text/plain').send(parts.join('\n'));
}
