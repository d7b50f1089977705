/** The routes of the HTTP server. */

import { type ParsedUrlQuery, parse as parseQuery } from 'node:querystring';
import express, {
  type ErrorRequestHandler,
  type Express,
  type RequestHandler,
  type Router,
} from 'express';
import type { ExporterMetrics } from '../metrics/renderer.js';
import { show } from '../platform/values.js';
import type { Clock } from '../shared/clock.js';
import type { DestinationSlot } from '../shared/destination.js';
import type { ProbeReport } from '../shared/probe-report.js';
import type { ProbeRequest } from '../shared/protocol.js';
import type { Explanation } from '../shared/resolution.js';
import type { StatusContext } from '../status/freshness.js';
import type { ChangeSource } from '../status/state-change-log.js';
import { addRoutes, type Routes } from './add-routes.js';
import { clientErrorStatus } from './client-error.js';
import { securityHeaders } from './guards/headers.js';
import { type ExporterNames, requireKnownHost, requireSameSite } from './guards/same-site.js';
import { OPENAPI_DOCUMENT } from './openapi/document.js';
import { RequestError } from './request-error.js';
import { aliveHandler } from './routes/alive.js';
import {
  destinationHandler,
  destinationsHandler,
  type HistorySource,
  historyHandler,
} from './routes/destinations.js';
import { eventsHandler } from './routes/events.js';
import { healthyHandler, readinessProblem, readyHandler } from './routes/health.js';
import { type IncidentSource, incidentsHandler } from './routes/incidents.js';
import { availabilityHandler, type LongSpansSource, rangeHandler } from './routes/long-spans.js';
import { type MetricsSettings, metricsHandler } from './routes/metrics.js';
import { pageHandler } from './routes/page.js';
import { probeHandler } from './routes/probe.js';
import { logsHandler, ProbeHistory, probesHandler } from './routes/probe-history.js';
import type { ProbeSettings } from './routes/probe-parameters.js';
import { reloadHandler } from './routes/reload.js';
import { type RuntimeDestinationStore, rpcHandler } from './routes/rpc.js';
import { type SilencesSource, silencesHandlers } from './routes/silences.js';
import { type ExporterStatus, statusHandler } from './routes/status.js';
import { sendError } from './send-error.js';
import { sendJson } from './server/compression.js';

export interface AppOptions {
  readonly status: StatusContext;
  readonly histories: HistorySource;
  readonly changes: ChangeSource;
  readonly incidents: IncidentSource;
  readonly pinger: PingerPort;
  readonly runtimeDestinations: RuntimeDestinationStore;
  readonly upstream: UpstreamSource;
  readonly exporterMetrics: ExporterMetrics;
  readonly exporterStatus: () => ExporterStatus;
  /** Done once the first list of destinations is in place. */
  readonly startup: { readonly isDone: boolean };
  readonly paths: Paths;
  /** The current settings, which a reload changes. */
  readonly settings: () => HttpSettings;
  /** Reloads the configuration. Resolves with its errors if it is invalid; then nothing has changed. */
  readonly reload: () => Promise<string | undefined>;
  /** The current configuration as text. */
  readonly configText: () => string;
  /** The settings of a module as text. */
  readonly moduleText: (module: string) => string;
  /** Limit of the HTTP server. */
  readonly maxConnections: number;
  readonly clock: Clock;
  /** Run before every route: headers, limits, authentication. */
  readonly guards?: readonly RequestHandler[];
  /** Called when a request fails with an internal error. */
  readonly onError: (error: unknown, path: string) => void;
}

/** What Prometheus and Alertmanager know. The methods reject when these cannot be asked. */
export interface UpstreamSource {
  readonly longSpans: LongSpansSource;
  readonly silences: SilencesSource;
}

/** Access to the pinger thread. The methods reject when it cannot answer. */
export interface PingerPort {
  readonly isReady: boolean;
  /** Pings once. Also rejects when `signal` aborts. */
  probe(request: Omit<ProbeRequest, 'id'>, signal: AbortSignal): Promise<ProbeReport>;
  /** Details of a destination that are not in the ledger. */
  explanation(slot: DestinationSlot): Promise<Explanation | undefined>;
}

export interface Paths {
  /** Everything is below it: `/sip`; `/` for the root. */
  readonly routePrefix: string;
  /** Of the metrics: `/metrics`. */
  readonly telemetry: string;
}

export interface HttpSettings {
  readonly names: ExporterNames;
  readonly isAdminEnabled: boolean;
  readonly isLifecycleEnabled: boolean;
  readonly probe: ProbeSettings;
  readonly metrics: MetricsSettings;
}

