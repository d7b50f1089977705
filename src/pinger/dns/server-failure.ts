/** What is said of a look-up that no server could answer: whom was asked, and what came of it. */

import type { ResolutionFailure } from '../../shared/resolution.js';
import type { DnsAnswer } from './records.js';
import { type DnsServer, serverLabel } from './server.js';
import type { ServerReply } from './server-client.js';

export type FailureReply = Extract<
  ServerReply,
  { kind: 'error' } | { kind: 'garbage' } | { kind: 'fault' } | { kind: 'silent' }
>;

export interface ServerFailure {
  readonly server: DnsServer;
  readonly reply: FailureReply;
}

/** The answer where no server gave one: by the weightiest failure, with what each server did. */
export function failedAnswer(failures: readonly ServerFailure[], timeoutMs: number): DnsAnswer {
  const [weightiest] = failures
    .map(({ reply }) => verdicts(reply))
    .sort((a, b) => b.weight - a.weight);
  const reason = weightiest?.reason ?? 'local';
  const servers = new Map<string, string[]>();
  for (const { server, reply } of failures) {
    const what = describe(reply, timeoutMs);
    const label = `${serverLabel(server)}${reply.isOverTcp ? ' over TCP' : ''}`;
    servers.set(what, [...(servers.get(what) ?? []), label]);
  }
  const parts = [...servers].map(([what, labels]) => {
    const each = what.startsWith(SILENCE) && labels.length > 1 ? ' each' : '';
    return `${what.replace('SERVER', labels.join(' and '))}${each}`;
  });
  return { kind: 'failed', reason, detail: parts.join(', ') };
}

interface RankedReason {
  readonly reason: ResolutionFailure;
  readonly weight: number;
}

/**
 * What a server says weighs more than its silence. A fault of ours weighs most, for the server might
 * have known; but where only the way to this server is missing, the others count.
 */
function verdicts(reply: FailureReply): RankedReason {
  switch (reply.kind) {
    case 'error':
      return reply.what === 'REFUSED'
        ? { reason: 'refused', weight: 3 }
        : { reason: 'servfail', weight: 4 };
    case 'garbage':
      return { reason: 'servfail', weight: 4 };
    case 'silent':
      return { reason: 'timeout', weight: 2 };
    case 'fault':
      return judgeFault(reply.fault);
    default:
      return reply satisfies never;
  }
}

function judgeFault({
  kind,
  isForOneServer,
}: Extract<ServerReply, { kind: 'fault' }>['fault']): RankedReason {
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

const SILENCE = 'no answer from ';
const GARBLED = 'no answer to the question that can be read from ';

/** In words, with SERVER where the server is to be named. */
function describe(reply: FailureReply, timeoutMs: number): string {
  switch (reply.kind) {
    case 'error':
      return `${reply.what} from SERVER`;
    case 'garbage':
      return `${reply.why} from SERVER`;
    case 'silent':
      return `${reply.hadUnreadable ? GARBLED : SILENCE}SERVER within ${timeoutMs / 1000} s`;
    case 'fault':
      return describeFault(reply.fault);
    default:
      return reply satisfies never;
  }
}

function describeFault({ kind, code }: Extract<ServerReply, { kind: 'fault' }>['fault']): string {
  switch (kind) {
    case 'closed':
      return `connection ${code === 'ECONNREFUSED' ? 'refused' : 'reset'} by SERVER`;
    case 'unreachable':
      return `no way to SERVER (${code})`;
    case 'local':
      return `SERVER could not be asked (${code} on the exporter's host)`;
    default:
      return kind satisfies never;
  }
}
