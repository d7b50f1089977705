/** The state of each monitored destination in the pinger. */

import type { DestinationSlot, PeerDetails, Pingable } from '../../shared/destination.js';
import type { Exchange } from '../../shared/resolution.js';
import type { ResponseCodes } from '../../shared/status-codes.js';
import type { SipUri } from '../../shared/uri.js';
import type { ServerLocation } from '../dns/location.js';
import type { Target } from '../targets/target.js';
import type { Clock } from '../time/clock.js';

export interface MonitoredDestination {
  readonly slot: DestinationSlot;
  readonly destination: Pingable;
  readonly uri: SipUri;
  /** Next hop of pings: the outbound proxy if there is one, otherwise the destination itself. */
  readonly hop: SipUri;
  readonly codes: ResponseCodes;
  /** Whether each ping is reported to the main thread. */
  readonly isFollowed: boolean;
  targets: readonly PingedTarget[];
  /** Failure details and certificates of targets, by target index. */
  peers: ReadonlyMap<number, PeerDetails>;
  /** The peer's Server or User-Agent header, and the monotonic time after which it is read again. */
  server: string;
  serverDueMs: number;
  /** Monotonic time of the last usable DNS answer; undefined without one, or for an IP address. */
  resolvedAtMs: number | undefined;
  /** Error texts of the last resolution. */
  errors: readonly string[];
}

/** A target and its location. */
export interface PingedTarget {
  readonly target: Target;
  /** Keeps the last ping, and the last messages sent and received. */
  readonly recorder: { exchange(clock: Clock): Exchange };
  location: ServerLocation;
  /** The locations that its pings fail over to, in this order. */
  others: readonly ServerLocation[];
}
