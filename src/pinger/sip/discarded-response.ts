/** Responses that carry the branch of a ping but must be discarded (RFC 3261 8.1.3.3, 17.1.3, 18). */

import type { TransportName } from '../../shared/outcome.js';
import { decode, printable } from '../../shared/text.js';
import type { PingTemplate } from './request.js';
import { is, isIgnoringBlanks, type Scan, type Span } from './scanner.js';
import { isSameSentBy } from './sent-by.js';

const MAX_QUOTED_LENGTH = 80;

/** Why a response was discarded. The ping ends with this unless a valid response comes in time. */
export interface DiscardedResponse {
  readonly reason: 'timeout' | 'malformed';
  readonly detail: string;
}

/** Why the response must be discarded; undefined for a valid one. */
export function discardReason(
  bytes: Uint8Array,
  scan: Scan,
  { sentBy, method }: PingTemplate,
  transport: TransportName,
): DiscardedResponse | undefined {
  const { vias, isCutOff, ok, cseqMethod, bodyAt } = scan;
  // RFC 3261 8.1.3.3: a response with more than one Via is for another client.
  if (vias !== 1) {
    return malformed(`the response has ${vias} Via values; expected 1`);
  }
  // RFC 3261 18.1.2: the sent-by must be that of the request.
  if (!isIgnoringBlanks(bytes, scan.sentBy, sentBy)) {
    const theirs = textOf(bytes, scan.sentBy);
    const ours = decode(sentBy);
    if (!isSameSentBy(theirs, ours, transport)) {
      const quoted = printable(theirs, MAX_QUOTED_LENGTH);
      return {
        reason: 'timeout',
        detail: `the Via of the response has sent-by ${quoted}; expected ${ours}`,
      };
    }
  }
  // RFC 3261 18.3: the datagram ends before the body does.
  if (isCutOff) {
    const bodyBytes = bytes.length - bodyAt;
    return malformed(`the Content-Length of the response exceeds its body of ${bodyBytes} bytes`);
  }
  // RFC 3261 17.1.3: the CSeq method must be that of the request.
  if (ok && !is(bytes, cseqMethod.start, cseqMethod.end, method)) {
    const theirs = printable(textOf(bytes, cseqMethod), MAX_QUOTED_LENGTH);
    const ours = decode(method).toUpperCase();
    return malformed(`the CSeq of the response has method ${theirs}; expected ${ours}`);
  }
  return undefined;
}

/** For a response whose Via contains the branch, but not as its branch parameter. */
export const WITHOUT_BRANCH = malformed('the Via of the response has no branch');

function malformed(detail: string): DiscardedResponse {
  return { reason: 'malformed', detail };
}

function textOf(bytes: Uint8Array, { start, end }: Span): string {
  return start < 0 ? '' : decode(bytes.subarray(start, end));
}
