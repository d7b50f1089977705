/**
 * Loaded before the exporter, in both of its threads (`node --import`). Throws at the seam that a file
 * names, and nowhere else. In the pinger thread it throws only in work for the destination `victim`;
 * seams of the main thread belong to no destination.
 */

import { readFileSync } from 'node:fs';
import { ServerResponse } from 'node:http';
import { isMainThread } from 'node:worker_threads';
import { FileSd } from '../../src/discovery/file-sd.js';
import { DnsResolver } from '../../src/pinger/dns/resolver.js';
import { MonitoredDestinations } from '../../src/pinger/monitor/destinations.js';
import { Outbox } from '../../src/pinger/monitor/outbox.js';
import { VerdictTracker } from '../../src/pinger/monitor/verdicts.js';
import { Probe } from '../../src/pinger/probe/probe.js';
import { Transaction } from '../../src/pinger/sip/transaction.js';
import { Target } from '../../src/pinger/targets/target.js';
import { TargetGuard } from '../../src/pinger/targets/target-guard.js';
import { Targets } from '../../src/pinger/targets/targets.js';
import { RateLimit } from '../../src/pinger/transport/rate-limit.js';
import { UdpTransport } from '../../src/pinger/transport/udp.js';
import { Journal } from '../../src/platform/journal.js';
import { DestinationRegistry } from '../../src/registry/registry.js';
import { LedgerWriter } from '../../src/shared/ledger/writer.js';
import { Webhooks } from '../../src/webhooks/webhooks.js';

/** Environment variable with the path of the file that names the seam. */
export const CHAOS_FILE = 'SIP_KEEPALIVE_TEST_CHAOS';
export const VICTIM = 'victim';

const file = process.env[CHAOS_FILE] ?? '';

function throwAt(seam: string): void {
  if (readFileSync(file, 'utf8') !== seam) return;
  const error = new TypeError(`chaos at ${seam}`);
  // The stack begins at the caller.
  Error.captureStackTrace(error, throwAt);
  throw error;
}

type Method = (...args: never[]) => unknown;

/** Calls `before` before each call of a method. */
function patch<T extends object>(prototype: T, name: keyof T, before: (...args: never[]) => void) {
  const original = prototype[name] as Method;
  const patched = function (this: T, ...args: never[]) {
    before(...args);
    return original.apply(this, args);
  };
  Object.defineProperty(prototype, name, { value: patched, writable: true, configurable: true });
}

/** Indexes of the ledger's rows. */
const victimTargets = new Set<number>();
const victimDestinations = new Set<number>();
let target: number | undefined;

function inPingerThread(): void {
  const isVictim = () => target !== undefined && victimTargets.has(target);
  patch(
    MonitoredDestinations.prototype,
    'add',
    (slot: { index: number }, { name }: { name: string }) => {
      if (name === VICTIM) victimDestinations.add(slot.index);
    },
  );
  patch(Targets.prototype, 'add', ({ slot }: Target, name: string) => {
    if (name.startsWith(VICTIM)) victimTargets.add(slot.index);
  });
  const run = TargetGuard.prototype.run;
  TargetGuard.prototype.run = function (stepping, place, step) {
    const before = target;
    target = stepping.slot.index;
    run.call(this, stepping, place, step);
    target = before;
  };
  const open = UdpTransport.prototype.open;
  UdpTransport.prototype.open = function (endpoint, user, isForOnce) {
    const flow = open.call(this, endpoint, user, isForOnce);
    for (const name of ['prepare', 'send'] as const) {
      const original = flow[name].bind(flow) as Method;
      const patched = (...args: never[]) => {
        if (isVictim()) throwAt(`flow ${name}`);
        return original(...args);
      };
      Object.defineProperty(flow, name, { value: patched });
    }
    return flow;
  };
  patch(RateLimit.prototype, 'admit', () => throwAt('connection'));
  patch(Target.prototype, 'receive', () => {
    if (isVictim()) throwAt('receive');
  });
  patch(Transaction.prototype, 'start', () => {
    if (isVictim()) throwAt('transaction');
  });
  patch(VerdictTracker.prototype, 'ended', (monitored: { destination: { name: string } }) => {
    if (monitored.destination.name === VICTIM) throwAt('verdict');
  });
  patch(LedgerWriter.prototype, 'recordPing', ({ index }: { index: number }) => {
    if (victimTargets.has(index)) throwAt('ledger');
  });
  patch(Outbox.prototype, 'ping', ({ destination }: { destination: { index: number } }) => {
    if (victimDestinations.has(destination.index)) throwAt('outbox');
  });
  patch(Outbox.prototype, 'changed', ({ destination }: { destination: { index: number } }) => {
    if (victimDestinations.has(destination.index)) throwAt('outbox');
  });
  patch(DnsResolver.prototype, 'locate', ({ uri }: { uri: { host: string } }) => {
    if (uri.host.startsWith(VICTIM)) throwAt('resolver');
  });
  patch(Probe.prototype, 'run', () => throwAt('probe'));
  // Errors that no step contains.
  const heartbeat = setInterval(() => throwAt('pinger timer'), 100);
  heartbeat.unref();
  setInterval(() => {
    try {
      throwAt('pinger promise');
    } catch (error) {
      void Promise.reject(error);
    }
  }, 100).unref();
}

function inMainThread(): void {
  patch(DestinationRegistry.prototype, 'set', () => throwAt('reload'));
  patch(FileSd.prototype, 'read', () => throwAt('source'));
  patch(Webhooks.prototype, 'notify', () => throwAt('webhook'));
  patch(Journal.prototype, 'append', () => throwAt('journal'));
  patch(ServerResponse.prototype, 'setHeader', (name: string) => {
    if (name === 'Content-Security-Policy') throwAt('page');
  });
  const { write } = ServerResponse.prototype;
  ServerResponse.prototype.write = function (...args: never[]) {
    if (this.getHeader('Content-Type') === 'text/event-stream') throwAt('SSE');
    return Reflect.apply(write, this, args);
  };
  setInterval(() => throwAt('main timer'), 100).unref();
  setInterval(() => {
    try {
      throwAt('main promise');
    } catch (error) {
      void Promise.reject(error);
    }
  }, 100).unref();
}

if (file !== '') {
  if (isMainThread) inMainThread();
  else inPingerThread();
}
