import type { TransportChoice, TransportName } from './outcome.js';
import type { TlsPeer } from './tls-peer.js';

/** How pings of a destination are made and judged. Times are milliseconds. */
export interface PingSettings {
  readonly intervalMs: number;
  /** For an answer, from the first send on; and, before that, for a connection. */
  readonly timeoutMs: number;
  /** Pings alive in a row before a target is up. */
  readonly rise: number;
  /** Pings not alive in a row before a target is down. */
  readonly fall: number;
  /** Pings not alive in a row after which a target is pinged every `maxBackoffMs`; 0 for never. */
  readonly deleteCounter: number;
  readonly maxBackoffMs: number;
  /** The text that `parseAliveCodes` reads. */
  readonly aliveCodes: string;
  /** The request method; never INVITE, ACK or CANCEL. */
  readonly method: string;
  readonly identity: Identity;
  /** What answers challenges; undefined when nothing does. */
  readonly auth: Credentials | undefined;
  readonly transport: TransportChoice;
  /** Whether a connection serves ping after ping, or one. */
  readonly connection: 'persistent' | 'per_ping';
  /** Path of the WebSocket resource. */
  readonly wsPath: string;
  /** The Origin of a WebSocket upgrade: `auto` for the destination's host, empty for none. */
  readonly wsOrigin: string;
  /** The Max-Forwards header, 0 to 255. */
  readonly maxForwards: number;
  readonly tls: TlsSettings;
  /** Local IP address to send from; empty for the one that the system's routes choose. */
  readonly sourceAddress: string;
  /** Local port to send from; 0 for one that the system chooses. */
  readonly sourcePort: number;
  /** Differentiated services code point, 0 to 63; 0 leaves packets as they are. */
  readonly dscp: number;
  /** Of which family the addresses of a name are pinged. */
  readonly ipProtocol: IpProtocol;
  readonly resolve: ResolveMode;
  readonly aliveWhen: AliveWhen;
  /** Addresses of one name that are pinged at the most. */
  readonly maxTargets: number;
}

/** Which of the addresses that a name resolves to are pinged. */
export type ResolveMode = 'all' | 'first';

/** When a destination is up: while any, all, or any of the best priority of its targets are. */
export type AliveWhen = 'any' | 'all' | 'priority';

export type IpProtocol = 'any' | 'ip4' | 'ip6';

/** Who a ping says it is from and for. URIs are canonical; what is empty has its default. */
export interface Identity {
  /** Of the From header; empty for `sip:keepalive@` and our address, or for `viaHost` alone. */
  readonly pingFrom: string;
  /** User part of the Request-URI, where the destination has none. */
  readonly user: string;
  /** URI of the To header; empty for the Request-URI. */
  readonly to: string;
  /** URI of the Contact header; empty for our address, or `viaHost`. */
  readonly contact: string;
  /** `host` or `host:port` that Via names as the sender; empty for our address. */
  readonly viaHost: string;
  readonly userAgent: string;
  /** URI of an outbound proxy: pings go there, and a Route header names it. */
  readonly route: string;
  /** Further headers. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** For digest authentication. The password is in the file where one is named. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly passwordFile: string;
}

/** How TLS is spoken, under the names of Prometheus's `tls_config`. Empty file names are none. */
export interface TlsSettings {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly keyPassphraseFile: string;
  /** Name to ask for and to hold the certificate against; empty for the destination's domain. */
  readonly serverName: string;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** A list of ciphers as OpenSSL reads it; empty for Node's. */
  readonly ciphers: string;
  /** Talks to peers that do not know RFC 5746. */
  readonly legacyRenegotiation: boolean;
  readonly insecureSkipVerify: boolean;
  /** No wildcards in certificates (RFC 5922 7.2). */
  readonly strictRfc5922: boolean;
}

export const TLS_VERSIONS = ['TLS10', 'TLS11', 'TLS12', 'TLS13'] as const;
export type TlsVersion = (typeof TLS_VERSIONS)[number];

/** The files that TLS by these settings needs the content of. */
export function filesIn(tls: TlsSettings): readonly string[] {
  const { caFile, certFile, keyFile, keyPassphraseFile } = tls;
  return [caFile, certFile, keyFile, keyPassphraseFile].filter((file) => file !== '');
}

/** The files that pings by these settings need the content of. */
export function filesOf({ tls, auth }: PingSettings): readonly string[] {
  return [...filesIn(tls), ...(auth?.passwordFile ? [auth.passwordFile] : [])];
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

/** What the pinger needs to know of a destination. */
export type Pingable = Pick<Destination, 'name' | 'uri' | 'settings'>;

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
  /** Of the SRV record that led to it; undefined without one. */
  readonly priority: number | undefined;
  readonly weight: number | undefined;
}

/** A destination as it is watched now, with what the pinger found out about it. */
export interface RegisteredDestination {
  readonly destination: Destination;
  readonly slot: DestinationSlot;
  /** On whose behalf it is watched. */
  readonly owners: readonly string[];
  /** Somebody wants to hear of each of its pings. */
  readonly isFollowed: boolean;
  readonly targets: readonly TargetAddress[];
  /** What the peer calls itself (header Server, else User-Agent); empty until it said so. */
  readonly server: string;
  /** By the index of the target's slot. */
  readonly peers: ReadonlyMap<number, PeerDetails>;
}

/** What most destinations have: one for all of them. */
export const NO_PEERS: ReadonlyMap<number, PeerDetails> = new Map();

/** What was found out about a target, beside numbers. */
export interface PeerDetails {
  /** What exactly went wrong with the last ping that failed, in words; empty when no more is known. */
  readonly detail: string;
  /** Undefined until a TLS handshake came so far that the peer showed its certificate. */
  readonly tls: TlsPeer | undefined;
}
