/** How a ping ends: a value of a closed list, never an exception. */

/** Why a ping failed, in the order of the ledger's counters. */
export const FAILURE_REASONS = [
  'code',
  'draining',
  'timeout',
  'refused',
  'unreachable',
  'reset',
  'tls',
  'tls_certificate',
  'auth',
  'malformed',
  'local',
] as const;

export type FailureReason = (typeof FAILURE_REASONS)[number];

/**
 * Whether the exporter or its host caused the failure: no file descriptor, no permission, no such source
 * address. A local failure says nothing about the peer, so it never changes a verdict.
 */
export function isLocalFailure(reason: string | undefined): boolean {
  return reason === 'local';
}

/** A failure that a transport reports for a ping. */
export interface TransportFailure {
  readonly reason: Exclude<FailureReason, 'code' | 'draining' | 'auth' | 'timeout'>;
  /** The exact error as text, if more is known than the reason. */
  readonly detail?: string;
}

/** How a transaction ended. `ResponseCodes` decide whether a response counts as alive. */
export type Outcome =
  | {
      readonly kind: 'answered';
      /** Status code of the final response, 200 to 699. */
      readonly code: number;
      /** Undefined when the response was read after a stall of the pinger thread. */
      readonly rttMicros: number | undefined;
      /** Retry-After of a 503, milliseconds; undefined for other codes, or without a valid one. */
      readonly retryAfterMs?: number | undefined;
      /** Why a challenge could not be answered. */
      readonly detail?: string;
    }
  | ({ readonly kind: 'failed' } & (
      | TransportFailure
      | { readonly reason: 'timeout'; readonly detail?: string }
    ));

/** The exact error of a failed ping as text; empty when only the reason is known. */
export function detailOf(outcome: Outcome): string {
  if (outcome.detail !== undefined) return outcome.detail;
  if (outcome.kind === 'failed') return '';
  const { code, retryAfterMs } = outcome;
  const retryAfter = retryAfterMs === undefined ? '' : ` (Retry-After: ${retryAfterMs / 1000} s)`;
  return `answered with ${code}${retryAfter}`;
}

/** Adds to the timeout of a ping that was never sent what it waited for. */
export function whileAwaiting(outcome: Outcome, awaited: string): Outcome {
  const isTimeout = outcome.kind === 'failed' && outcome.reason === 'timeout';
  return isTimeout ? { ...outcome, detail: `waited for ${awaited}` } : outcome;
}

/** The transports of pings. */
export const TRANSPORTS = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const;
export type TransportName = (typeof TRANSPORTS)[number];

/** The transport if a URI has none; `auto` follows DNS, with UDP as the fallback. */
export type TransportChoice = TransportName | 'auto';

const OF_EVERY_TRANSPORT = [
  'code',
  'draining',
  'timeout',
  'refused',
  'unreachable',
  'auth',
  'malformed',
  'local',
] as const satisfies readonly FailureReason[];
const OF_CONNECTIONS = [...OF_EVERY_TRANSPORT, 'reset'] as const;
const OF_TLS = [...OF_CONNECTIONS, 'tls', 'tls_certificate'] as const;

/** The reasons for which pings over a transport can fail. */
export const REASONS_OF: Readonly<Record<TransportName, readonly FailureReason[]>> = {
  udp: OF_EVERY_TRANSPORT,
  tcp: OF_CONNECTIONS,
  tls: OF_TLS,
  ws: OF_CONNECTIONS,
  wss: OF_TLS,
};

/** Why a destination is down: the reason of one of its targets, or a name without addresses. */
export type DownReason = FailureReason | 'resolution';

const REASON_TEXTS: Readonly<Record<DownReason, string>> = {
  code: 'answered with a status code that does not count as alive',
  draining: 'asks not to be used for now (503 with Retry-After, or a code of draining_codes)',
  timeout: 'no response within the timeout',
  refused: 'connection refused (port closed or rejected)',
  unreachable: 'host or network unreachable',
  reset: 'connection closed before a response arrived',
  tls: 'TLS handshake failed',
  tls_certificate: 'TLS certificate rejected',
  auth: 'authentication failed (no credentials, or rejected)',
  malformed: 'malformed SIP response',
  local: 'exporter could not send (local error)',
  resolution: 'DNS lookup found no address',
};

/** A reason as a text for users. */
export function reasonText(reason: DownReason): string {
  return REASON_TEXTS[reason];
}