export function createApp(options: AppOptions): Express {
  const { guards = [], settings, onError, paths } = options;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', queryParser());
  app.use(securityHeaders, ...guards);
  const router = express.Router();
  const names = () => settings().names;
  protectSecrets(router, requireKnownHost(names));
  const routes = {
    get: getRoutes(options),
    post: postRoutes(options),
    delete: { '/api/v1/silences/:id': silencesHandlers(options).end },
  };
  addRoutes(router, routes, requireSameSite(names));
  app.use(redirectToPrefix(paths.routePrefix));
  app.use(paths.routePrefix, router);
  app.use((request, response) => {
    sendError(request, response, 404, `Not found. See ${slashed(paths.routePrefix)}`);
  });
  app.use(errorHandler(onError));
  return app;
}

const slashed = (prefix: string) => (prefix === '/' ? '/' : `${prefix}/`);

/** The URLs of the page are relative, so its own URL must end in a slash. */
function redirectToPrefix(prefix: string): RequestHandler {
  return (request, response, next) => {
    const isAbove = request.path === '/' || request.path === prefix;
    if (prefix === '/' || !isAbove || request.method !== 'GET') next();
    else response.redirect(slashed(prefix));
  };
}

/** A + in the user part of a URI is a plus; only %20 is a space. */
function queryParser(): (text?: string | null) => ParsedUrlQuery {
  let last = '';
  let query: ParsedUrlQuery = {};
  // Express parses the query anew each time that a route asks for a parameter.
  return (text) => {
    const given = text ?? '';
    if (given === last) return query;
    query = parseQuery(given.replaceAll('+', '%2B'));
    last = given;
    return query;
  };
}

/** Requires a known host name for routes that show configuration or messages. */
function protectSecrets(router: Router, knownHost: RequestHandler): void {
  router.use(['/config', '/logs'], knownHost);
  router.use('/probe', (request, response, next) => {
    if (request.query['debug'] === undefined) next();
    else knownHost(request, response, next);
  });
}

function getRoutes(options: AppOptions): Routes {
  const { status, histories, changes, pinger, settings, maxConnections, clock, paths } = options;
  const page = pageHandler(paths.telemetry);
  const history = new ProbeHistory();
  const problem = () => readinessProblem(pinger, options.startup, status.ledger);
  return {
    '/': page,
    '/page/*path': page,
    [paths.telemetry]: metricsHandler({
      ...{ status, startup: options.startup, exporterMetrics: options.exporterMetrics },
      settings: () => settings().metrics,
    }),
    '/alive': aliveHandler(status),
    '/probe': probeHandler({
      ...{ registry: status.registry, settings: () => settings().probe, history, clock },
      moduleText: options.moduleText,
      probe: (request, signal) => pinger.probe(request, signal),
    }),
    '/logs': logsHandler(history),
    '/api/v1/destinations': destinationsHandler(status),
    '/api/v1/destinations/*name': destinationHandler({
      ...{ status, histories, explain: (slot) => pinger.explanation(slot) },
    }),
    '/api/v1/status': statusHandler({ status, exporter: options.exporterStatus, problem }),
    '/api/v1/history': historyHandler(status, histories),
    '/api/v1/availability': availabilityHandler(status.registry, options.upstream.longSpans),
    '/api/v1/range': rangeHandler(status.registry, options.upstream.longSpans),
    '/api/v1/silences': silencesHandlers(options).list,
    '/api/v1/incidents': incidentsHandler(options.incidents),
    '/api/v1/probes': probesHandler(history),
    '/api/v1/events': eventsHandler({ changes, maxConnections, clock }),
    '/api/v1/openapi.json': (request, response) =>
      sendJson(request, response, {
        ...OPENAPI_DOCUMENT,
        servers: [{ url: slashed(paths.routePrefix) }],
      }),
    '/config': (_request, response) => {
      response.type('application/json').send(options.configText());
    },
    '/-/healthy': healthyHandler(),
    '/-/ready': readyHandler(problem),
  };
}

function postRoutes(options: AppOptions): Routes {
  const { status, runtimeDestinations, settings, onError } = options;
  return {
    '/rpc': rpcHandler({
      ...{ status, runtimeDestinations },
      isAdminEnabled: () => settings().isAdminEnabled,
      onError: (error) => onError(error, '/rpc'),
    }),
    '/api/v1/silences': silencesHandlers(options).create,
    '/-/reload': reloadHandler(options.reload, () => settings().isLifecycleEnabled),
  };
}

/** Express recognizes an error handler by its four parameters. */
function errorHandler(onError: AppOptions['onError']): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const status = clientErrorStatus(error) ?? 500;
    if (status === 500) onError(error, request.path);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    // The handler may have set an encoding before it failed.
    response.removeHeader('Content-Encoding');
    const message =
      status === 500 ? 'Internal error; see the log' : refusalText(error, request.path);
    sendError(request, response, status, message);
  };
}

function refusalText(error: unknown, path: string): string {
  if (error instanceof RequestError) return error.message;
  return error instanceof URIError
    ? `expected a path with valid %-escapes, got ${show(path)}`
    : 'Bad request';
}
