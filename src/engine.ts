/** Wires the parts that ping: the ledger, the registry of destinations and the pinger thread. */

import { DestinationRegistry } from './registry/registry.js';
import type { Clock } from './shared/clock.js';
import { debugSettings } from './shared/debug-settings.js';
import type { RegisteredDestination } from './shared/destination.js';
import { Faults } from './shared/faults.js';
import { createLedger } from './shared/ledger/layout.js';
import { LedgerReader } from './shared/ledger/reader.js';
import type {
  LedgerSettings,
  LogLevel,
  LogLine,
  PingReport,
  UdpIoChoice,
  VerdictUpdate,
} from './shared/protocol.js';
import type { DnsSettings } from './shared/resolution.js';
import { StateChangeLog } from './status/state-change-log.js';
import { Supervisor, type SupervisorOptions } from './supervisor/supervisor.js';

export interface EngineOptions extends Pick<SupervisorOptions, 'spawn'> {
  readonly dns: DnsSettings;
  readonly udpIo: UdpIoChoice;
  /** Contents of the files that settings name, by path. */
  readonly files: () => ReadonlyMap<string, string>;
  readonly log: (line: LogLine) => void;
  /** Logs a debug line, whatever the log level. */
  readonly logDebug: (line: LogLine) => void;
  /** The current `log.level` and `log.destination`. */
  readonly logSettings: () => {
    readonly logLevel: LogLevel;
    readonly logDestinations: readonly string[];
  };
  readonly ledgerSettings: () => LedgerSettings;
  /** Receives the pings of destinations whose claim has `isFollowed`. */
  readonly onPings?: (pings: readonly PingReport[]) => void;
  /** Receives the destinations that are no longer monitored. */
  readonly onRemoved?: (removed: readonly RegisteredDestination[]) => void;
  readonly clock: Clock;
}

export interface Engine {
  readonly ledger: LedgerReader;
  readonly registry: DestinationRegistry;
  readonly supervisor: Supervisor;
  readonly changes: StateChangeLog;
  /** Internal errors of the main thread. */
  readonly faults: Faults;
}

/** Creates an engine. Nothing runs before its supervisor is started. */
export function createEngine({ onPings = () => {}, ...options }: EngineOptions): Engine {
  const { log, clock, onRemoved = () => {} } = options;
  const ledger = createLedger();
  const faults = new Faults({ now: () => clock.now(), log });
  const changes = new StateChangeLog(clock.epoch(), (error) =>
    faults.report('listener of state changes', error),
  );
  const registry: DestinationRegistry = new DestinationRegistry({
    monitor: (entries) => supervisor.monitor(entries),
    unmonitor: (removed) => {
      supervisor.unmonitor(removed.map(({ slot }) => slot));
      onRemoved(removed);
    },
  });
  const supervisor = new Supervisor({
    ...{ ...options, ledger, faults, onPings },
    debug: () => {
      const { logLevel, logDestinations } = options.logSettings();
      return debugSettings(logLevel, logDestinations);
    },
    destinations: () => registry.all(),
    onTargets: (resolved) => registry.setTargets(resolved),
    onServers: (servers) => registry.setServers(servers),
    onPeers: (peers) => registry.setPeers(peers),
    onChanged: (updates) => changes.add(updates.flatMap((update) => stateChange(registry, update))),
  });
  return { ledger: new LedgerReader(ledger), registry, supervisor, changes, faults };
}

/** Adds the destination to an update; empty when it has been removed. */
function stateChange(
  registry: DestinationRegistry,
  { destination: slot, ...update }: VerdictUpdate,
) {
  const registered = registry.at(slot);
  if (registered === undefined) return [];
  return [{ ...update, destination: registered.destination, owners: registered.owners }];
}
