/** One query to one DNS server, and its outcome. */

import type { ParsedAnswer, Question } from './message.js';
import type { DnsServer } from './server.js';
import type { ServerEvent } from './server-event.js';

export interface ServerQuery {
  readonly server: DnsServer;
  readonly question: Question;
  readonly isOverTcp: boolean;
  /** Monotonic, milliseconds. */
  readonly deadlineMs: number;
}

export type QueryOutcome = ParsedAnswer | Exclude<ServerEvent, { kind: 'message' }> | Silent;

/** No answer in time. */
interface Silent {
  readonly kind: 'silent';
  /** Whether messages arrived that were malformed or did not answer the query. */
  readonly hadUnreadable: boolean;
}
