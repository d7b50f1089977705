/** Describes destinations as the JSON of views.ts. */

import type { RegisteredDestination } from '../shared/destination.js';
import { RECENT_PINGS } from '../shared/ledger/layout.js';
import type { DestinationVerdict, TargetResults } from '../shared/ledger/rows.js';
import { type DownReason, isLocalFailure, reasonText } from '../shared/outcome.js';
import type { Explanation, Resolution } from '../shared/resolution.js';
import { isAliveCode, type State } from '../shared/state.js';
import type { Belief } from './beliefs.js';
import { destinationDegraded } from './degraded.js';
import {
  pingView,
  type TargetGlance,
  targetDetails,
  targetGlance,
  targetView,
} from './describe-target.js';
import { effectiveState, lastSeenMs, type StatusContext } from './freshness.js';
import { isoTime } from './iso-time.js';
import type {
  DestinationBrief,
  DestinationDetails,
  DestinationView,
  HistoryView,
  Hour,
  KamailioView,
  ResolutionView,
} from './views.js';

export function destinationView(
  status: StatusContext,
  registered: RegisteredDestination,
): DestinationView {
  const { settings } = registered.destination;
  const rows = registered.targets.map(({ slot }) => status.ledger.target(slot));
  const targets = registered.targets.map((target, i) =>
    targetView(status, registered, target, rows[i]),
  );
  return {
    ...brief(status, registered, rows, targets),
    server: registered.server === '' ? null : registered.server,
    ping_interval: settings.intervalMs / 1000,
    retry_interval: settings.retryIntervalMs / 1000,
    down_interval: settings.downIntervalMs / 1000,
    ping_timeout: settings.timeoutMs / 1000,
    targets,
  };
}

export function briefView(
  status: StatusContext,
  registered: RegisteredDestination,
): DestinationBrief {
  const rows = registered.targets.map(({ slot }) => status.ledger.results(slot));
  const glances = registered.targets.map((target, i) =>
    targetGlance(status, registered, target, rows[i]),
  );
  return brief(status, registered, rows, glances);
}

/** @param rows @param targets in the order of the registered targets. */
function brief(
  status: StatusContext,
  registered: RegisteredDestination,
  rows: readonly (TargetResults | undefined)[],
  targets: readonly TargetGlance[],
): DestinationBrief {
  const { destination, owners, slot, peers } = registered;
  const row = status.ledger.verdict(slot);
  const state = effectiveState(status, registered, row?.state ?? 'unknown', lastSeenMs(row, rows));
  const failure = failureOf(state, row, targets);
  return {
    destination: destination.name,
    uri: destination.uri,
    module: destination.module,
    owners,
    labels: destination.labels,
    code: isAliveCode(state),
    state,
    since: isoTime(sinceMs(status, destination, state, row?.sinceMs)),
    degraded: destinationDegraded(state, targets),
    reason: failure.reason,
    reason_text: failure.reason_text,
    detail: failure.detail,
    sip_code: failure.sip_code,
    rtt: leastRtt(targets),
    targets_total: targets.length,
    targets_up: targets.filter((target) => target.state === 'up').length,
    certificate_not_after: isoTime(firstExpiryMs(peers)),
  };
}

/** @param verdictMs when the verdict was reached in this run. One of an earlier run may have been the same. */
function sinceMs(
  { incidents }: StatusContext,
  destination: RegisteredDestination['destination'],
  state: State,
  verdictMs: number | undefined,
): number | undefined {
  if (verdictMs === undefined || state === 'up') return verdictMs;
  return Math.min(verdictMs, incidents?.beganAtMs(destination, state) ?? verdictMs);
}

/** @param explanation undefined while the pinger cannot answer. */
export function destinationDetails(
  status: StatusContext,
  registered: RegisteredDestination,
  explanation: Explanation | undefined,
  hour: Hour,
): DestinationDetails {
  const view = destinationView(status, registered);
  const resolution = resolutionView(explanation?.resolution);
  const errors = resolution?.errors ?? [];
  const isUnresolved = view.reason === 'resolution' && errors.length > 0;
  return {
    ...view,
    detail: isUnresolved ? errors.join('; ') : view.detail,
    targets: view.targets.map((target, i) => {
      const slot = registered.targets[i]?.slot;
      const recents = slot === undefined ? [] : status.ledger.recents(slot);
      return targetDetails(target, recents, slot && explanation?.exchanges.get(slot.index));
    }),
    resolution,
    kamailios: (status.beliefs?.of(view.destination) ?? []).map(kamailioView),
    history: historyView(status, registered, hour),
  };
}

/** The last hour of a destination and the last pings of all its targets. */
export function historyView(
  { ledger }: Pick<StatusContext, 'ledger'>,
  { targets }: RegisteredDestination,
  hour: Hour,
): HistoryView {
  const isSingle = targets.length === 1;
  const pings = targets.flatMap(({ slot, transport, address }) => {
    const target = isSingle ? null : `${transport} ${address}`;
    return ledger.recents(slot).map((ping) => ({ ping, target }));
  });
  if (!isSingle) pings.sort((a, b) => b.ping.atMs - a.ping.atMs);
  const newest = pings.slice(0, RECENT_PINGS).reverse();
  return { ...hour, pings: newest.map(({ ping, target }) => ({ ...pingView(ping), target })) };
}

/** Why the destination is not up, and the last result of a target that determines its state. */
function failureOf(
  state: State,
  row: DestinationVerdict | undefined,
  targets: readonly TargetGlance[],
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
function detailBeyond(reason: DownReason | undefined, target: TargetGlance): string | null {
  return target.detail ?? (target.reason === (reason ?? null) ? null : target.reason_text);
}

/** Why the destination is down, or `local` if it is unknown because the exporter cannot ping it. */
function downReason(
  state: State,
  row: DestinationVerdict | undefined,
  targets: readonly TargetGlance[],
): DownReason | undefined {
  if (state !== 'unknown') return row?.reason;
  const isLocal = targets.some(({ reason }) => isLocalFailure(reason ?? undefined));
  return isLocal ? 'local' : undefined;
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

/** Wall clock, milliseconds; undefined without certificates. */
function firstExpiryMs(peers: RegisteredDestination['peers']): number | undefined {
  if (peers.size === 0) return undefined;
  const all = [...peers.values()].map(
    ({ tls }) => tls?.chainNotAfterMs || Number.POSITIVE_INFINITY,
  );
  return Math.min(...all);
}

/** Null without any. */
function leastRtt(targets: readonly TargetGlance[]): number | null {
  let least: number | null = null;
  for (const { rtt } of targets) if (rtt !== null && (least === null || rtt < least)) least = rtt;
  return least;
}
