/**
 * Locates SIP servers (RFC 3263 4): from a URI to transports, addresses and ports, with the DNS records
 * that led to each.
 */

import { addressFamily, bracketed } from '../../shared/address.js';
import type { PingSettings } from '../../shared/destination.js';
import type { ResolutionStep } from '../../shared/resolution.js';
import { DEFAULT_PORTS, type SipUri, transportOf } from '../../shared/uri.js';
import type { LocateReport, LookupError, MissingPart } from './locate-report.js';
import type { LocateQuery, LocateTools, ServerLocation } from './location.js';
import { LocationSearch } from './location-search.js';

/** An error of a search that has a result although some of its lookups were not answered. */
export interface PartialLookupError extends LookupError {
  readonly missing: MissingPart;
  /** `TYPE NAME` of each lookup that was not answered. */
  readonly unanswered: ReadonlySet<string>;
  /** The same for lookups of one address family when the other family was answered. */
  readonly unansweredBeside: ReadonlySet<string>;
}

export interface LocateSuccess {
  readonly kind: 'located';
  /** In the order in which a client tries them, ignoring SRV weights; at least one. */
  readonly locations: readonly ServerLocation[];
  /** Monotonic time at which the first of its records expires, milliseconds. */
  readonly expiresAtMs: number;
  /** Number of records that were not used because there are too many; absent for none. */
  readonly cut?: number;
  /** Undefined when all lookups were answered. */
  readonly lookupError: PartialLookupError | undefined;
  /** A sentence for each failure. */
  readonly errors: readonly string[];
}

export interface LocateFailure extends LookupError {
  readonly kind: 'failed';
  readonly errors: readonly string[];
}

export type LocateResult = LocateSuccess | LocateFailure;

/** The query for pings with these settings. A source address limits it to its own family. */
export function locateQuery(uri: SipUri, settings: PingSettings): LocateQuery {
  const { transport, ipProtocol, sourceAddress, maxTargets } = settings;
  const family = addressFamily(sourceAddress);
  if (ipProtocol === 'any' && family !== undefined) {
    const narrowedBy = `source_address is ${sourceAddress}`;
    return { uri, transport, ipProtocol: `ip${family}`, narrowedBy, maxTargets };
  }
  const narrowedBy = ipProtocol === 'any' ? '' : `ip_protocol is ${ipProtocol}`;
  return { uri, transport, ipProtocol, narrowedBy, maxTargets };
}

const NO_STEPS: readonly ResolutionStep[] = [];

/** The location of a URI with an IP address; undefined for a name. */
export function numericLocation(query: LocateQuery): ServerLocation | undefined {
  const { uri } = query;
  if (uri.hostKind === 'name') return undefined;
  const transport = transportOf(uri, query.transport) ?? 'udp';
  const family = uri.hostKind === 'ipv4' ? 4 : 6;
  const port = uri.port ?? DEFAULT_PORTS[transport];
  // Without spread syntax, with which V8 would need half a kilobyte more per object.
  return {
    transport,
    address: uri.host,
    family,
    port,
    priority: undefined,
    weight: undefined,
    steps: NO_STEPS,
  };
}

/** Locates the servers of a URI with a host name. Rejects only on an internal error. */
export async function locate(query: LocateQuery, tools: LocateTools): Promise<LocateResult> {
  const { uri } = query;
  const search = new LocationSearch(query, tools);
  const isInUri = uri.params.some(([name]) => name === 'transport');
  const isChosen = isInUri || query.transport !== 'auto';
  const transport = transportOf(uri, query.transport) ?? 'udp';
  const isListed = tools.hosts.has(uri.host);
  // RFC 3263 4.2: a URI with a port uses no SRV records. An entry in the hosts file overrides the DNS.
  if (uri.port !== undefined || isListed) {
    const locations = await search.locateHost(transport);
    if (locations.length === 0 && !isListed)
      await search.explainPort(isChosen ? transport : undefined);
    return resultOf(query, locations, search.report);
  }
  const locations = isChosen
    ? await search.locateService(transport)
    : await search.locateAnyService(transport);
  return resultOf(query, locations, search.report);
}

function resultOf(
  { ipProtocol, narrowedBy }: LocateQuery,
  locations: readonly ServerLocation[],
  report: LocateReport,
): LocateResult {
  if (locations.length === 0) {
    const family = ipProtocol === 'ip4' ? 'IPv4' : 'IPv6';
    if (narrowedBy !== '') report.addRemark(`only ${family} is used: ${narrowedBy}`);
    return { kind: 'failed', ...report.error, errors: report.allErrors };
  }
  const { error, missing, unanswered, unansweredBeside, expiresAtMs, errors } = report;
  const lookupError =
    missing === undefined ? undefined : { ...error, missing, unanswered, unansweredBeside };
  const { cut } = report;
  return {
    kind: 'located',
    locations: withoutDuplicates(locations),
    expiresAtMs,
    cut,
    lookupError,
    errors,
  };
}

/** Several names can lead to the same transport, address and port, which is one target; the first counts. */
function withoutDuplicates(locations: readonly ServerLocation[]): readonly ServerLocation[] {
  const byLabel = new Map<string, ServerLocation>();
  for (const location of locations) {
    const label = `${location.transport} ${bracketed(location.address)}:${location.port}`;
    if (!byLabel.has(label)) byLabel.set(label, location);
  }
  return [...byLabel.values()];
}
