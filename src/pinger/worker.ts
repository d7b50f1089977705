/** The entry file of the pinger thread. */

import { parentPort, workerData } from 'node:worker_threads';
import { Faults } from '../shared/faults.js';
import { Files } from '../shared/file-contents.js';
import { freeGarbage } from '../shared/garbage.js';
import { LedgerWriter } from '../shared/ledger/writer.js';
import { logOnce } from '../shared/log-once.js';
import type { FromPinger, LogLine, PingerStart, ToPinger } from '../shared/protocol.js';
import { DebugLog } from './debug/debug-log.js';
import { DnsResolver } from './dns/resolver.js';
import { Inbox } from './inbox.js';
import { loadLibc } from './net/libc.js';
import { Pinger } from './pinger.js';
import { systemClock } from './time/clock.js';
import { Pacer } from './time/pacer.js';
import { CarriersByPeer } from './transport/kernel-medium.js';
import { openTransport } from './transport/open-transport.js';
import { TlsContexts } from './transport/tls-context.js';
import { openKernelUdp } from './udp-io.js';

const port = parentPort;
if (port === null) throw new Error('the pinger must run in a worker thread');

/** A TLS handshake takes nearly 2 ms of this thread; handshakes get at most half of its time. */
const HANDSHAKE_GAP_MS = 4;

const start: PingerStart = workerData;
const post = (message: FromPinger) => port.postMessage(message);
const log = (line: LogLine) => post({ type: 'log', ...line });
const writer = new LedgerWriter(start.ledger, systemClock.epoch);
const faults = new Faults({ now: systemClock.now, onFault: () => writer.recordFault(), log });
// Errors that no caller contains: the work is lost, but the thread continues.
process.on('uncaughtException', (error) => faults.report('thread', error));
process.on('unhandledRejection', (error) => faults.report('promise', error));
const debug = new DebugLog({
  now: systemClock.now,
  afterReads: setImmediate,
  post: (lines) => post({ type: 'debug_lines', lines }),
});
const files = new Files();
const contexts = new TlsContexts(files, log);
const handshakes = new Pacer(systemClock, HANDSHAKE_GAP_MS);

let flushSoon = () => {};
const kernel = openKernelUdp({
  ...{ choice: start.udpIo, ledger: start.ledger, writer, now: systemClock.now, log },
  logOnce: logOnce(log),
  onQueued: () => flushSoon(),
});
const carriers = new CarriersByPeer();

const pinger = new Pinger({
  clock: systemClock,
  writer,
  previousTargets: start.previousTargets,
  resolver: new DnsResolver(systemClock, files, start.dns, writer, debug),
  ttls: start.dns,
  files,
  faults,
  debug,
  openTransport: (name, settings, onMessage) =>
    openTransport({
      ...{
        name,
        settings,
        contexts,
        handshakes,
        clock: systemClock,
        onMessage,
        log,
        faults,
        debug,
      },
      onUdpRebind: () => writer.recordUdpRebind(),
      kernelUdp: kernel && {
        udp: kernel,
        carriers,
        onUnstamped: () => writer.recordUdpUnstamped(),
      },
      libc: kernel && loadLibc(),
    }),
  afterReads: setImmediate,
  sockets: kernel,
  post,
});

flushSoon = () => pinger.flushSoon();
const inbox = new Inbox((message) => pinger.handle(message), setImmediate);
port.on('message', (message: ToPinger) => {
  if (message.type !== 'stop') return inbox.take(message);
  pinger.close();
  kernel?.closeAll();
  port.close();
});

// Before anything is pinged, so that no ping waits for it.
freeGarbage();
pinger.start();
