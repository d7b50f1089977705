/** Health of discovery sources and webhooks, for metrics. */

/** Times are wall-clock milliseconds, 0 for never. */
export interface SourceHealth {
  readonly source: string;
  /** Whether the last refresh succeeded. */
  readonly isUp: boolean;
  /** Number of monitored destinations of the source. */
  readonly destinations: number;
  /** Number of entries that were skipped or only partly applied. */
  readonly skipped: number;
  readonly failures: number;
  readonly lastSuccessMs: number;
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
