/** An incident, in memory and as JSON. */

import { isMapping } from '../platform/values.js';
import type { Clock } from '../shared/clock.js';
import { type DownReason, FAILURE_REASONS, reasonText } from '../shared/outcome.js';
import type { IncidentView } from '../status/page-views.js';

/** A period in which the verdict on a destination was not `up`, after its first verdict. */
export interface Incident {
  /** Increases with each incident, also across restarts. */
  readonly id: number;
  readonly destination: string;
  readonly uri: string;
  readonly state: IncidentView['state'];
  /** Why it began; the reason may have changed since. */
  readonly reason: DownReason | undefined;
  readonly detail: string;
  readonly sipCode: number | undefined;
  readonly module: string;
  readonly owners: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Wall clock, milliseconds. */
  readonly beganAtMs: number;
  /** The same moment on the monotonic clock of this process, which jumps of the wall clock do not change. */
  readonly sinceMs: number;
  /** Undefined while it lasts. */
  end: IncidentEnd | undefined;
}

export interface IncidentEnd {
  /** Wall clock, milliseconds. */
  readonly atMs: number;
  /** Undefined, as `by` is null, when the end was lost: then it ended at `atMs` at the latest. */
  readonly durationMs: number | undefined;
  readonly by: IncidentView['ended_by'];
}

/** Greatest id that is accepted from a file: the last millisecond of a `Date`, to which thousands can be added. */
const MAX_ID = 8_640_000_000_000_000;
const REASONS: readonly unknown[] = [...FAILURE_REASONS, 'resolution'];

/** @param nowMs monotonic. */
export function incidentView(incident: Incident, nowMs: number): IncidentView {
  const { reason, end } = incident;
  const durationMs = end === undefined ? nowMs - incident.sinceMs : end.durationMs;
  return {
    id: incident.id,
    destination: incident.destination,
    uri: incident.uri,
    state: incident.state,
    began_at: new Date(incident.beganAtMs).toISOString(),
    ended_at: end === undefined ? null : new Date(end.atMs).toISOString(),
    duration: durationMs === undefined ? null : Math.round(Math.max(durationMs, 0)) / 1000,
    ended_by: end?.by ?? null,
    reason: reason ?? null,
    reason_text: reason === undefined ? null : reasonText(reason),
    detail: incident.detail || null,
    sip_code: incident.sipCode ?? null,
    module: incident.module,
    owners: incident.owners,
    labels: incident.labels,
  };
}

/** The incident with this JSON, from a file; undefined when it is none. */
export function readIncident(value: unknown, clock: Clock): Incident | undefined {
  if (!isIncidentView(value)) return undefined;
  const { ended_at, ended_by } = value;
  const beganAtMs = Date.parse(value.began_at);
  const durationMs = value.duration === null ? undefined : value.duration * 1000;
  const end = { atMs: Date.parse(ended_at ?? ''), durationMs, by: ended_by };
  return {
    id: value.id,
    destination: value.destination,
    uri: value.uri,
    state: value.state,
    reason: value.reason ?? undefined,
    detail: value.detail ?? '',
    sipCode: value.sip_code ?? undefined,
    module: value.module,
    owners: value.owners,
    labels: value.labels,
    beganAtMs,
    sinceMs: clock.now() - Math.max(clock.epoch() - beganAtMs, 0),
    end: ended_at === null ? undefined : end,
  };
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isTime: Check = (value) => !Number.isNaN(Date.parse(typeof value === 'string' ? value : ''));
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) > 0;
const orNull =
  (isValid: Check): Check =>
  (value) =>
    value === null || isValid(value);
const among =
  (values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);

const CHECKS: Readonly<Record<keyof IncidentView, Check>> = {
  id: (value) => isCount(value) && Number(value) <= MAX_ID,
  destination: isText,
  uri: isText,
  state: among(['down', 'unknown']),
  began_at: isTime,
  ended_at: orNull(isTime),
  duration: orNull((value) => Number.isFinite(value) && Number(value) >= 0),
  ended_by: orNull(among(['up', 'down', 'unknown', 'removed'])),
  reason: orNull(among(REASONS)),
  reason_text: orNull(isText),
  detail: orNull(isText),
  sip_code: orNull(isCount),
  module: isText,
  owners: (value) => Array.isArray(value) && value.every(isText),
  labels: (value) => isMapping(value) && Object.values(value).every(isText),
};

function isIncidentView(value: unknown): value is IncidentView {
  return (
    isMapping(value) && Object.entries(CHECKS).every(([member, isValid]) => isValid(value[member]))
  );
}
