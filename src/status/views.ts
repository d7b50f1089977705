/**
 * The JSON of the HTTP API, of webhooks and of the library. Times are ISO 8601 in UTC, durations are in
 * seconds, and null means unknown or not applicable. `code` is always the code of Kamailio's `is_alive`,
 * `sip_code` always a SIP status code. openapi.json describes the same shapes.
 */

import type { DisagreementKind, ListedState } from '../shared/kamailio.js';
import type { DownReason, TransportName } from '../shared/outcome.js';
import type { ResolutionStep } from '../shared/resolution.js';
import type { IsAliveCode, State } from '../shared/state.js';
import type { ExchangeView } from './exchange-view.js';
import type { TlsView } from './tls-view.js';

export type { TlsView } from './tls-view.js';

/** The result of the last ping. */
export interface FailureView {
  /** Null when it was alive. */
  readonly reason: DownReason | null;
  /** The reason as a text. */
  readonly reason_text: string | null;
  /** The exact error as a text; null when only the reason is known. */
  readonly detail: string | null;
  /** SIP status code of the response to the last ping; null without one. */
  readonly sip_code: number | null;
}

/** What a list of many destinations shows of each. */
export interface DestinationBrief extends FailureView {
  /** The name, which identifies the destination. */
  readonly destination: string;
  /** Canonical. */
  readonly uri: string;
  readonly module: string;
  /** The owners that registered the destination. */
  readonly owners: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** The result of `is_alive`: 1 up, 2 down, -1 unknown. */
  readonly code: IsAliveCode;
  readonly state: State;
  /** When the state was reached. */
  readonly since: string | null;
  /** Why a destination that is up needs attention: a target is down, or its last pings had troubles. */
  readonly degraded: string | null;
  /** Why the destination is down, or `local` while the exporter cannot ping it. */
  readonly reason: DownReason | null;
  readonly reason_text: string | null;
  /** The exact error of the target that determines the state, if more is known than `reason`. */
  readonly detail: string | null;
  /** SIP status code of the last response of that target. */
  readonly sip_code: number | null;
  /** Round-trip time of the last answered ping of the fastest target, seconds. */
  readonly rtt: number | null;
  readonly targets_total: number;
  readonly targets_up: number;
  /** Earliest expiry of the certificates that the targets last presented. */
  readonly certificate_not_after: string | null;
}

/** A destination with its targets. */
export interface DestinationView extends DestinationBrief {
  /** The Server header of the peer, or User-Agent without it. */
  readonly server: string | null;
  /** Seconds. */
  readonly ping_interval: number;
  /** While a failure or a recovery is not confirmed, seconds. */
  readonly retry_interval: number;
  /** While a target is down, seconds. */
  readonly down_interval: number;
  /** Seconds. */
  readonly ping_timeout: number;
  readonly targets: readonly TargetView[];
}

/** One transport and address of a destination. */
export interface TargetView extends FailureView {
  readonly transport: TransportName;
  /** `192.0.2.1:5060`, `[2001:db8::1]:5060`. */
  readonly address: string;
  /** From the SRV record; null without one. */
  readonly priority: number | null;
  /** From the SRV record; null without one. */
  readonly weight: number | null;
  readonly code: IsAliveCode;
  readonly state: State;
  /** Why a target that is up needs attention: two or more of its last ten pings had troubles. */
  readonly degraded: string | null;
  readonly since: string | null;
  /** Round-trip time of the last answered ping, seconds. */
  readonly rtt: number | null;
  /** Number of pings that have ended. */
  readonly pings: number;
  readonly last_ping: string | null;
  /** End of the last alive ping. */
  readonly last_up: string | null;
  /** End of the last ping that was not alive. */
  readonly last_down: string | null;
  /** Null before the peer has presented a certificate. */
  readonly tls: TlsView | null;
}

/** A destination with all details. */
export interface DestinationDetails extends DestinationView {
  readonly targets: readonly TargetDetails[];
  /** Null when there is no name to resolve, or when the pinger does not answer. */
  readonly resolution: ResolutionView | null;
  /** What running Kamailios believe about the destination. */
  readonly kamailios: readonly KamailioView[];
  readonly history: HistoryView;
}

