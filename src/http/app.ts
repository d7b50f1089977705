/** The routes of the HTTP server. */

import { parse as parseQuery } from 'node:querystring';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { exporterMetrics } from '../metrics/exporter-metrics.js';
import { clientErrorStatus } from './client-fault.js';
import type { Exporter } from './exporter.js';
import { requireKnownHost, requireSameSite } from './guards/same-site.js';
import { aliveHandler } from './routes/alive.js';
import { destinationHandler, destinationsHandler, historyHandler } from './routes/destinations.js';
import { eventsHandler } from './routes/events.js';
import { metricsHandler } from './routes/metrics.js';
import { pageHandler } from './routes/page.js';
import { probeHandler } from './routes/probe.js';
import { logsHandler, ProbeHistory, probesHandler } from './routes/probe-history.js';
import { reloadHandler } from './routes/reload.js';
import { rpcHandler } from './routes/rpc.js';

export interface AppOptions {
  readonly exporter: Exporter;
  /** Runs before every route: authentication. */
  readonly guard?: RequestHandler;
  readonly onError: (error: unknown, path: string) => void;
}

export function createApp({ exporter, guard, onError }: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // A + in a user part is a plus: only %20 is a blank.
  app.set('query parser', (text?: string) => parseQuery((text ?? '').replaceAll('+', '%2B')));
  app.use((_request, response, next) => {
    response.setHeader('X-Content-Type-Options', 'nosniff');
    next();
  });
  if (guard !== undefined) app.use(guard);
  const text =
    (reply: () => readonly [status: number, body: string]): RequestHandler =>
    (_request, response) => {
      const [status, body] = reply();
      response.status(status).type('text/plain').send(`${body}\n`);
    };
  const history = new ProbeHistory();
  const knownHost = requireKnownHost(() => exporter.names);
  // For the operators of this exporter alone.
  app.use(['/config', '/logs'], knownHost);
  app.use('/probe', (request, response, next) => {
    if (request.query['debug'] === undefined) next();
    else knownHost(request, response, next);
  });
  const routes: Readonly<Record<string, RequestHandler>> = {
    '/': pageHandler(),
    '/page/:file': pageHandler(),
    '/metrics': metricsHandler(exporter, exporterMetrics(exporter)),
    '/alive': aliveHandler(exporter),
    '/probe': probeHandler(exporter, history),
    '/logs': logsHandler(history),
    '/api/v1/destinations': destinationsHandler(exporter),
    '/api/v1/destinations/*name': destinationHandler(exporter),
    '/api/v1/history': historyHandler(exporter),
    '/api/v1/probes': probesHandler(history),
    '/api/v1/events': eventsHandler(exporter),
    '/config': (_request, response) => {
      response.type('application/json').send(exporter.configText());
    },
    '/-/healthy': text(() => [200, 'Healthy']),
    '/-/ready': text(() => {
      const why = whyNotReady(exporter);
      return why === undefined ? [200, 'Ready'] : [503, why];
    }),
  };
  for (const [path, handler] of Object.entries(routes)) {
    app.route(path).get(handler).all(notAllowed('GET, HEAD'));
  }
  const sameSite = requireSameSite(() => exporter.names);
  const posted: Readonly<Record<string, RequestHandler>> = {
    '/rpc': rpcHandler(exporter, (error) => onError(error, '/rpc')),
    '/-/reload': reloadHandler(exporter),
  };
  for (const [path, handler] of Object.entries(posted)) {
    app.route(path).post(sameSite, handler).all(notAllowed('POST'));
  }
  app.use((_request, response) => {
    response.status(404).type('text/plain').send('Not found. Begin at /\n');
  });
  app.use(errorHandler(onError));
  return app;
}

/** So many pings in a row that failed by a fault of ours: none can be sent. */
const LOCAL_RUN = 3;

/** Why the exporter cannot do its work, in words; undefined when it can. */
function whyNotReady({ pinger, ledger }: Exporter): string | undefined {
  if (!pinger.isReady) return 'The pinger thread is not running';
  const { localRun } = ledger.pinger();
  if (localRun < LOCAL_RUN) return undefined;
  return `The exporter cannot ping: its last ${localRun} pings failed by a fault of its own (reason local)`;
}

/** What an allowed method comes to here for was not found. */
function notAllowed(allowed: string): RequestHandler {
  return (request, response, next) => {
    if (allowed.split(', ').includes(request.method)) return next();
    response.setHeader('Allow', allowed);
    response.status(405).type('text/plain').send(`Method not allowed; use ${allowed}\n`);
  };
}

/** Express knows an error handler by its four parameters. */
function errorHandler(onError: AppOptions['onError']): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const status = clientErrorStatus(error) ?? 500;
    if (status === 500) onError(error, request.path);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const body = status === 500 ? 'Internal error; the log has it' : 'Bad request';
    response.status(status).type('text/plain').send(`${body}\n`);
  };
}
