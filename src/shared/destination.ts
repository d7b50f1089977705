import type { TransportName } from './outcome.js';

/** How pings of a destination are made and judged. Times are milliseconds. */
export interface PingSettings {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Pings alive in a row before a target is up. */
  readonly rise: number;
  /** Pings not alive in a row before a target is down. */
  readonly fall: number;
  /** The text that `parseAliveCodes` reads. */
  readonly aliveCodes: string;
  /** Canonical URI of the From header; empty for `sip:keepalive@` and our address. */
  readonly pingFrom: string;
  readonly userAgent: string;
  readonly transport: TransportName;
  /** Local IP address to send from; empty for the one that the system's routes choose. */
  readonly sourceAddress: string;
  /** Local port to send from; 0 for one that the system chooses. */
  readonly sourcePort: number;
}

/** What the user asked to watch. */
export interface Destination {
  /** Its identity, and the value of the label `destination`. */
  readonly name: string;
  /** Canonical. */
  readonly uri: string;
  readonly module: string;
  /** The user's labels. */
  readonly labels: Readonly<Record<string, string>>;
  readonly settings: PingSettings;
}

declare const slot: unique symbol;

/** A row of the ledger; `generation` tells the row's present tenant from former ones. */
export interface Slot<Kind extends string> {
  readonly index: number;
  readonly generation: number;
  readonly [slot]?: Kind;
}
export type DestinationSlot = Slot<'destination'>;
export type TargetSlot = Slot<'target'>;

/** One resolved transport and address of a destination. */
export interface TargetAddress {
  readonly slot: TargetSlot;
  readonly transport: TransportName;
  /** As in the label `address`: `192.0.2.1:5060`, `[2001:db8::1]:5060`. */
  readonly address: string;
}

/** A destination as it is watched now, with what the pinger found out about it. */
export interface Watched {
  readonly destination: Destination;
  readonly slot: DestinationSlot;
  /** On whose behalf it is watched. */
  readonly owners: readonly string[];
  readonly targets: readonly TargetAddress[];
  /** What the peer calls itself (header Server, else User-Agent); empty until it said so. */
  readonly server: string;
}
