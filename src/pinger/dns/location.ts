/** What a look-up of SIP servers (RFC 3263) takes and finds. */

import type { IpProtocol } from '../../shared/destination.js';
import type { TransportChoice, TransportName } from '../../shared/outcome.js';
import type { ResolutionStep } from '../../shared/resolution.js';
import type { SipUri } from '../../shared/uri.js';
import type { Clock } from '../time/clock.js';
import type { HostsTable } from './hosts.js';
import type { LookupFunction } from './lookup-cache.js';

/** A place where a URI is served. Its address and port are through the gate. */
export interface ServerLocation {
  readonly transport: TransportName;
  readonly address: string;
  readonly family: 4 | 6;
  readonly port: number;
  /** Of the SRV record that led here (RFC 2782); undefined without one. */
  readonly priority: number | undefined;
  readonly weight: number | undefined;
  /** The records that led here, the first one first. */
  readonly steps: readonly ResolutionStep[];
}

export interface LocateQuery {
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
  readonly lookUp: LookupFunction;
  readonly hosts: HostsTable;
  readonly clock: Clock;
  /** So many records of an answer are not followed, because there are too many. */
  readonly onCut: (count: number) => void;
}
