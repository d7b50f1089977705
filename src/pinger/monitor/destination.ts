import type { AliveCodes } from '../../shared/alive-codes.js';
import type { DestinationSlot, PeerDetails, Pingable } from '../../shared/destination.js';
import type { Exchange } from '../../shared/resolution.js';
import type { SipUri } from '../../shared/uri.js';
import type { ServerLocation } from '../dns/location.js';
import type { Target } from '../targets/target.js';

/** A destination that is watched. */
export interface MonitoredDestination {
  readonly slot: DestinationSlot;
  readonly destination: Pingable;
  readonly uri: SipUri;
  /** Where pings go: the outbound proxy, else the destination itself. */
  readonly hop: SipUri;
  readonly alive: AliveCodes;
  /** Each of its pings is told of. */
  readonly isFollowed: boolean;
  targets: readonly Pinged[];
  /** What was found out about targets, by the index of their slot. */
  peers: ReadonlyMap<number, PeerDetails>;
  /** What the peer calls itself, and the monotonic time from which on it is worth another look. */
  server: string;
  serverDueMs: number;
  /** Monotonic time of the last good answer; undefined when there was none, or no name. */
  resolvedAtMs: number | undefined;
  /** Look-ups on the way that failed the last time, in words. */
  errors: readonly string[];
}

/** A target that is pinged, and how it was found. */
export interface Pinged {
  readonly target: Target;
  /** The last messages that went to it and came from it. */
  readonly recorder: { readonly exchange: Exchange };
  location: ServerLocation;
  /** The places that its pings turn to when that one fails, in this order. */
  others: readonly ServerLocation[];
}
