/** Writes pings into one row as fast as possible, until it has to stop. */

import { workerData } from 'node:worker_threads';
import { LedgerWriter } from '../../../src/shared/ledger/writer.js';

interface Start {
  readonly ledger: SharedArrayBuffer;
  /** One cell: not 0 when it is time to stop. */
  readonly stop: SharedArrayBuffer;
}

const { ledger, stop }: Start = workerData;
const isStopped = new Int32Array(stop);
const writer = new LedgerWriter(ledger, Date.now);
const slot = writer.openTarget(0);
const destination = { index: 0, generation: 1 };
writer.openDestination(destination);

for (let pings = 1; Atomics.load(isStopped, 0) === 0; pings++) {
  const isAlive = pings % 2 === 0;
  const state = isAlive ? 'up' : 'down';
  writer.recordPing(slot, {
    reason: isAlive ? undefined : 'code',
    code: isAlive ? 200 : 503,
    rttMicros: 700,
    retransmissions: 3,
    verdict: { state, run: isAlive ? 1 : -1 },
    endedAtMs: pings,
  });
  writer.recordVerdict(destination, state, isAlive ? undefined : 'code', pings);
  writer.recordLateness(700);
  // Its native buckets go down to the lowest schema.
  writer.recordConnect(slot, 'tls', Math.floor(2 ** ((pings % 320) / 10)));
}
