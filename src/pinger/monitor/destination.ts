/** What the pinger keeps of each destination that it monitors. */

import type { AliveCodes } from '../../shared/alive-codes.js';
import type { DestinationSlot, PeerDetails, Pingable } from '../../shared/destination.js';
import type { Exchange } from '../../shared/resolution.js';
import type { SipUri } from '../../shared/uri.js';
import type { ServerLocation } from '../dns/location.js';
import type { Target } from '../targets/target.js';

export interface MonitoredDestination {
  readonly slot: DestinationSlot;
  readonly destination: Pingable;
  readonly uri: SipUri;
  /** Where pings go: the outbound proxy if there is one, else the destination itself. */
  readonly hop: SipUri;
  readonly alive: AliveCodes;
  /** The main thread gets a report of each ping. */
  readonly isFollowed: boolean;
  targets: readonly PingedTarget[];
  /** Details of targets beside numbers, by target index. */
  peers: ReadonlyMap<number, PeerDetails>;
  /** The peer's Server or User-Agent, and the monotonic time at which it is read again. */
  server: string;
  serverDueMs: number;
  /** Monotonic time of the last good DNS answer; undefined if there was none, or no name. */
  resolvedAtMs: number | undefined;
  /** Errors of the last resolution, as text. */
  errors: readonly string[];
}

/** A target, and the location that it was made for. */
export interface PingedTarget {
  readonly target: Target;
  /** Keeps the last messages sent and received. */
  readonly recorder: { readonly exchange: Exchange };
  location: ServerLocation;
  /** The locations that its pings fail over to, in this order. */
  others: readonly ServerLocation[];
}
