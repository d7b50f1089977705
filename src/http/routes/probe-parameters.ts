/** Reads the parameters of `GET /probe`. */

import type { Request } from 'express';
import { show } from '../../platform/values.js';
import { isInCidr } from '../../shared/cidr.js';
import type { PingSettings, RegisteredDestination } from '../../shared/destination.js';
import { nearestOf } from '../../shared/nearest.js';
import { parseUri, pingableUri, UriError } from '../../shared/uri.js';
import { queryBoolean, queryText } from '../query.js';
import { RequestError } from '../request-error.js';

const DEFAULT_MODULE = 'default';
/** Time reserved for sending the response to Prometheus, seconds. */
const TIMEOUT_OFFSET = 0.5;
const PARAMETERS: readonly string[] = ['target', 'module', 'destination', 'debug'];

export interface ProbeSettings {
  readonly isEnabled: boolean;
  /** CIDR blocks and domains that may be probed; empty for any. */
  readonly allow: readonly string[];
  /** Ping settings by module. */
  readonly modules: Readonly<Record<string, PingSettings>>;
}

/** Configured destinations. */
export interface ProbeTargets {
  named(name: string): RegisteredDestination | undefined;
}

export interface ProbeParameters extends ProbeTarget {
  readonly isDebug: boolean;
  readonly timeoutMs: number;
}

interface ProbeTarget {
  /** As in the request. */
  readonly target: string;
  /** Canonical. */
  readonly uri: string;
  readonly module: string;
  readonly settings: PingSettings;
  /** CIDR blocks that the address must be in; empty for any. */
  readonly allow: readonly string[];
}

/** @throws RequestError */
export function readProbeParameters(
  request: Request,
  settings: ProbeSettings,
  registry: ProbeTargets,
): ProbeParameters {
  if (!settings.isEnabled) throw new RequestError(403, 'probes are disabled (probe.enabled)');
  for (const name of Object.keys(request.query)) {
    if (PARAMETERS.includes(name)) continue;
    throw new RequestError(400, `${name}: expected one of ${PARAMETERS.join(', ')}, got ${name}`);
  }
  const isDebug = queryBoolean(request, 'debug') ?? false;
  const name = queryText(request, 'destination');
  const target =
    name === undefined ? readTarget(request, settings) : readDestination(request, registry, name);
  return { ...target, isDebug, timeoutMs: readTimeoutMs(request, target.settings) };
}

function readTarget(request: Request, { modules, allow }: ProbeSettings): ProbeTarget {
  const target = queryText(request, 'target');
  // The texts of blackbox_exporter come first.
  if (target === undefined) {
    const expected = 'expected target=URI or destination=NAME';
    throw new RequestError(400, `Target parameter is missing: ${expected}`);
  }
  const module = queryText(request, 'module') ?? DEFAULT_MODULE;
  const settings = Object.hasOwn(modules, module) ? modules[module] : undefined;
  if (settings === undefined) {
    const known = Object.keys(modules);
    const expected = `expected one of ${known.join(', ')}${nearestOf(module, known)}`;
    throw new RequestError(400, `Unknown module ${show(module)}: ${expected}`);
  }
  const uri = readUri(target, settings);
  return { target, uri, module, settings, allow: allowedBlocks(uri, settings, allow) };
}

/** A configured destination is pinged anyway, so any address is allowed. */
function readDestination(request: Request, registry: ProbeTargets, name: string): ProbeTarget {
  for (const other of ['target', 'module']) {
    if (queryText(request, other) === undefined) continue;
    throw new RequestError(400, `${other}: not allowed with destination, which has its own`);
  }
  const destination = registry.named(name)?.destination;
  if (destination === undefined) throw new RequestError(404, `no such destination: ${name}`);
  const { uri, module, settings } = destination;
  return { target: uri, uri, module, settings, allow: [] };
}

function readUri(target: string, { transport }: PingSettings): string {
  try {
    return pingableUri(target, transport);
  } catch (error) {
    if (error instanceof UriError) throw new RequestError(400, `target: ${error.message}`);
    throw error;
  }
}

/** The timeout of the module, limited by that of Prometheus. */
function readTimeoutMs(request: Request, { timeoutMs }: PingSettings): number {
  const header = request.headers['x-prometheus-scrape-timeout-seconds'];
  if (header === undefined) return timeoutMs;
  const seconds = Number(header);
  if (!(seconds > 0)) {
    const got = JSON.stringify(header);
    throw new RequestError(
      400,
      `X-Prometheus-Scrape-Timeout-Seconds: expected seconds above 0, got ${got}`,
    );
  }
  return Math.min(timeoutMs, 1000 * Math.max(seconds - TIMEOUT_OFFSET, seconds / 2));
}

/**
 * The blocks that the address of this URI must be in; none if any address or its domain is allowed. With a
 * `route` the URI itself must be allowed, because the exporter connects to the configured proxy; a name
 * that the proxy resolves must be allowed by its domain.
 *
 * @throws RequestError when no address can be allowed.
 */
function allowedBlocks(
  uri: string,
  { identity }: PingSettings,
  allow: readonly string[],
): readonly string[] {
  if (allow.length === 0) return [];
  const { host, hostKind } = parseUri(uri);
  const blocks = allow.filter((item) => item.includes('/'));
  const domains = allow.filter((item) => !item.includes('/'));
  const isAllowed = domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
  if (isAllowed) return [];
  const isOutside = hostKind === 'name' ? identity.route !== '' : !isInCidr(host, blocks);
  if (blocks.length === 0 || isOutside) throw notAllowed(host);
  return identity.route === '' ? blocks : [];
}

export function notAllowed(host: string): RequestError {
  return new RequestError(403, `${host} may not be probed (probe.allow)`);
}
