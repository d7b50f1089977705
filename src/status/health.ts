/** Health of discovery sources and webhooks, for metrics. */

/** Times are wall-clock milliseconds, 0 for never. */
export interface SourceHealth {
  readonly source: string;
  /** The last refresh succeeded. */
  readonly isUp: boolean;
  /** Destinations that are pinged because of the source. */
  readonly destinations: number;
  /** Entries that were skipped or only partly applied. */
  readonly skipped: number;
  readonly failures: number;
  readonly lastSuccessMs: number;
}

export interface WebhookHealth {
  readonly webhook: string;
  readonly delivered: number;
  /** Delivery attempts that failed. */
  readonly failures: number;
  /** Events that were discarded without being delivered. */
  readonly dropped: number;
  readonly queued: number;
}
