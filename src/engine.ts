/** What pings: the ledger, the list of destinations and the pinger thread, joined. */

import { Roster } from './registry/registry.js';
import { Faults } from './shared/faults.js';
import { createLedger } from './shared/ledger/layout.js';
import { LedgerReader } from './shared/ledger/reader.js';
import type { Change, LogLine, PingNews } from './shared/protocol.js';
import type { DnsSettings } from './shared/resolution.js';
import { Changes } from './status/state-change-log.js';
import { Supervisor } from './supervisor/supervisor.js';

export interface EngineOptions {
  readonly dns: DnsSettings;
  /** What is in the files that settings name, by their paths. */
  readonly files: () => ReadonlyMap<string, string>;
  readonly log: (line: LogLine) => void;
  /** Told of the pings of destinations that are followed. */
  readonly onPings?: (pings: readonly PingNews[]) => void;
  /** Wall clock, milliseconds. */
  readonly startedAtMs: number;
}

export interface Engine {
  readonly ledger: LedgerReader;
  readonly roster: Roster;
  readonly supervisor: Supervisor;
  /** Verdicts that became others. */
  readonly changes: Changes;
  /** Of the main thread. */
  readonly faults: Faults;
}

/** Nothing runs until its supervisor is started. */
export function createEngine(options: EngineOptions): Engine {
  const buffer = createLedger();
  const faults = new Faults({ now: () => performance.now(), log: options.log });
  const changes = new Changes(options.startedAtMs, (error) =>
    faults.report('listener of changed verdicts', error),
  );
  const roster: Roster = new Roster({
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
    watched: () => roster.all(),
    onTargets: (resolved) => roster.setTargets(resolved),
    onServers: (servers) => roster.setServers(servers),
    onPeers: (peers) => roster.setPeers(peers),
    onChanged: (told) => changes.add(told.flatMap((change) => described(roster, change))),
  });
  return { ledger: new LedgerReader(buffer), roster, supervisor, changes, faults };
}

/** A change with what is known of its destination; nothing when that is gone. */
function described(roster: Roster, { destination: slot, ...change }: Change) {
  const watched = roster.at(slot);
  if (watched === undefined) return [];
  return [{ ...change, destination: watched.destination, owners: watched.owners }];
}
