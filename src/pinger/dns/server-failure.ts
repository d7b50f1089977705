/** Combines the failures of several DNS servers into one answer with a reason and a detail. */

import type { ResolutionFailure } from '../../shared/resolution.js';
import type { DnsAnswer } from './records.js';
import { type DnsServer, type SocketError, serverLabel } from './server.js';
import type { ServerReply } from './server-client.js';

export type FailureReply = Extract<
  ServerReply,
  { kind: 'error' } | { kind: 'malformed' } | { kind: 'socketError' } | { kind: 'silent' }
>;

export interface ServerFailure {
  readonly server: DnsServer;
  readonly reply: FailureReply;
}

/** The reason is that of the most important failure; the detail says what each server did. */
export function failedAnswer(failures: readonly ServerFailure[], timeoutMs: number): DnsAnswer {
  const [heaviest] = failures.map(({ reply }) => ranked(reply)).sort((a, b) => b.weight - a.weight);
  const labelsOf = new Map<string, string[]>();
  for (const { server, reply } of failures) {
    const text = describe(reply, timeoutMs);
    const label = `${serverLabel(server)}${reply.isOverTcp ? ' over TCP' : ''}`;
    labelsOf.set(text, [...(labelsOf.get(text) ?? []), label]);
  }
  const parts = [...labelsOf].map(([text, labels]) => {
    const each = text.startsWith(NO_ANSWER) && labels.length > 1 ? ' each' : '';
    return `${text.replace('SERVER', labels.join(' and '))}${each}`;
  });
  return { kind: 'failed', reason: heaviest?.reason ?? 'local', detail: parts.join(', ') };
}

interface RankedReason {
  readonly reason: ResolutionFailure;
  readonly weight: number;
}

/**
 * An error that a server sends outweighs a timeout. A local error outweighs both, because the server may
 * have had an answer. But if only the route to that server is missing, the other servers count.
 */
function ranked(reply: FailureReply): RankedReason {
  switch (reply.kind) {
    case 'error':
      return reply.what === 'REFUSED'
        ? { reason: 'refused', weight: 3 }
        : { reason: 'servfail', weight: 4 };
    case 'malformed':
      return { reason: 'servfail', weight: 4 };
    case 'silent':
      return { reason: 'timeout', weight: 2 };
    case 'socketError':
      return rankedSocketError(reply.error);
    default:
      return reply satisfies never;
  }
}

function rankedSocketError({ kind, isForOneServer }: SocketError): RankedReason {
  switch (kind) {
    case 'closed':
      return { reason: 'refused', weight: 3 };
    case 'unreachable':
      return { reason: 'timeout', weight: 2 };
    case 'local':
      return { reason: 'local', weight: isForOneServer ? 1 : 5 };
    default:
      return kind satisfies never;
  }
}

const NO_ANSWER = 'no answer from ';
const NO_VALID_ANSWER = 'no valid answer from ';

/** Describes a failure, with the placeholder SERVER. */
function describe(reply: FailureReply, timeoutMs: number): string {
  switch (reply.kind) {
    case 'error':
      return `${reply.what} from SERVER`;
    case 'malformed':
      return `${reply.detail} from SERVER`;
    case 'silent': {
      const what = reply.hadUnreadable ? NO_VALID_ANSWER : NO_ANSWER;
      return `${what}SERVER within ${timeoutMs / 1000} s`;
    }
    case 'socketError':
      return describeSocketError(reply.error);
    default:
      return reply satisfies never;
  }
}

function describeSocketError({ kind, code }: SocketError): string {
  switch (kind) {
    case 'closed':
      return `connection ${code === 'ECONNREFUSED' ? 'refused' : 'reset'} by SERVER`;
    case 'unreachable':
      return `SERVER unreachable (${code})`;
    case 'local':
      return `cannot query SERVER (${code} on the exporter's host)`;
    default:
      return kind satisfies never;
  }
}
