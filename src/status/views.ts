/**
 * The JSON of the HTTP API, of webhooks and of the library. Times are ISO 8601 in UTC, durations are
 * seconds, and null stands for what is not known or does not apply. `code` is always the code of
 * Kamailio's `is_alive`, `sip_code` always a SIP status code. openapi.json describes the same shapes.
 */

import type { DownReason, TransportName } from '../shared/outcome.js';
import type { ResolutionStep } from '../shared/resolution.js';
import type { IsAliveCode, State } from '../shared/state.js';

/** How the last ping ended. */
interface FailureView {
  /** Null when it was alive. */
  readonly reason: DownReason | null;
  /** The meaning of the reason, for people. */
  readonly reason_text: string | null;
  /** What exactly went wrong, for people; null when no more is known than the reason. */
  readonly detail: string | null;
  /** SIP status code of the last ping's answer; null when there was none. */
  readonly sip_code: number | null;
}

/** A destination without its targets. */
export interface DestinationBrief extends FailureView {
  /** Its name, which is its identity. */
  readonly destination: string;
  /** Canonical. */
  readonly uri: string;
  /** What `is_alive` answers: 1 up, 2 down, -1 unknown. */
  readonly code: IsAliveCode;
  readonly state: State;
  /** When the state was reached. */
  readonly since: string | null;
  /** Why the destination is down, or `local` while the exporter cannot ping it. */
  readonly reason: DownReason | null;
  readonly reason_text: string | null;
  /** How the last ping of the target that decides the state failed, where that tells more than `reason`. */
  readonly detail: string | null;
  /** SIP status code of the last answer of that target. */
  readonly sip_code: number | null;
  /** Round-trip time of the last answered ping of the fastest target, seconds. */
  readonly rtt: number | null;
  readonly module: string;
  /** On whose behalf it is pinged. */
  readonly owners: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** What the peer calls itself: its header Server, else User-Agent. */
  readonly server: string | null;
  /** Seconds. */
  readonly ping_interval: number;
  /** Seconds. */
  readonly ping_timeout: number;
  readonly targets_total: number;
  readonly targets_up: number;
  /** When the first certificate expires of all that the targets last presented. */
  readonly certificate_not_after: string | null;
}

/** A destination with its targets. */
export interface DestinationView extends DestinationBrief {
  readonly targets: readonly TargetView[];
}

/** One transport and address of a destination. */
export interface TargetView extends FailureView {
  readonly transport: TransportName;
  /** `192.0.2.1:5060`, `[2001:db8::1]:5060`. */
  readonly address: string;
  /** Of the SRV record; null without one. */
  readonly priority: number | null;
  /** Of the SRV record; null without one. */
  readonly weight: number | null;
  readonly code: IsAliveCode;
  readonly state: State;
  readonly since: string | null;
  /** Round-trip time of the last answered ping, seconds. */
  readonly rtt: number | null;
  /** Pings that have ended. */
  readonly pings: number;
  readonly last_ping: string | null;
  /** When a ping last ended alive. */
  readonly last_up: string | null;
  /** When a ping last ended not alive. */
  readonly last_down: string | null;
  /** Null until the peer presented a certificate. */
  readonly tls: TlsView | null;
}

/** The last TLS handshake and the certificate that the peer presented, accepted or not. */
export interface TlsView {
  /** Such as `TLS 1.3`; null when the handshake failed before. */
  readonly version: string | null;
  /** OpenSSL's name; null when the handshake failed before. */
  readonly cipher: string | null;
  /** The certificate is trusted, in date, and for the right name. */
  readonly verified: boolean;
  /** Why it is not verified. */
  readonly error: string | null;
  readonly subject: string;
  readonly issuer: string;
  /** Separated by commas: `DNS:sip.example.com`. */
  readonly subject_alternative: string;
  /** Lower-case hexadecimal. */
  readonly serial_number: string;
  /** Lower-case hexadecimal. */
  readonly fingerprint_sha256: string;
  readonly not_before: string | null;
  readonly not_after: string | null;
  /** The earliest expiry in the chain. */
  readonly chain_not_after: string | null;
}

/** A destination with all that is known of it. */
export interface DestinationDetails extends DestinationView {
  readonly targets: readonly TargetDetails[];
  /** Null without a name to resolve, and while the pinger does not answer. */
  readonly resolution: ResolutionView | null;
  readonly history: HistoryView;
}

export interface TargetDetails extends TargetView {
  /** The last ten pings, the newest first. */
  readonly recent: readonly PingView[];
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
}

/** How the targets were found. */
export interface ResolutionView {
  /** Seconds since the last look-up that succeeded. */
  readonly age: number | null;
  /** Look-ups that failed. */
  readonly errors: readonly string[];
  readonly targets: readonly {
    readonly transport: TransportName;
    readonly address: string;
    readonly steps: readonly ResolutionStepView[];
  }[];
}

/** One record on the way from a name to an address. */
export interface ResolutionStepView {
  readonly type: ResolutionStep['type'];
  readonly name: string;
  readonly value: string;
  /** Of NAPTR records. */
  readonly order: number | null;
  /** Of NAPTR records. */
  readonly preference: number | null;
  /** Of SRV records. */
  readonly priority: number | null;
  /** Of SRV records. */
  readonly weight: number | null;
  /** Seconds for which it still holds; null without a limit. */
  readonly ttl_left: number | null;
}

/** The last hour, the oldest point first; null where nothing is known. */
export interface HistoryView {
  /** Mean round-trip time of the answers of each step, seconds. */
  readonly rtt: readonly (number | null)[];
  /** Share of the pings of each step that were not alive, 0 to 1. */
  readonly failed: readonly (number | null)[];
  /** Seconds between two points. */
  readonly step: number;
}

/** A change of state, as events and webhooks carry it. */
export interface ChangeView {
  /** Unique, and greater for each later change of one run. */
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
