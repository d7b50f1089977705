/** Health of discovery sources, webhooks and Kamailios, for metrics. */

/** Times are wall-clock milliseconds, 0 for never. */
export interface SourceHealth {
  readonly source: string;
  readonly kind: string;
  /** Whether the last refresh succeeded. */
  readonly isUp: boolean;
  /** Number of monitored destinations of the source. */
  readonly destinations: number;
  /** Number of entries that were skipped or only partly applied. */
  readonly skipped: number;
  readonly failures: number;
  readonly lastSuccessMs: number;
  /** Of the last refresh; empty unless it failed. */
  readonly error: string;
}

export interface WebhookHealth {
  readonly webhook: string;
  readonly delivered: number;
  /** Number of failed delivery attempts. */
  readonly failures: number;
  /** Number of events that were dropped without being delivered. */
  readonly dropped: number;
  readonly queued: number;
}

export interface KamailioHealth {
  readonly kamailio: string;
  /** How often it pings its destinations. */
  readonly pingIntervalMs: number;
  /** Number of states that were set. */
  readonly statesSet: Readonly<Record<'active' | 'inactive', number>>;
  /** Number of failed attempts to set a state. */
  readonly failures: number;
}
