/** Describes one target of a destination as the JSON of views.ts. */

import type { RegisteredDestination, TargetAddress } from '../shared/destination.js';
import type { RecentPing } from '../shared/ledger/recent-pings.js';
import type { TargetResults, TargetRow } from '../shared/ledger/rows.js';
import { reasonText } from '../shared/outcome.js';
import type { Exchange, Ladder } from '../shared/resolution.js';
import { isAliveCode } from '../shared/state.js';
import type { TlsPeer } from '../shared/tls-peer.js';
import { targetDegraded } from './degraded.js';
import type { ExchangeView } from './exchange-view.js';
import { effectiveState, type StatusContext } from './freshness.js';
import { isoTime } from './iso-time.js';
import type { TlsView } from './tls-view.js';
import type { FailureView, PingView, TargetDetails, TargetView } from './views.js';

/** What a destination shows of its targets. */
export type TargetGlance = FailureView &
  Pick<TargetView, 'transport' | 'address' | 'state' | 'rtt' | 'degraded'>;

export function targetGlance(
  status: StatusContext,
  registered: RegisteredDestination,
  { slot, transport, address }: TargetAddress,
  row: TargetResults | undefined,
): TargetGlance {
  const state =
    row === undefined ? 'unknown' : effectiveState(status, registered, row.state, row.lastSeenMs);
  const reason = row?.lastReason;
  return {
    transport,
    address,
    state,
    reason: reason ?? null,
    reason_text: reason === undefined ? null : reasonText(reason),
    detail: (reason !== undefined && registered.peers.get(slot.index)?.detail) || null,
    sip_code: row?.lastCode || null,
    rtt: row?.lastRttMicros ? row.lastRttMicros / 1e6 : null,
    degraded: targetDegraded(state, row),
  };
}

export function targetView(
  status: StatusContext,
  registered: RegisteredDestination,
  target: TargetAddress,
  row: TargetRow | undefined,
): TargetView {
  const glance = targetGlance(status, registered, target, row);
  const tls = registered.peers.get(target.slot.index)?.tls;
  return {
    transport: glance.transport,
    address: glance.address,
    priority: target.priority ?? null,
    weight: target.weight ?? null,
    code: isAliveCode(glance.state),
    state: glance.state,
    degraded: glance.degraded,
    since: isoTime(row?.sinceMs),
    reason: glance.reason,
    reason_text: glance.reason_text,
    detail: glance.detail,
    sip_code: glance.sip_code,
    rtt: glance.rtt,
    pings: row?.pings ?? 0,
    last_ping: isoTime(row?.lastPingMs),
    last_up: isoTime(row?.lastUpMs),
    last_down: isoTime(row?.lastDownMs),
    tls: tls === undefined ? null : tlsView(tls),
  };
}

function tlsView(tls: TlsPeer): TlsView {
  return {
    version: tls.version || null,
    cipher: tls.cipher || null,
    verified: tls.isVerified,
    error: tls.fault || null,
    subject: tls.subject,
    issuer: tls.issuer,
    subject_alternative: tls.subjectAlternative,
    serial_number: tls.serialNumber,
    fingerprint_sha256: tls.fingerprint,
    not_before: isoTime(tls.notBeforeMs),
    not_after: isoTime(tls.notAfterMs),
    chain_not_after: isoTime(tls.chainNotAfterMs),
    chain: tls.chain.map(({ subject, notAfterMs }) => ({
      subject,
      not_after: isoTime(notAfterMs),
    })),
  };
}

/** @param exchange undefined while the pinger cannot answer. */
export function targetDetails(
  view: TargetView,
  recents: readonly RecentPing[],
  exchange: Exchange | undefined,
): TargetDetails {
  return {
    ...view,
    recent: recents.map(pingView),
    exchange: exchangeView(exchange?.ladder),
    last_sent: exchange?.sent || null,
    last_received: exchange?.received || null,
  };
}

function exchangeView(ladder: Ladder | undefined): ExchangeView | null {
  if (ladder === undefined) return null;
  return {
    started_at: isoTime(ladder.startedAtMs),
    steps: ladder.steps.map(({ offsetMs, direction, summary, message }) => ({
      offset: Math.round(1000 * offsetMs) / 1e6,
      direction,
      summary,
      message: message || null,
    })),
  };
}

export function pingView({ atMs, reason, code, rttMicros, isRetransmitted }: RecentPing): PingView {
  return {
    at: isoTime(atMs),
    reason: reason ?? null,
    reason_text: reason === undefined ? null : reasonText(reason),
    sip_code: code || null,
    rtt: rttMicros === 0 ? null : rttMicros / 1e6,
    retransmissions: isRetransmitted,
  };
}
