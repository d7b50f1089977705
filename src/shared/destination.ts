import type { TransportChoice, TransportName } from './outcome.js';
import type { TlsPeer } from './tls-peer.js';

/** How a destination is pinged, and what counts as alive. Times are milliseconds. */
export interface PingSettings {
  readonly intervalMs: number;
  /** Interval while a change of the state is not confirmed; at most `intervalMs`. */
  readonly retryIntervalMs: number;
  /** Interval while a target is down. */
  readonly downIntervalMs: number;
  /** Maximum time from the first send to the response; separately, maximum time to connect before that. */
  readonly timeoutMs: number;
  /** Consecutive alive pings before a target is up. */
  readonly rise: number;
  /** Consecutive failed pings before a target is down. */
  readonly fall: number;
  /** Consecutive failed pings after which a target is pinged every `maxBackoffMs`; 0 for never. */
  readonly deleteCounter: number;
  readonly maxBackoffMs: number;
  /** A list of codes, for `responseCodes`. */
  readonly aliveCodes: string;
  /** The same for codes with which a destination is draining; empty for none. */
  readonly drainingCodes: string;
  /** Whether a target that is down is not pinged before the time of its Retry-After, up to `maxBackoffMs`. */
  readonly respectRetryAfter: boolean;
  /** The request method; never INVITE, ACK or CANCEL. */
  readonly method: string;
  readonly identity: Identity;
  /** Credentials for challenges; undefined for none. */
  readonly auth: Credentials | undefined;
  readonly transport: TransportChoice;
  /** Whether a connection is kept for further pings, or closed after one. */
  readonly connection: 'persistent' | 'per_ping';
  /** Path of the WebSocket resource. */
  readonly wsPath: string;
  /** Origin header of the WebSocket upgrade: `auto` for the destination's host, empty for none. */
  readonly wsOrigin: string;
  /** The Max-Forwards header, 0 to 255. */
  readonly maxForwards: number;
  readonly tls: TlsSettings;
  /** Local IP address to send from; empty to let the routing table choose. */
  readonly sourceAddress: string;
  /** Local port to send from; 0 to let the system choose. */
  readonly sourcePort: number;
  /** Differentiated services code point, 0 to 63; 0 for the system's default. */
  readonly dscp: number;
  /** Network interface to send and receive by; empty for the one that the routing table chooses. */
  readonly interfaceName: string;
  /** Address family that names are resolved to. */
  readonly ipProtocol: IpProtocol;
  readonly resolve: ResolveMode;
  readonly aliveWhen: AliveWhen;
  /** Maximum number of addresses pinged per name. */
  readonly maxTargets: number;
}

/** Which addresses of a name are pinged. */
export type ResolveMode = 'all' | 'first';

/** When a destination is up: if any target is, if all are, or if any of the best priority is. */
export type AliveWhen = 'any' | 'all' | 'priority';

export type IpProtocol = 'any' | 'ip4' | 'ip6';

/** The SIP identity of pings. URIs are canonical; an empty value means the default. */
export interface Identity {
  /** URI of the From header; empty for `sip:keepalive@ADDRESS`, or for `sip:` and `viaHost`. */
  readonly pingFrom: string;
  /** User part of the Request-URI if the destination has none. */
  readonly user: string;
  /** URI of the To header; empty for the Request-URI. */
  readonly to: string;
  /** URI of the Contact header; empty for the local address, or `viaHost`. */
  readonly contact: string;
  /** `host` or `host:port` for the sent-by of Via; empty for the local address. */
  readonly viaHost: string;
  readonly userAgent: string;
  /** URI of an outbound proxy: pings are sent there, with a Route header. */
  readonly route: string;
  /** Additional headers. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Credentials for digest authentication. A `passwordFile` that is not empty overrides `password`. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly passwordFile: string;
}

/** TLS settings, named as in Prometheus's `tls_config`. An empty file name means no file. */
export interface TlsSettings {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly keyPassphraseFile: string;
  /** Name for SNI and for the check of the certificate; empty for the destination's domain. */
  readonly serverName: string;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** Cipher list in OpenSSL's format; empty for the default of Node.js. */
  readonly ciphers: string;
  /** Allows peers without secure renegotiation (RFC 5746). */
  readonly legacyRenegotiation: boolean;
  readonly insecureSkipVerify: boolean;
  /** Rejects wildcard certificates (RFC 5922 7.2). */
  readonly strictRfc5922: boolean;
}

export const TLS_VERSIONS = ['TLS10', 'TLS11', 'TLS12', 'TLS13'] as const;
export type TlsVersion = (typeof TLS_VERSIONS)[number];

/** The files that these TLS settings name. */
export function filesIn(tls: TlsSettings): readonly string[] {
  const { caFile, certFile, keyFile, keyPassphraseFile } = tls;
  return [caFile, certFile, keyFile, keyPassphraseFile].filter((file) => file !== '');
}

/** The files that these settings name. */
export function filesOf({ tls, auth }: PingSettings): readonly string[] {
  return [...filesIn(tls), ...(auth?.passwordFile ? [auth.passwordFile] : [])];
}

/** A destination as configured. */
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

/** The part of a destination that the pinger needs. */
export type Pingable = Pick<Destination, 'name' | 'uri' | 'settings'>;

declare const slot: unique symbol;

/** A row of the ledger. `generation` distinguishes its current owner from earlier ones. */
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
  /** From the SRV record that led to it; undefined without one. */
  readonly priority: number | undefined;
  readonly weight: number | undefined;
}

/** A registered destination, with its targets and other information from the pinger. */
export interface RegisteredDestination {
  readonly destination: Destination;
  readonly slot: DestinationSlot;
  /** The owners that registered it. */
  readonly owners: readonly string[];
  /** Whether the pinger reports each of its pings. */
  readonly isFollowed: boolean;
  readonly targets: readonly TargetAddress[];
  /** The peer's Server header, or User-Agent without it; empty before the first. */
  readonly server: string;
  /** By target index. */
  readonly peers: ReadonlyMap<number, PeerDetails>;
}

/** Shared by destinations without details. */
export const NO_PEERS: ReadonlyMap<number, PeerDetails> = new Map();

/** Details of a target that are not in the ledger. */
export interface PeerDetails {
  /** The exact error of the last failed ping, as text; empty when only the reason is known. */
  readonly detail: string;
  /** Undefined before the peer has sent a certificate in a TLS handshake. */
  readonly tls: TlsPeer | undefined;
}
