/**
 * From a SIP URI to the places where it is served (RFC 3263 4): which wire, which addresses, which
 * ports, and how each was found.
 */

import { addressFamily, bracketed } from '../../shared/address.js';
import type { PingSettings } from '../../shared/destination.js';
import type { ResolutionStep } from '../../shared/resolution.js';
import { DEFAULT_PORTS, type SipUri, transportOf } from '../../shared/uri.js';
import type { LocateReport, LookupError, MissingPart } from './locate-report.js';
import type { LocateQuery, LocateTools, ServerLocation } from './location.js';
import { LocationSearch } from './location-search.js';

/** A name leads to places, and not all that was asked for was answered. */
export interface PartialLookupError extends LookupError {
  readonly missing: MissingPart;
  /** `TYPE NAME` of the look-ups that were not answered. */
  readonly unanswered: ReadonlySet<string>;
  /** The same of one family's look-ups beside answers of the other. */
  readonly unansweredBeside: ReadonlySet<string>;
}

export interface LocateSuccess {
  readonly kind: 'located';
  /** In the order in which a client would try them, weights apart; at least one. */
  readonly locations: readonly ServerLocation[];
  /** Monotonic: until then all that it rests on holds. */
  readonly expiresAtMs: number;
  /** Records that were not followed, because there are too many; absent for none. */
  readonly cut?: number;
  /** Undefined when all that was asked for was answered. */
  readonly lookupError: PartialLookupError | undefined;
  /** What failed where there should have been something, in words. */
  readonly errors: readonly string[];
}

export interface LocateFailure extends LookupError {
  readonly kind: 'failed';
  readonly errors: readonly string[];
}

export type LocateResult = LocateSuccess | LocateFailure;

/** What is sought for pings with these settings. A source address can only send to its own family. */
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

/** Where a numeric host is: where it says. Undefined for a name. */
export function numericLocation(query: LocateQuery): ServerLocation | undefined {
  const { uri } = query;
  if (uri.hostKind === 'name') return undefined;
  const transport = transportOf(uri, query.transport) ?? 'udp';
  const family = uri.hostKind === 'ipv4' ? 4 : 6;
  const port = uri.port ?? DEFAULT_PORTS[transport];
  // Written out: see `DestinationRegistry`'s entries.
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

/** Where a name is served. Never rejects. */
export async function locate(query: LocateQuery, tools: LocateTools): Promise<LocateResult> {
  const { uri } = query;
  const search = new LocationSearch(query, tools);
  const named = uri.params.some(([name]) => name === 'transport');
  const isChosen = named || query.transport !== 'auto';
  const transport = transportOf(uri, query.transport) ?? 'udp';
  const isListed = tools.hosts.has(uri.host);
  // RFC 3263 4.2: a port says that no SRV record is wanted; whoever writes a name into the hosts
  // file wants that address.
  if (uri.port !== undefined || isListed) {
    const locations = await search.locateHost(transport);
    if (locations.length === 0 && !isListed)
      await search.explainPort(isChosen ? transport : undefined);
    return concluded(query, locations, search.report);
  }
  const locations = isChosen
    ? await search.locateService(transport)
    : await search.locateAnyService(transport);
  return concluded(query, locations, search.report);
}

function concluded(
  { ipProtocol, narrowedBy }: LocateQuery,
  locations: readonly ServerLocation[],
  findings: LocateReport,
): LocateResult {
  if (locations.length === 0) {
    const family = ipProtocol === 'ip4' ? 'IPv4' : 'IPv6';
    if (narrowedBy !== '') findings.addRemark(`only ${family} is looked for: ${narrowedBy}`);
    return { kind: 'failed', ...findings.error, errors: findings.allErrors };
  }
  const { error, missing, unanswered, unansweredBeside, expiresAtMs, errors } = findings;
  const lookupError =
    missing === undefined ? undefined : { ...error, missing, unanswered, unansweredBeside };
  const { cut } = findings;
  return {
    kind: 'located',
    locations: withoutDoubles(locations),
    expiresAtMs,
    cut,
    lookupError,
    errors,
  };
}

/** Several names may lead to one address and port: it is one target, found by the first of them. */
function withoutDoubles(locations: readonly ServerLocation[]): readonly ServerLocation[] {
  const byLabel = new Map<string, ServerLocation>();
  for (const location of locations) {
    const label = `${location.transport} ${bracketed(location.address)}:${location.port}`;
    if (!byLabel.has(label)) byLabel.set(label, location);
  }
  return [...byLabel.values()];
}
