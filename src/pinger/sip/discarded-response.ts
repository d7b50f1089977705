/** Whether a response that carries a branch of ours is an answer to us, and what is wrong if not. */

import type { TransportName } from '../../shared/outcome.js';
import { decode, printable } from '../../shared/text.js';
import type { PingTemplate } from './request.js';
import { is, isBarringBlanks, type Scan, type Span } from './scanner.js';
import { isSameSentBy } from './sent-by.js';

const MAX_SHOWN_LENGTH = 80;

/** Why a response was discarded: what the ping ends with unless a better one comes in time. */
export interface DiscardedResponse {
  readonly reason: 'timeout' | 'malformed';
  /** In words for people. */
  readonly detail: string;
}

/** What makes the response one that must be discarded; undefined when nothing does. */
export function discardReason(
  bytes: Uint8Array,
  scan: Scan,
  { sentBy, method }: PingTemplate,
  transport: TransportName,
): DiscardedResponse | undefined {
  const { vias, isCutOff, ok, cseqMethod, bodyAt } = scan;
  // RFC 3261 8.1.3.3: with more than one Via it went astray.
  if (vias !== 1) {
    return malformed(`an answer came back with ${vias} Via values; one of a peer has ours alone`);
  }
  // RFC 3261 18.1.2: with another sent-by it was not for us.
  if (!isBarringBlanks(bytes, scan.sentBy, sentBy)) {
    const theirs = textOf(bytes, scan.sentBy);
    const ours = decode(sentBy);
    if (!isSameSentBy(theirs, ours, transport)) {
      const shown = printable(theirs, MAX_SHOWN_LENGTH);
      return {
        reason: 'timeout',
        detail: `an answer came back with the sent-by ${shown} in its Via, ours is ${ours}`,
      };
    }
  }
  // RFC 3261 18.3: a datagram that ends before the body does.
  if (isCutOff) {
    const came = bytes.length - bodyAt;
    return malformed(`an answer has a Content-Length of more than the ${came} bytes of its body`);
  }
  // RFC 3261 17.1.3: the method is that of the request.
  if (ok && !is(bytes, cseqMethod.start, cseqMethod.end, method)) {
    const theirs = printable(textOf(bytes, cseqMethod), MAX_SHOWN_LENGTH);
    const ours = decode(method).toUpperCase();
    return malformed(`an answer came back with the method ${theirs} in its CSeq, ours is ${ours}`);
  }
  return undefined;
}

/** A response whose Via has our branch, but not as its branch. */
export const WITHOUT_BRANCH = malformed('an answer came back without a branch in its Via');

function malformed(detail: string): DiscardedResponse {
  return { reason: 'malformed', detail };
}

function textOf(bytes: Uint8Array, { start, end }: Span): string {
  return start < 0 ? '' : decode(bytes.subarray(start, end));
}
