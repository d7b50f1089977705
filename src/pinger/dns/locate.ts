/**
 * From a SIP URI to the places where it is served (RFC 3263 4): which wire, which addresses, which
 * ports, and how each was found.
 */

import { addressFamily, bracketed } from '../../shared/address.js';
import type { IpProtocol, PingSettings } from '../../shared/destination.js';
import type { TransportChoice, TransportName } from '../../shared/outcome.js';
import type { ResolutionStep } from '../../shared/resolution.js';
import { DEFAULT_PORTS, type SipUri, transportOf } from '../../shared/uri.js';
import type { Clock } from '../time/clock.js';
import type { LookUp } from './cache.js';
import type { Doubt, Findings, Missing } from './findings.js';
import type { HostsTable } from './hosts.js';
import { Search } from './location-search.js';

/** A place where a URI is served. Its address and port are through the gate. */
export interface Place {
  readonly wire: TransportName;
  readonly address: string;
  readonly family: 4 | 6;
  readonly port: number;
  /** Of the SRV record that led here (RFC 2782); undefined without one. */
  readonly priority: number | undefined;
  readonly weight: number | undefined;
  /** The records that led here, the first one first. */
  readonly steps: readonly ResolutionStep[];
}

/** A name leads to places, and not all that was asked for was answered. */
export interface PartialDoubt extends Doubt {
  readonly missing: Missing;
  /** `TYPE NAME` of the look-ups that were not answered. */
  readonly unanswered: ReadonlySet<string>;
  /** The same of one family's look-ups beside answers of the other. */
  readonly unansweredBeside: ReadonlySet<string>;
}

export interface Located {
  readonly kind: 'located';
  /** In the order in which a client would try them, weights apart; at least one. */
  readonly places: readonly Place[];
  /** Monotonic: until then all that it rests on holds. */
  readonly untilMs: number;
  /** Records that were not followed, because there are too many; absent for none. */
  readonly cut?: number;
  /** Undefined when all that was asked for was answered. */
  readonly doubt: PartialDoubt | undefined;
  /** What failed where there should have been something, in words. */
  readonly troubles: readonly string[];
}

export interface Unlocated extends Doubt {
  readonly kind: 'failed';
  readonly troubles: readonly string[];
}

export type Location = Located | Unlocated;

export interface Sought {
  readonly uri: SipUri;
  /** The wire where the URI names none; `auto` for what DNS says, UDP where that says nothing. */
  readonly transport: TransportChoice;
  readonly ipProtocol: IpProtocol;
  /** The setting that leaves one family out, for a message; empty where none does. */
  readonly narrowedBy: string;
  /** Places that are of use: not many more names than these are followed. */
  readonly maxTargets: number;
}

export interface LocateTools {
  readonly lookUp: LookUp;
  readonly hosts: HostsTable;
  readonly clock: Clock;
  /** So many records of an answer are not followed, because there are too many. */
  readonly onCut: (count: number) => void;
}

/** What is sought for pings with these settings. A source address can only send to its own family. */
export function soughtFor(uri: SipUri, settings: PingSettings): Sought {
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
export function numericPlace({ uri, transport }: Sought): Place | undefined {
  if (uri.hostKind === 'name') return undefined;
  const wire = transportOf(uri, transport) ?? 'udp';
  const family = uri.hostKind === 'ipv4' ? 4 : 6;
  const port = uri.port ?? DEFAULT_PORTS[wire];
  // Written out: see `Roster`'s entries.
  return {
    wire,
    address: uri.host,
    family,
    port,
    priority: undefined,
    weight: undefined,
    steps: NO_STEPS,
  };
}

/** Where a name is served. Never rejects. */
export async function locate(sought: Sought, tools: LocateTools): Promise<Location> {
  const { uri, transport } = sought;
  const search = new Search(sought, tools);
  const named = uri.params.some(([name]) => name === 'transport');
  const isChosen = named || transport !== 'auto';
  const wire = transportOf(uri, transport) ?? 'udp';
  const isListed = tools.hosts.has(uri.host);
  // RFC 3263 4.2: a port says that no SRV record is wanted; whoever writes a name into the hosts
  // file wants that address.
  if (uri.port !== undefined || isListed) {
    const places = await search.hostOf(wire);
    if (places.length === 0 && !isListed) await search.explainPort(isChosen ? wire : undefined);
    return concluded(sought, places, search.findings);
  }
  const places = isChosen ? await search.serviceOf(wire) : await search.anyService(wire);
  return concluded(sought, places, search.findings);
}

function concluded(
  { ipProtocol, narrowedBy }: Sought,
  places: readonly Place[],
  findings: Findings,
): Location {
  if (places.length === 0) {
    const family = ipProtocol === 'ip4' ? 'IPv4' : 'IPv6';
    if (narrowedBy !== '') findings.remark(`only ${family} is looked for: ${narrowedBy}`);
    return { kind: 'failed', ...findings.failure, troubles: findings.allTroubles };
  }
  const { failure, missing, unanswered, unansweredBeside, untilMs, troubles } = findings;
  const doubt =
    missing === undefined ? undefined : { ...failure, missing, unanswered, unansweredBeside };
  const { cut } = findings;
  return { kind: 'located', places: withoutDoubles(places), untilMs, cut, doubt, troubles };
}

/** Several names may lead to one address and port: it is one target, found by the first of them. */
function withoutDoubles(places: readonly Place[]): readonly Place[] {
  const byLabel = new Map<string, Place>();
  for (const place of places) {
    const label = `${place.wire} ${bracketed(place.address)}:${place.port}`;
    if (!byLabel.has(label)) byLabel.set(label, place);
  }
  return [...byLabel.values()];
}
