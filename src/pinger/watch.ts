import type { AliveCodes } from '../shared/alive-codes.js';
import type { Destination, DestinationSlot, Peer, TargetSlot } from '../shared/destination.js';
import type { TransportName } from '../shared/outcome.js';
import type { SipUri } from '../shared/uri.js';
import type { Target } from './target.js';

/** A destination that is watched. */
export interface Watch {
  readonly slot: DestinationSlot;
  readonly destination: Destination;
  readonly uri: SipUri;
  /** Where pings go: the outbound proxy, else the destination itself. */
  readonly hop: SipUri;
  readonly wire: TransportName;
  readonly alive: AliveCodes;
  /** By address, as in the label `address`. */
  readonly targets: Map<string, Target>;
  /** Rows that addresses of this destination had under an earlier pinger or earlier settings. */
  readonly kept: Map<string, TargetSlot>;
  /** What was found out about targets, by the index of their slot. */
  readonly peers: Map<number, Peer>;
  /** What the peer calls itself, and the monotonic time from which on it is worth another look. */
  server: string;
  serverDueMs: number;
}
