/** One query to one DNS server, and how it ended. */

import type { ParsedAnswer, Question } from './message.js';
import type { DnsServer } from './server.js';
import type { ServerEvent } from './server-event.js';

export interface ServerQuery {
  readonly server: DnsServer;
  readonly question: Question;
  readonly isOverTcp: boolean;
  /** Monotonic. */
  readonly deadlineMs: number;
}

export type QueryOutcome = ParsedAnswer | Exclude<ServerEvent, { kind: 'message' }> | Silent;

/** No answer in time. */
interface Silent {
  readonly kind: 'silent';
  /** Messages came that could not be read, or that answered something else. */
  readonly hadUnreadable: boolean;
}
