/** What pings: the ledger, the list of destinations and the pinger thread, joined. */

import { DestinationRegistry } from './registry/registry.js';
import { Faults } from './shared/faults.js';
import { createLedger } from './shared/ledger/layout.js';
import { LedgerReader } from './shared/ledger/reader.js';
import type { LogLine, PingReport, VerdictUpdate } from './shared/protocol.js';
import type { DnsSettings } from './shared/resolution.js';
import { StateChangeLog } from './status/state-change-log.js';
import { Supervisor } from './supervisor/supervisor.js';

export interface EngineOptions {
  readonly dns: DnsSettings;
  /** What is in the files that settings name, by their paths. */
  readonly files: () => ReadonlyMap<string, string>;
  readonly log: (line: LogLine) => void;
  /** Told of the pings of destinations that are followed. */
  readonly onPings?: (pings: readonly PingReport[]) => void;
  /** Wall clock, milliseconds. */
  readonly startedAtMs: number;
}

export interface Engine {
  readonly ledger: LedgerReader;
  readonly registry: DestinationRegistry;
  readonly supervisor: Supervisor;
  /** Verdicts that became others. */
  readonly changes: StateChangeLog;
  /** Of the main thread. */
  readonly faults: Faults;
}

/** Nothing runs until its supervisor is started. */
export function createEngine(options: EngineOptions): Engine {
  const buffer = createLedger();
  const faults = new Faults({ now: () => performance.now(), log: options.log });
  const changes = new StateChangeLog(options.startedAtMs, (error) =>
    faults.report('listener of changed verdicts', error),
  );
  const registry: DestinationRegistry = new DestinationRegistry({
    watch: (entries) => supervisor.watch(entries),
    unwatch: (slots) => supervisor.unwatch(slots),
  });
  const supervisor = new Supervisor({
    dns: options.dns,
    files: options.files,
    log: options.log,
    faults,
    onPings: options.onPings ?? (() => {}),
    ledger: buffer,
    watched: () => registry.all(),
    onTargets: (resolved) => registry.setTargets(resolved),
    onServers: (servers) => registry.setServers(servers),
    onPeers: (peers) => registry.setPeers(peers),
    onChanged: (told) => changes.add(told.flatMap((change) => described(registry, change))),
  });
  return { ledger: new LedgerReader(buffer), registry, supervisor, changes, faults };
}

/** A change with what is known of its destination; nothing when that is gone. */
function described(registry: DestinationRegistry, { destination: slot, ...change }: VerdictUpdate) {
  const watched = registry.at(slot);
  if (watched === undefined) return [];
  return [{ ...change, destination: watched.destination, owners: watched.owners }];
}
