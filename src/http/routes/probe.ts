/**
 * `GET /probe?target=URI&module=NAME`: one ping of any destination, answered as blackbox_exporter
 * answers its probes, so that what works with the one works with the other. With `?destination=NAME`
 * it is a ping of a destination that is watched, with all the settings that it has.
 */

import type { Request, RequestHandler, Response } from 'express';
import { probeMetrics } from '../../metrics/probe-metrics.js';
import { isInCidr } from '../../shared/cidr.js';
import type { PingSettings } from '../../shared/destination.js';
import { isOwnFault } from '../../shared/outcome.js';
import type { ProbeReport } from '../../shared/probe-report.js';
import { parseUri, pingableUri, UriError } from '../../shared/uri.js';
import type { Exporter } from '../exporter.js';
import { logText, type ProbeHistory } from './probe-history.js';

const DEFAULT_MODULE = 'default';
/** Left for the answer's own way back, of the time that Prometheus gives, in seconds. */
const TIMEOUT_OFFSET = 0.5;
const PARAMETERS: readonly string[] = ['target', 'module', 'destination', 'debug'];

const YES_OR_NO = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/** What was asked for. */
interface Asked {
  readonly target: string;
  readonly uri: string;
  readonly module: string;
  readonly settings: PingSettings;
  readonly timeoutMs: number;
  readonly isDebug: boolean;
  /** CIDR blocks that the address must be in; none when any will do. */
  readonly allow: readonly string[];
}

/** The request cannot be answered. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function probeHandler(exporter: Exporter, history: ProbeHistory): RequestHandler {
  return async (request, response) => {
    if (response.destroyed) return;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      const asked = read(exporter, request);
      const report = await ask(exporter, asked, gone.signal);
      history.add({ target: asked.target, module: asked.module, report });
      await answer(exporter, response, asked, report);
    } catch (error) {
      if (gone.signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      response.status(error.status).type('text/plain').send(`${error.message}\n`);
    }
  };
}

/** @throws Refusal */
function read(exporter: Exporter, request: Request): Asked {
  if (!exporter.probes.isEnabled) throw new Refusal(403, 'probes are switched off (probe.enabled)');
  for (const name of Object.keys(request.query)) {
    if (!PARAMETERS.includes(name)) {
      throw new Refusal(400, `${name}: expected one of ${PARAMETERS.join(', ')}, got ${name}`);
    }
  }
  const isDebug = YES_OR_NO.get(single(request, 'debug') ?? 'false');
  if (isDebug === undefined) throw new Refusal(400, 'debug: expected true or false');
  const name = single(request, 'destination');
  const wanted =
    name === undefined ? readTarget(exporter, request) : readDestination(exporter, request, name);
  return { ...wanted, isDebug, timeoutMs: readTimeoutMs(request, wanted.settings) };
}

type DesiredState = Omit<Asked, 'isDebug' | 'timeoutMs'>;

function readTarget({ modules, probes }: Exporter, request: Request): DesiredState {
  const target = single(request, 'target');
  if (target === undefined) throw new Refusal(400, 'Target parameter is missing');
  const module = single(request, 'module') ?? DEFAULT_MODULE;
  const settings = Object.hasOwn(modules, module) ? modules[module] : undefined;
  if (settings === undefined) throw new Refusal(400, `Unknown module ${JSON.stringify(module)}`);
  const uri = readUri(target, settings);
  return { target, uri, module, settings, allow: blocksFor(uri, settings, probes.allow) };
}

/** It is pinged anyway, so wherever it is, it is allowed. */
function readDestination({ registry }: Exporter, request: Request, name: string): DesiredState {
  for (const other of ['target', 'module']) {
    if (single(request, other) === undefined) continue;
    throw new Refusal(400, `${other}: expected none beside a destination, which has its own`);
  }
  const destination = registry.named(name)?.destination;
  if (destination === undefined) throw new Refusal(404, `not watched: ${name}`);
  const { uri, module, settings } = destination;
  return { target: uri, uri, module, settings, allow: [] };
}

function single(request: Request, name: string): string | undefined {
  const value = request.query[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw new Refusal(400, `${name}: expected once, got repeatedly`);
  return value;
}

function readUri(target: string, { transport }: PingSettings): string {
  try {
    return pingableUri(target, transport);
  } catch (error) {
    if (error instanceof UriError) throw new Refusal(400, `target: ${error.message}`);
    throw error;
  }
}

/** The module's timeout, or what is left of Prometheus's where that is less. */
function readTimeoutMs(request: Request, { timeoutMs }: PingSettings): number {
  const header = request.headers['x-prometheus-scrape-timeout-seconds'];
  if (header === undefined) return timeoutMs;
  const seconds = Number(header);
  if (!(seconds > 0)) {
    const got = JSON.stringify(header);
    throw new Refusal(
      400,
      `X-Prometheus-Scrape-Timeout-Seconds: expected seconds above 0, got ${got}`,
    );
  }
  return Math.min(timeoutMs, 1000 * Math.max(seconds - TIMEOUT_OFFSET, seconds / 2));
}

/**
 * The blocks that the address of this destination has to be in: none when its domain is allowed, or
 * when anything is. Behind the operator's own proxy it is the destination itself that has to be
 * allowed, and a name that is to be resolved there only by its domain.
 *
 * @throws Refusal when no address could do.
 */
function blocksFor(
  uri: string,
  { identity }: PingSettings,
  allow: readonly string[],
): readonly string[] {
  const { host, hostKind } = parseUri(uri);
  const blocks = allow.filter((item) => item.includes('/'));
  const domains = allow.filter((item) => !item.includes('/'));
  const isAllowed = domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
  if (allow.length === 0 || isAllowed) return [];
  const isElsewhere = hostKind === 'name' ? identity.route !== '' : !isInCidr(host, blocks);
  if (blocks.length === 0 || isElsewhere) throw notAllowed(host);
  return identity.route === '' ? blocks : [];
}

function notAllowed(host: string): Refusal {
  return new Refusal(403, `${host} may not be probed (probe.allow)`);
}

async function ask(exporter: Exporter, asked: Asked, signal: AbortSignal): Promise<ProbeReport> {
  const { uri, settings, timeoutMs, allow } = asked;
  const report = await exporter.pinger
    .probe({ uri, settings, timeoutMs, allow }, signal)
    .catch((error: unknown) => {
      throw new Refusal(503, error instanceof Error ? error.message : String(error));
    });
  if (!report.isAllowed) throw notAllowed(parseUri(uri).host);
  if (!report.isSeen) throw new Refusal(503, 'the exporter itself stood still; ask again');
  return report;
}

async function answer(
  exporter: Exporter,
  response: Response,
  asked: Asked,
  report: ProbeReport,
): Promise<void> {
  const { reason, detail } = report;
  // To whoever scrapes, a probe that failed is a verdict on the destination.
  const isOurs = isOwnFault(reason);
  if (isOurs && !asked.isDebug) throw new Refusal(503, `the exporter could not ping: ${detail}`);
  if (isOurs) response.status(503);
  const registry = probeMetrics(report, asked.timeoutMs / 1000);
  const metrics = await registry.metrics();
  if (!asked.isDebug) {
    response.setHeader('Content-Type', registry.contentType);
    response.send(metrics);
    return;
  }
  response
    .type('text/plain')
    .send(
      [
        'Logs for the probe:',
        logText(report),
        'Metrics that would have been returned:',
        metrics,
        'Module configuration:',
        exporter.moduleText(asked.module),
      ].join('\n'),
    );
}
