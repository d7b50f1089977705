/** One ping of the library, without a destination. */

import { KeepAliveError } from './library-error.js';
import type { Destination } from './shared/destination.js';
import { type DownReason, isLocalFailure, type TransportName } from './shared/outcome.js';
import type { ProbeReport } from './shared/probe-report.js';
import type { Supervisor } from './supervisor/supervisor.js';

/** The result of one ping. Durations are seconds. */
export interface PingResult {
  /** Canonical. */
  readonly uri: string;
  readonly isAlive: boolean;
  /** Why the ping failed; undefined when it is alive. */
  readonly reason: DownReason | undefined;
  /** The exact error as text; empty when only the reason is known. */
  readonly detail: string;
  /** SIP status code of the response; undefined without one. */
  readonly sipCode: number | undefined;
  readonly transport: TransportName | undefined;
  /** IP address that was pinged; undefined when the name has none. */
  readonly address: string | undefined;
  /** Round-trip time of the request; undefined without a response. */
  readonly rtt: number | undefined;
  /** Of the whole ping, with DNS and connections. */
  readonly duration: number;
  readonly retransmissions: number;
}

/** @throws KeepAliveError when the ping has no result. */
export async function pingOnce(
  supervisor: Pick<Supervisor, 'probe'>,
  { uri, settings }: Destination,
  signal: AbortSignal,
): Promise<PingResult> {
  const request = { uri, settings, timeoutMs: settings.timeoutMs, allow: [] };
  let report: ProbeReport;
  try {
    report = await supervisor.probe(request, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw unavailable(error instanceof Error ? error.message : String(error));
  }
  const { reason, detail, isAllowed, isObserved, code: sipCode, durations } = report;
  if (!isAllowed) throw unavailable(`${uri} has no address that can be pinged`);
  if (!isObserved) throw unavailable('the pinger thread was stalled during the ping');
  if (isLocalFailure(reason)) throw unavailable(detail);
  const { isAlive, transport, address, retransmissions } = report;
  return {
    ...{ uri, isAlive, reason, detail, sipCode, transport, address, retransmissions },
    rtt: durations.request,
    duration: durations.total,
  };
}

function unavailable(message: string): KeepAliveError {
  return new KeepAliveError('ERR_PING_UNAVAILABLE', message);
}
