import type { ProbeReport } from '../../src/shared/probe-report.js';

/** The report of a probe over UDP that was alive, with changes. */
export function probeReport(change: Partial<ProbeReport> = {}): ProbeReport {
  return {
    ...{ isAlive: true, reason: undefined, detail: '', isAllowed: true, isObserved: true },
    ...{ transport: 'udp', address: '192.0.2.1', code: 200, retransmissions: 0 },
    durations: { total: 1, resolve: undefined, connect: undefined, tls: undefined, request: 0.5 },
    ...{ tls: undefined, log: [] },
    ...change,
  };
}
