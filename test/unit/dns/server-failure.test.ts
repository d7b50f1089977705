import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type FailureReply, failedAnswer } from '../../../src/pinger/dns/server-failure.js';

const [FIRST, SECOND] = [
  { address: '192.0.2.53', port: 53 },
  { address: '2001:db8::53', port: 5353 },
] as const;

const overUdp = { isOverTcp: false } as const;
const silent = (hadUnreadable: boolean): FailureReply => ({
  ...{ kind: 'silent', hadUnreadable },
  ...overUdp,
});
const socketError = (kind: 'closed' | 'unreachable' | 'local', code: string): FailureReply => ({
  ...{ kind: 'socketError', error: { kind, code, isForOneServer: true } },
  ...overUdp,
});

describe('a failure of a DNS server', () => {
  for (const [reply, reason, detail] of [
    [silent(false), 'timeout', 'no answer from 192.0.2.53:53 within 2 s'],
    [silent(true), 'timeout', 'no valid answer from 192.0.2.53:53 within 2 s'],
    [
      { kind: 'error', what: 'SERVFAIL', isAboutOpt: false, ...overUdp },
      'servfail',
      'SERVFAIL from 192.0.2.53:53',
    ],
    [
      { kind: 'error', what: 'REFUSED', isAboutOpt: false, isOverTcp: true },
      'refused',
      'REFUSED from 192.0.2.53:53 over TCP',
    ],
    [
      { kind: 'malformed', detail: 'a truncated answer', isOverTcp: true },
      'servfail',
      'a truncated answer from 192.0.2.53:53 over TCP',
    ],
    [socketError('closed', 'ECONNREFUSED'), 'refused', 'connection refused by 192.0.2.53:53'],
    [socketError('closed', 'ECONNRESET'), 'refused', 'connection reset by 192.0.2.53:53'],
    [
      socketError('unreachable', 'EHOSTUNREACH'),
      'timeout',
      '192.0.2.53:53 unreachable (EHOSTUNREACH)',
    ],
    [
      socketError('local', 'ENETUNREACH'),
      'local',
      "cannot query 192.0.2.53:53 (ENETUNREACH on the exporter's host)",
    ],
  ] as const satisfies readonly (readonly [FailureReply, string, string])[]) {
    test(`is "${reason}": ${detail}`, () => {
      const answer = failedAnswer([{ server: FIRST, reply }], 2000);
      assert.deepEqual(answer, { kind: 'failed', reason, detail });
    });
  }

  test('is described once for all servers that fail alike', () => {
    const failures = [FIRST, SECOND].map((server) => ({ server, reply: silent(false) }));
    assert.deepEqual(failedAnswer(failures, 2000), {
      ...{ kind: 'failed', reason: 'timeout' },
      detail: 'no answer from 192.0.2.53:53 and [2001:db8::53]:5353 within 2 s each',
    });
  });
});
