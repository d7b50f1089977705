/** A probe that times out reports what it was waiting for. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pinger } from '../../../src/pinger/pinger.js';
import type { Flow, FlowListener, Transport } from '../../../src/pinger/transport/transport.js';
import { Files } from '../../../src/shared/file-contents.js';
import { createLedger } from '../../../src/shared/ledger/layout.js';
import { LedgerWriter } from '../../../src/shared/ledger/writer.js';
import type { ProbeReport } from '../../../src/shared/probe-report.js';
import { FakeClock } from '../../support/fake-clock.js';
import { noDebug, noFaults } from '../../support/faults.js';
import { settings } from '../../support/settings.js';

/** A connection that is never established. */
const neverReady: Transport = {
  open: (_endpoint: unknown, _user: FlowListener): Flow => ({
    isReliable: true,
    ...{ prepare() {}, send() {}, resend() {}, pingEnded() {}, close() {} },
    explain: (outcome) => outcome,
  }),
  close: () => {},
};

/** The report of a probe of this URI that gets neither an address nor a connection. */
async function probed(uri: string): Promise<ProbeReport | undefined> {
  const clock = new FakeClock();
  let report: ProbeReport | undefined;
  const pinger = new Pinger({
    clock,
    writer: new LedgerWriter(createLedger(), Date.now),
    previousTargets: [],
    resolver: { locate: () => new Promise(() => {}) },
    ttls: { minTtlMs: 5_000, maxTtlMs: 300_000 },
    openTransport: () => neverReady,
    files: new Files(),
    faults: noFaults(),
    debug: noDebug(),
    afterReads: (callback) => callback(),
    post: (message) => {
      if (message.type === 'probed') report = message.results[0]?.report;
    },
  });
  pinger.start();
  const timeoutMs = 2_000;
  pinger.handle({
    ...{ type: 'probe_settings', number: 3, settings: settings({ timeoutMs: 5_000 }) },
  });
  pinger.handle({
    type: 'probe',
    probes: [{ id: 1, uri, settings: 3, timeoutMs, allow: [] }],
  });
  await clock.advanceSettling(timeoutMs);
  pinger.close();
  return report;
}

test('a probe that times out during the DNS lookup fails with the reason resolution', async () => {
  const report = await probed('sip:slow.example');
  assert.equal(report?.reason, 'resolution');
  assert.match(report.detail, /during the DNS lookup of slow\.example$/);
  assert.equal(report.durations.resolve, 2);
});

test('a probe that times out at an address fails with the reason timeout', async () => {
  const report = await probed('sip:192.0.2.1;transport=tcp');
  assert.equal(report?.reason, 'timeout');
  assert.equal(report.durations.resolve, undefined);
});
