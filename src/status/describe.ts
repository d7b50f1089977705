/** Describes destinations as the JSON of views.ts. */

import type { PeerDetails, RegisteredDestination, TargetAddress } from '../shared/destination.js';
import type { DestinationRow, RecentPing, TargetRow } from '../shared/ledger/rows.js';
import { type DownReason, isLocalFailure, reasonText } from '../shared/outcome.js';
import type { Explanation, Resolution } from '../shared/resolution.js';
import { isAliveCode, type State } from '../shared/state.js';
import type { TlsPeer } from '../shared/tls-peer.js';
import type { Belief } from './beliefs.js';
import { effectiveState, lastSeenMs, type StatusContext } from './freshness.js';
import { isoTime } from './iso-time.js';
import type {
  DestinationBrief,
  DestinationDetails,
  DestinationView,
  HistoryView,
  KamailioView,
  PingView,
  ResolutionView,
  TargetDetails,
  TargetView,
  TlsView,
} from './views.js';

export function destinationView(
  status: StatusContext,
  registered: RegisteredDestination,
): DestinationView {
  const { ledger } = status;
  const { destination, owners, server, slot } = registered;
  const row = ledger.destination(slot);
  const rows = registered.targets.map((target) => ledger.target(target.slot));
  const state = effectiveState(status, registered, row?.state ?? 'unknown', lastSeenMs(row, rows));
  const targets = registered.targets.map((target, i) =>
    targetView(status, registered, target, rows[i]),
  );
  return {
    destination: destination.name,
    uri: destination.uri,
    code: isAliveCode(state),
    state,
    since: isoTime(row?.sinceMs),
    ...failureOf(state, row, targets),
    rtt: least(targets.map(({ rtt }) => rtt)),
    module: destination.module,
    owners,
    labels: destination.labels,
    server: server === '' ? null : server,
    ping_interval: destination.settings.intervalMs / 1000,
    retry_interval: destination.settings.retryIntervalMs / 1000,
    down_interval: destination.settings.downIntervalMs / 1000,
    ping_timeout: destination.settings.timeoutMs / 1000,
    targets_total: targets.length,
    targets_up: targets.filter((target) => target.state === 'up').length,
    certificate_not_after: least(targets.map(({ tls }) => tls?.chain_not_after ?? null)),
    targets,
  };
}

export function briefView(
  status: StatusContext,
  registered: RegisteredDestination,
): DestinationBrief {
  const { targets: _, ...brief } = destinationView(status, registered);
  return brief;
}

/** @param explanation undefined while the pinger cannot answer. */
export function destinationDetails(
  status: StatusContext,
  registered: RegisteredDestination,
  explanation: Explanation | undefined,
  history: HistoryView,
): DestinationDetails {
  const view = destinationView(status, registered);
  const resolution = resolutionView(explanation?.resolution);
  const errors = resolution?.errors ?? [];
  const isUnresolved = view.reason === 'resolution' && errors.length > 0;
  return {
    ...view,
    detail: isUnresolved ? errors.join('; ') : view.detail,
    targets: view.targets.map((target, i) =>
      targetDetails(status, target, registered.targets[i], explanation),
    ),
    resolution,
    kamailios: (status.beliefs?.of(view.destination) ?? []).map(kamailioView),
    history,
  };
}

/** Why the destination is not up, and the last result of a target that determines its state. */
function failureOf(
  state: State,
  row: DestinationRow | undefined,
  targets: readonly TargetView[],
): Pick<DestinationBrief, 'reason' | 'reason_text' | 'detail' | 'sip_code'> {
  const reason = downReason(state, row, targets);
  const reason_text = reason === undefined ? null : reasonText(reason);
  const inState = targets.filter((target) => target.state === state);
  const decisive = inState.find((target) => target.reason === reason) ?? inState[0] ?? targets[0];
  return {
    reason: reason ?? null,
    reason_text,
    detail: decisive === undefined ? null : detailBeyond(reason, decisive),
    sip_code: decisive?.sip_code ?? null,
  };
}

