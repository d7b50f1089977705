/**
 * How a ping ends: one of a closed list, a value and never an exception.
 */

/** Why a ping failed, in the order of the ledger's cells. */
export const FAILURE_REASONS = [
  'code',
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
 * Whether something failed by a fault of our own: no descriptor, no permission, no such source address.
 * That says nothing of the peer, so it is no part of a verdict.
 */
export function isOwnFault(reason: string | undefined): boolean {
  return reason === 'local';
}

/** What a transport can report of a ping that it was given. */
export interface TransportFailure {
  readonly reason: Exclude<FailureReason, 'code' | 'auth' | 'timeout'>;
  /** What exactly went wrong, in words for people, where more is known than the reason. */
  readonly detail?: string;
}

/** How a transaction with a target ended; what it means for the verdict is judged elsewhere. */
export type Outcome =
  | {
      readonly kind: 'answered';
      /** Status code of the final response, 200 to 699. */
      readonly code: number;
      /** Undefined when the answer was read after a stall of ours. */
      readonly rttMicros: number | undefined;
      /** Why a challenge could not be met. */
      readonly detail?: string;
    }
  | ({ readonly kind: 'failed' } & (
      | TransportFailure
      | { readonly reason: 'timeout'; readonly detail?: string }
    ));

/** What exactly became of a ping that was not alive, in words; empty when no more is known. */
export function detailOf(outcome: Outcome): string {
  if (outcome.detail !== undefined) return outcome.detail;
  return outcome.kind === 'answered' ? `answered with ${outcome.code}` : '';
}

/** How a ping ended before it could be sent, given what it waited for. */
export function whileAwaiting(outcome: Outcome, awaited: string): Outcome {
  const isTimeout = outcome.kind === 'failed' && outcome.reason === 'timeout';
  return isTimeout ? { ...outcome, detail: `waited for ${awaited}` } : outcome;
}

/** The wires a ping can take. */
export const TRANSPORTS = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const;
export type TransportName = (typeof TRANSPORTS)[number];

/** Which wire is taken where a URI names none; `auto` is what DNS says, UDP where that says nothing. */
export type TransportChoice = TransportName | 'auto';

const OF_EVERY_TRANSPORT = [
  'code',
  'timeout',
  'refused',
  'unreachable',
  'auth',
  'malformed',
  'local',
] as const satisfies readonly FailureReason[];
const OF_CONNECTIONS = [...OF_EVERY_TRANSPORT, 'reset'] as const;
const OF_TLS = [...OF_CONNECTIONS, 'tls', 'tls_certificate'] as const;

/** The reasons that pings over a transport can fail for. */
export const REASONS_OF: Readonly<Record<TransportName, readonly FailureReason[]>> = {
  udp: OF_EVERY_TRANSPORT,
  tcp: OF_CONNECTIONS,
  tls: OF_TLS,
  ws: OF_CONNECTIONS,
  wss: OF_TLS,
};

/** Why a destination is down: a reason of one of its targets, or a name without addresses. */
export type DownReason = FailureReason | 'resolution';

const WORDS: Readonly<Record<DownReason, string>> = {
  code: 'answered with a status code that does not count as alive',
  timeout: 'no answer before the timeout',
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

/** A reason as a sentence for people. */
export function reasonText(reason: DownReason): string {
  return WORDS[reason];
}
