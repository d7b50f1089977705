/** Input and output of locating SIP servers (RFC 3263). */

import type { IpProtocol } from '../../shared/destination.js';
import type { TransportChoice, TransportName } from '../../shared/outcome.js';
import type { ResolutionStep } from '../../shared/resolution.js';
import type { SipUri } from '../../shared/uri.js';
import type { Clock } from '../time/clock.js';
import type { HostsTable } from './hosts.js';
import type { LookupFunction } from './lookup-cache.js';

/** A server of a URI. Address and port have passed `gateAddress`. */
export interface ServerLocation {
  readonly transport: TransportName;
  readonly address: string;
  readonly family: 4 | 6;
  readonly port: number;
  /** From the SRV record (RFC 2782); undefined without one. */
  readonly priority: number | undefined;
  readonly weight: number | undefined;
  /** The records that led to this location, in order. */
  readonly steps: readonly ResolutionStep[];
}

export interface LocateQuery {
  readonly uri: SipUri;
  /** The transport if the URI has none; `auto` follows DNS, and is UDP without NAPTR and SRV records. */
  readonly transport: TransportChoice;
  readonly ipProtocol: IpProtocol;
  /** The setting that excludes one address family, for error texts; empty for none. */
  readonly narrowedBy: string;
  /** Number of locations that the caller uses; limits how many host names are looked up. */
  readonly maxTargets: number;
}

export interface LocateTools {
  readonly lookUp: LookupFunction;
  readonly hosts: HostsTable;
  readonly clock: Clock;
  /** Called with the number of records that are not used because there are too many. */
  readonly onCut: (count: number) => void;
}
