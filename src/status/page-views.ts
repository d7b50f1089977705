/** The JSON that the status page shows beside destinations. The rules of views.ts apply. */

import type { DownReason } from '../shared/outcome.js';

/** `GET /api/v1/status`: the exporter itself. */
export interface StatusView {
  readonly version: string;
  readonly started_at: string;
  readonly now: string;
  readonly destinations: number;
  /** The number of destinations in each state as the status page shows it. */
  readonly states: Readonly<Record<'down' | 'degraded' | 'unknown' | 'draining' | 'up', number>>;
  readonly pinger: { readonly healthy: boolean; readonly restarts: number };
  /** As `/-/ready`; the reason is null when it is ready. */
  readonly ready: { readonly ok: boolean; readonly reason: string | null };
  /** The last reload, and the time of the configuration in force. */
  readonly reload: { readonly ok: boolean; readonly at: string };
  readonly sources: readonly SourceView[];
  readonly web: {
    /** Whether destinations and silences can be changed over HTTP. */
    readonly admin: boolean;
    readonly prometheus: boolean;
    readonly alertmanager: boolean;
    /** URL templates with `{destination}` and `{uri}`, by their titles. */
    readonly links: Readonly<Record<string, string>>;
  };
}

/** A source of destinations. */
export interface SourceView {
  readonly name: string;
  readonly kind: string;
  readonly ok: boolean;
  /** Null before the first success. */
  readonly destinations: number | null;
  readonly last_success: string | null;
  /** Null unless the last read failed. */
  readonly error: string | null;
}

/** A period in which the verdict on a destination was not `up`, after its first verdict. */
export interface IncidentView {
  /** Increases with each incident. */
  readonly id: number;
  readonly destination: string;
  readonly uri: string;
  readonly state: 'down' | 'unknown';
  readonly began_at: string;
  /** Null while it lasts. */
  readonly ended_at: string | null;
  /** Seconds; of one that lasts, until now. */
  readonly duration: number | null;
  /** The state that followed, or `removed` for a destination that is no longer monitored. */
  readonly ended_by: 'up' | 'down' | 'unknown' | 'removed' | null;
  readonly reason: DownReason | null;
  readonly reason_text: string | null;
  readonly detail: string | null;
  readonly sip_code: number | null;
  readonly module: string;
  readonly owners: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** `GET /api/v1/incidents` */
export interface IncidentsView {
  /** The newest first. */
  readonly incidents: readonly IncidentView[];
  /** The number that is kept. */
  readonly total: number;
  /** The number that was forgotten since the start, because only the newest are kept. */
  readonly dropped: number;
  /** The begin of the oldest that is kept. */
  readonly oldest: string | null;
  /** The parameter `before` of the next page; null on the last one. */
  readonly next: number | null;
}

/** A silence of Alertmanager. */
export interface SilenceView {
  readonly id: string;
  readonly state: 'active' | 'pending';
  readonly matchers: readonly {
    readonly name: string;
    readonly value: string;
    readonly is_regex: boolean;
    readonly is_equal: boolean;
  }[];
  readonly starts_at: string;
  readonly ends_at: string;
  readonly created_by: string;
  readonly comment: string;
}

/** `GET /api/v1/availability`: shares of time, 0 to 1, by destination; null without data. */
export interface AvailabilityView {
  readonly spans: Readonly<
    Record<'day' | 'week' | 'month', Readonly<Record<string, number | null>>>
  >;
}

/** `GET /api/v1/range`: a destination over a long span, the oldest point first. */
export interface RangeView {
  /** Seconds between two points. */
  readonly step: number;
  readonly at: readonly string[];
  /** Seconds. */
  readonly rtt: readonly (number | null)[];
  /** Shares of time, 0 to 1. */
  readonly availability: readonly (number | null)[];
}