/** Details of the target's last failure that the destination's reason does not have. */
function detailBeyond(reason: DownReason | undefined, target: TargetView): string | null {
  return target.detail ?? (target.reason === (reason ?? null) ? null : target.reason_text);
}

/** Why the destination is down, or `local` if it is unknown because the exporter cannot ping it. */
function downReason(
  state: State,
  row: DestinationRow | undefined,
  targets: readonly TargetView[],
): DownReason | undefined {
  if (state !== 'unknown') return row?.reason;
  const isLocal = targets.some(({ reason }) => isLocalFailure(reason ?? undefined));
  return isLocal ? 'local' : undefined;
}

function targetView(
  status: StatusContext,
  registered: RegisteredDestination,
  target: TargetAddress,
  row: TargetRow | undefined,
): TargetView {
  const peer = registered.peers.get(target.slot.index);
  const state =
    row === undefined ? 'unknown' : effectiveState(status, registered, row.state, row.lastSeenMs);
  return {
    transport: target.transport,
    address: target.address,
    priority: target.priority ?? null,
    weight: target.weight ?? null,
    code: isAliveCode(state),
    state,
    since: isoTime(row?.sinceMs),
    ...lastFailure(row, peer),
    sip_code: row?.lastCode || null,
    rtt: row?.lastRttMicros ? row.lastRttMicros / 1e6 : null,
    pings: row?.pings ?? 0,
    last_ping: isoTime(row?.lastPingMs),
    last_up: isoTime(row?.lastUpMs),
    last_down: isoTime(row?.lastDownMs),
    tls: peer?.tls === undefined ? null : tlsView(peer.tls),
  };
}

/** Describes the last failure of a target. All null unless the last ping failed. */
function lastFailure(row: TargetRow | undefined, peer: PeerDetails | undefined) {
  const reason = row?.lastReason;
  if (reason === undefined) return { reason: null, reason_text: null, detail: null };
  return { reason, reason_text: reasonText(reason), detail: peer?.detail || null };
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

function targetDetails(
  { ledger }: StatusContext,
  view: TargetView,
  target: TargetAddress | undefined,
  explanation: Explanation | undefined,
): TargetDetails {
  const exchange = target && explanation?.exchanges.get(target.slot.index);
  return {
    ...view,
    recent: target === undefined ? [] : ledger.recents(target.slot).map(pingView),
    last_sent: exchange?.sent || null,
    last_received: exchange?.received || null,
  };
}

function pingView({ atMs, reason, code, rttMicros }: RecentPing): PingView {
  return {
    at: isoTime(atMs),
    reason: reason ?? null,
    reason_text: reason === undefined ? null : reasonText(reason),
    sip_code: code || null,
    rtt: rttMicros === 0 ? null : rttMicros / 1e6,
  };
}

function resolutionView(resolution: Resolution | undefined): ResolutionView | null {
  if (resolution === undefined) return null;
  const { ageMs, errors, targets } = resolution;
  if (ageMs === undefined && errors.length === 0) return null;
  return {
    age: ageMs === undefined ? null : ageMs / 1000,
    errors,
    targets: targets.map(({ transport, address, steps }) => ({
      transport,
      address,
      steps: steps.map((step) => ({
        type: step.type,
        name: step.name,
        value: step.value,
        order: step.order ?? null,
        preference: step.preference ?? null,
        priority: step.priority ?? null,
        weight: step.weight ?? null,
        ttl_left: Number.isFinite(step.leftMs) ? Math.max(Math.round(step.leftMs / 1000), 0) : null,
      })),
    })),
  };
}

function kamailioView(belief: Belief): KamailioView {
  const { kamailio, module, setid, uri, duid, state, disagreement } = belief;
  return {
    ...{ kamailio, module, setid: setid || null, uri, duid: duid || null, state },
    probed: belief.isProbed,
    registered: belief.isRegistered ?? null,
    disagreement: disagreement?.kind ?? null,
    disagreement_since: isoTime(disagreement?.sinceMs),
  };
}

/** The smallest value that is not null; null without one. */
function least<T extends number | string>(values: readonly (T | null)[]): T | null {
  return values.reduce<T | null>((a, b) => (a === null || (b !== null && b < a) ? b : a), null);
}
