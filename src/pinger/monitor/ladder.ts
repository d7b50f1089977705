/** The last ping of a target as a ladder: its messages with their times. */

import type { Ladder, LadderStep } from '../../shared/resolution.js';
import type { PingStep } from './ping-steps.js';

export interface LadderMessages {
  readonly method: string;
  /** The last request of the ping, and its last response; empty when there is none. */
  readonly sent: string;
  readonly received: string;
}

const MAX_PHRASE_LENGTH = 100;
/** RFC 3261 21: of responses that others follow, whose messages are not kept. */
const PHRASES: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  181: 'Call Is Being Forwarded',
  182: 'Queued',
  183: 'Session Progress',
  200: 'OK',
  401: 'Unauthorized',
  407: 'Proxy Authentication Required',
  503: 'Service Unavailable',
};

/** @param startedAtMs wall clock. */
export function ladderOf(
  startedAtMs: number,
  steps: readonly PingStep[],
  messages: LadderMessages,
): Ladder {
  const lastRequest = steps.findLastIndex(({ kind }) => kind === 'request');
  const lastResponse = steps.findLastIndex(({ kind }) => kind === 'response');
  return {
    startedAtMs,
    steps: steps.map((step, i): LadderStep => {
      const offsetMs = step.offsetMs;
      if (step.kind === 'response') {
        const message = i === lastResponse ? messages.received : '';
        return { offsetMs, direction: 'received', summary: responseLine(step, message), message };
      }
      const message = i === lastRequest ? messages.sent : '';
      return { offsetMs, direction: 'sent', summary: requestLine(steps, i, messages), message };
    }),
  };
}

function requestLine(steps: readonly PingStep[], at: number, { method }: LadderMessages): string {
  if (steps[at]?.kind === 'retransmission') {
    const request = steps.slice(0, at).findLastIndex(({ kind }) => kind === 'request');
    const number = steps
      .slice(request + 1, at + 1)
      .filter(({ kind }) => kind === 'retransmission').length;
    return `${method} (retransmission ${number})`;
  }
  if (at === 0) return method;
  const status = steps[at - 1]?.status;
  const isChallenged = status === 401 || status === 407;
  return `${method} (${isChallenged ? 'with credentials' : 'again'})`;
}

function responseLine({ status }: PingStep, message: string): string {
  const [, line] = /^SIP\/2\.0 +(\d{3}[^\r\n]*)/i.exec(message) ?? [];
  if (line !== undefined) return line.trim().slice(0, MAX_PHRASE_LENGTH);
  if (status === 0) return 'malformed response';
  return `${status} ${PHRASES[status] ?? ''}`.trim();
}
