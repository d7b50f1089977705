/** A destination as JSON, the same in every answer that shows one. */

import type { PeerDetails, RegisteredDestination } from '../shared/destination.js';
import type { DestinationRow, RecentPing, TargetRow } from '../shared/ledger/reader.js';
import { type DownReason, isOwnFault, reasonText } from '../shared/outcome.js';
import type { Resolution } from '../shared/resolution.js';
import { isAliveCode, type State } from '../shared/state.js';
import { effectiveState, lastSeenMs, type StatusContext } from './freshness.js';

export type DestinationView = ReturnType<typeof destinationView>;

/** Times are ISO 8601, null for never; durations are seconds. */
export function destinationView(exporter: StatusContext, watched: RegisteredDestination) {
  const { ledger } = exporter;
  const { destination, owners, server, slot } = watched;
  const row = ledger.destination(slot);
  const targets = watched.targets.map((target) => ({ target, row: ledger.target(target.slot) }));
  const seenMs = lastSeenMs(
    row,
    targets.map((target) => target.row),
  );
  const state = effectiveState(exporter, watched, row?.state ?? 'unknown', seenMs);
  const reason = reasonOf(state, row, targets);
  return {
    destination: destination.name,
    uri: destination.uri,
    code: isAliveCode(state),
    state,
    since: time(row?.sinceMs),
    reason: reason ?? null,
    reason_text: reason === undefined ? null : reasonText(reason),
    module: destination.module,
    owners,
    labels: destination.labels,
    server: server === '' ? null : server,
    ping_interval: destination.settings.intervalMs / 1000,
    ping_timeout: destination.settings.timeoutMs / 1000,
    targets: targets.map(({ target, row }) => ({
      transport: target.transport,
      address: target.address,
      priority: target.priority ?? null,
      weight: target.weight ?? null,
      state:
        row === undefined
          ? 'unknown'
          : effectiveState(exporter, watched, row.state, row.lastSeenMs),
      ...describeRow(row),
      ...describePeer(watched.peers.get(target.slot.index), row),
    })),
  };
}

/** Why it is down; where nothing is known, that we cannot ping, if that is why. */
function reasonOf(
  state: State,
  row: DestinationRow | undefined,
  targets: readonly { readonly row: TargetRow | undefined }[],
): DownReason | undefined {
  if (state !== 'unknown') return row?.reason;
  const isOurs = targets.some((target) => isOwnFault(target.row?.lastReason));
  return isOurs ? 'local' : undefined;
}

/** What went wrong is told while the last ping failed. */
function describePeer(peer: PeerDetails | undefined, row: TargetRow | undefined) {
  const hasFailed = row?.lastReason !== undefined && peer?.detail;
  const { tls } = peer ?? {};
  return {
    detail: hasFailed ? peer.detail : null,
    tls:
      tls === undefined
        ? null
        : {
            version: tls.version || null,
            cipher: tls.cipher || null,
            verified: tls.isVerified,
            fault: tls.fault || null,
            subject: tls.subject,
            issuer: tls.issuer,
            subject_alternative: tls.subjectAlternative,
            serial_number: tls.serialNumber,
            fingerprint_sha256: tls.fingerprint,
            not_before: time(tls.notBeforeMs),
            not_after: time(tls.notAfterMs),
            chain_not_after: time(tls.chainNotAfterMs),
          },
  };
}

function describeRow(row: TargetRow | undefined) {
  return {
    since: time(row?.sinceMs),
    reason: row?.lastReason ?? null,
    code: row?.lastCode || null,
    pings: row?.pings ?? 0,
    last_ping: time(row?.lastPingMs),
    last_up: time(row?.lastUpMs),
    last_down: time(row?.lastDownMs),
    last_rtt: row?.lastRttMicros ? row.lastRttMicros / 1e6 : null,
  };
}

/** How the last ping ended of a target that stands for the verdict; its words and its code. */
export function lastOutcome({ state, reason_text, targets }: DestinationView) {
  const telling = targets.find((target) => target.state === state) ?? targets[0];
  if (telling === undefined) return { outcome: reason_text, sip_code: null };
  const { detail, reason, code } = telling;
  return { outcome: detail ?? (reason === null ? null : reasonText(reason)), sip_code: code };
}

/** One line of a list of many. */
export function briefView(exporter: StatusContext, watched: RegisteredDestination) {
  const all = destinationView(exporter, watched);
  const { destination, uri, code, state, since, owners, labels, targets } = all;
  const rtts = targets.flatMap(({ last_rtt }) => last_rtt ?? []);
  const ends = targets.flatMap(({ tls }) => tls?.chain_not_after ?? []);
  return {
    ...{ destination, uri, code, state, since, owners, labels },
    ...lastOutcome(all),
    /** Of the fastest target. */
    rtt: rtts.length === 0 ? null : Math.min(...rtts),
    targets: targets.length,
    targets_up: targets.filter((target) => target.state === 'up').length,
    /** Of all that the peers show, the first certificate to expire. */
    certificate_not_after: ends.length === 0 ? null : ends.reduce((a, b) => (a < b ? a : b)),
  };
}

export function describeRecent({ atMs, reason, code, rttMicros }: RecentPing) {
  return {
    at: time(atMs),
    reason: reason ?? null,
    reason_text: reason === undefined ? null : reasonText(reason),
    code: code || null,
    rtt: rttMicros === 0 ? null : rttMicros / 1e6,
  };
}

/** How the targets were found; null when nobody can say, or there is no name. Durations are seconds. */
export function describeResolution(resolution: Resolution | undefined) {
  if (resolution === undefined) return null;
  const { ageMs, errors } = resolution;
  if (ageMs === undefined && errors.length === 0) return null;
  return {
    age: ageMs === undefined ? null : ageMs / 1000,
    errors: resolution.errors,
    targets: resolution.targets.map(({ steps, ...target }) => ({
      ...target,
      steps: steps.map(({ leftMs, ...step }) => ({
        ...step,
        ttl_left: Number.isFinite(leftMs) ? Math.max(Math.round(leftMs / 1000), 0) : null,
      })),
    })),
  };
}

function time(ms: number | undefined): string | null {
  return ms === undefined || ms === 0 || !Number.isFinite(ms) ? null : new Date(ms).toISOString();
}
