/** How discovery and webhooks do. */

/** How a source does. Times are wall-clock milliseconds, 0 for never. */
export interface SourceHealth {
  readonly source: string;
  /** The last look found all that it should. */
  readonly isUp: boolean;
  /** Destinations that it has, and what of it is not watched. */
  readonly destinations: number;
  readonly skipped: number;
  readonly failures: number;
  readonly lastSuccessMs: number;
}

/** How deliveries go. */
export interface WebhookHealth {
  readonly webhook: string;
  readonly delivered: number;
  /** Attempts that failed. */
  readonly failures: number;
  /** Events that were given up. */
  readonly dropped: number;
  readonly queued: number;
}