/** What a Kamailio believes about a destination, as one of its modules lists it. */
export interface KamailioView {
  readonly kamailio: string;
  readonly module: 'dispatcher' | 'uac';
  /** The dispatcher set; null for `uac`. */
  readonly setid: string | null;
  /** As listed. */
  readonly uri: string;
  readonly duid: string | null;
  readonly state: ListedState;
  /** Whether the Kamailio itself pings it. */
  readonly probed: boolean;
  /** Only for `uac`. */
  readonly registered: boolean | null;
  /** Null while the state agrees with the verdict. */
  readonly disagreement: DisagreementKind | null;
  readonly disagreement_since: string | null;
}

export interface TargetDetails extends TargetView {
  /** The last 40 pings, the newest first. */
  readonly recent: readonly PingView[];
  /** The last ping; null when there is none, or while the pinger does not answer. */
  readonly exchange: ExchangeView | null;
  /** The last request, with secrets masked. */
  readonly last_sent: string | null;
  /** The last message received, with secrets masked. */
  readonly last_received: string | null;
}

/** A ping that has ended. */
export interface PingView {
  readonly at: string | null;
  /** Null when it was alive. */
  readonly reason: DownReason | null;
  readonly reason_text: string | null;
  readonly sip_code: number | null;
  /** Seconds. */
  readonly rtt: number | null;
  /** Whether the request was sent more than once. */
  readonly retransmissions: boolean;
}

/** A ping among those of all targets of a destination. */
export interface TargetPingView extends PingView {
  /** `udp 192.0.2.1:5060`; null where the destination has only one target. */
  readonly target: string | null;
}

/** How the targets were found. */
export interface ResolutionView {
  /** Seconds since the last successful lookup. */
  readonly age: number | null;
  /** Failed lookups. */
  readonly errors: readonly string[];
  readonly targets: readonly {
    readonly transport: TransportName;
    readonly address: string;
    readonly steps: readonly ResolutionStepView[];
  }[];
}

/** One record on the path from a name to an address. */
export interface ResolutionStepView {
  readonly type: ResolutionStep['type'];
  readonly name: string;
  readonly value: string;
  /** Only for NAPTR records. */
  readonly order: number | null;
  /** Only for NAPTR records. */
  readonly preference: number | null;
  /** Only for SRV records. */
  readonly priority: number | null;
  /** Only for SRV records. */
  readonly weight: number | null;
  /** Remaining TTL in seconds; null without a limit. */
  readonly ttl_left: number | null;
}

/** The last hour, the oldest point first; null for an unknown point. */
export interface Hour {
  /** Mean round-trip time of the answered pings of each step, seconds. */
  readonly rtt: readonly (number | null)[];
  /** Share of failed pings of each step, 0 to 1. */
  readonly failed: readonly (number | null)[];
  /** Seconds between two points. */
  readonly step: number;
}

export interface HistoryView extends Hour {
  /** The last 40 pings of all targets, the oldest first. */
  readonly pings: readonly TargetPingView[];
}

/** A change of state in events and webhooks. */
export interface ChangeView {
  /** Unique; increases with each change of one run. */
  readonly id: string;
  readonly event: 'dst-up' | 'dst-down' | 'dst-unknown';
  readonly destination: string;
  readonly uri: string;
  readonly from: State;
  readonly code: IsAliveCode;
  readonly state: State;
  readonly reason: DownReason | null;
  readonly reason_text: string | null;
  readonly detail: string | null;
  readonly at: string;
  readonly module: string;
  readonly owners: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** A probe that was requested over HTTP. */
export interface ProbeView extends FailureView {
  /** The parameter of `/logs`. */
  readonly id: number;
  readonly at: string;
  /** As in the request. */
  readonly target: string;
  readonly module: string;
  /** -1 when the exporter could not ping. */
  readonly code: IsAliveCode;
  readonly state: State;
  /** Seconds. */
  readonly rtt: number | null;
}

/** A probe with its log. */
export interface ProbeDetails extends ProbeView {
  readonly steps: readonly {
    readonly at: string;
    /** What happened. */
    readonly text: string;
    /** The SIP message that was sent or received, with secrets masked; null for other steps. */
    readonly message: string | null;
  }[];
}
