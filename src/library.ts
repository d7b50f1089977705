/**
 * The library for Node.js programs that ping SIP destinations, with the functions that Kamailio's
 * `keepalive` module offers to other modules. It has no HTTP server.
 */

import { setImmediate as nextTick } from 'node:timers/promises';
import { type Loaded, load } from './config/load.js';
import { createEngine, type Engine } from './engine.js';
import { ledgerSettings } from './ledger-settings.js';
import {
  type DestinationChange,
  type ListenerFunctions,
  Listeners,
  type PingEnd,
} from './library-listeners.js';
import { exposition } from './metrics/exposition.js';
import { TEXT } from './metrics/format.js';
import { NO_EXPORTER_METRICS } from './metrics/renderer.js';
import { RowLabels } from './metrics/row-labels.js';
import { TextRenderer } from './metrics/text-renderer.js';
import { isOwner, OWNER_FORMAT, show } from './platform/values.js';
import { readVersion } from './platform/version.js';
import { watchSettingsFiles } from './settings-files.js';
import { systemClock } from './shared/clock.js';
import type { RegisteredDestination } from './shared/destination.js';
import type { LogEvent } from './shared/log-events.js';
import type { DownReason, FailureReason, TransportName } from './shared/outcome.js';
import type { LogLine } from './shared/protocol.js';
import type { IsAliveCode, State } from './shared/state.js';
import { UriError } from './shared/uri.js';
import { destinationView } from './status/describe.js';
import { bestOf, find } from './status/find.js';
import type { StatusContext } from './status/freshness.js';
import type { DestinationBrief, DestinationView, TargetView, TlsView } from './status/views.js';

export type {
  DestinationBrief,
  DestinationChange,
  DestinationView,
  DownReason,
  FailureReason,
  IsAliveCode,
  ListenerFunctions,
  LogEvent,
  LogLine,
  PingEnd,
  State,
  TargetView,
  TlsView,
  TransportName,
};

export interface KeepAliveOptions {
  /**
   * Keys of the configuration file: ping settings, `modules`, `dns`, `destinations`. File names are
   * relative to the working directory.
   */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Receives log lines. */
  readonly log?: (line: LogLine) => void;
}

export interface AddOptions extends ListenerFunctions {
  /** The owner of the destination. Owners share one series of pings, which ends when the last one removes it. */
  readonly owner: string;
  /** Seconds between two pings; with several owners the shortest interval is used. */
  readonly pingInterval?: number;
  /** Name of a module in `modules`. */
  readonly module?: string;
  /** Unique name of the destination; by default its canonical URI. */
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** The part of a prom-client registry that a scrape uses. */
export interface KeepAliveRegister {
  readonly contentType: string;
  metrics(): Promise<string>;
}

export interface KeepAlive {
  /**
   * Adds a destination for an owner. Returns false when that owner has already added it.
   *
   * @throws Error with all problems of the destination, or when it is closed.
   */
  add(uri: string, options: AddOptions): boolean;
  /** Removes a destination by URI or name. Returns false when this owner has not added it. */
  remove(uri: string, owner: string): boolean;
  /** The state of a destination by URI or name: 1 up, 2 down, -1 unknown (no result yet, or not added). */
  isAlive(destination: string): IsAliveCode;
  /** All destinations, as in `/api/v1/destinations` of the exporter. */
  list(): readonly DestinationView[];
  /** The metrics of the destinations. */
  readonly register: KeepAliveRegister;
  /** Stops the pings. Resolves when their thread has exited. May be called again. */
  close(): Promise<void>;
}

const SOURCE = 'library';
/** Owner of the destinations of `config`. */
const CONFIG_OWNER = 'config';

/**
 * Starts to ping.
 *
 * @throws Error with all problems of `config`, one per line.
 */
export function createKeepAlive({ config = {}, log = () => {} }: KeepAliveOptions = {}): KeepAlive {
  const flags = { given: {}, help: false, version: false };
  return new Library(load({ flags, env: {}, version: readVersion(), content: config }), log);
}

class Library implements KeepAlive {
  readonly register: KeepAliveRegister;
  readonly #loaded: Loaded;
  readonly #listeners: Listeners;
  readonly #engine: Engine;
  readonly #status: StatusContext;
  #closed: Promise<void> | undefined;

  constructor(loaded: Loaded, log: (line: LogLine) => void) {
    const { config, files } = loaded;
    this.#loaded = loaded;
    this.#listeners = new Listeners(log);
    this.#engine = createEngine({
      ...{
        dns: config.dns,
        udpIo: config.udpIo,
        log,
        logDebug: log,
        logSettings: () => config,
        ledgerSettings: () => ({ ...ledgerSettings(config.metrics), hasExemplars: false }),
        clock: systemClock,
      },
      files: () => files.contents(),
      onPings: (pings) => {
        for (const ping of pings) {
          const destination = registry.at(ping.destination)?.destination;
          if (destination !== undefined) this.#listeners.reportPing(destination, ping);
        }
      },
    });
    const { registry, supervisor, changes, ledger } = this.#engine;
    changes.subscribe((change) => this.#listeners.reportChange(change));
    this.#status = { ledger, registry, now: () => systemClock.epoch() };
    const rowLabels = new RowLabels();
    this.register = {
      contentType: TEXT.contentType,
      metrics: () => metricsText(this.#status, rowLabels),
    };
    watchSettingsFiles(files, { clock: systemClock, log, supervisor });
    supervisor.start();
    registry.set(
      CONFIG_OWNER,
      config.destinations.map((destination) => ({ owner: CONFIG_OWNER, destination })),
    );
  }

  add(uri: string, options: AddOptions): boolean {
    const { owner, pingInterval, onStateChange, onResponse, ...rest } = options;
    if (this.#closed !== undefined) throw new Error('KeepAlive is already closed');
    if (!isOwner(owner)) throw new Error(`owner: expected ${OWNER_FORMAT}, got ${show(owner)}`);
    const given = { uri, ping_interval: pingInterval, ...rest };
    const entry = Object.entries(given).filter(([, value]) => value !== undefined);
    const destination = this.#loaded.config.readEntry(Object.fromEntries(entry));
    const { name } = destination;
    const claim = { owner, destination, isFollowed: onResponse !== undefined };
    const { registry } = this.#engine;
    const acceptance = registry.wouldAccept(claim);
    if (acceptance.kind === 'refused') throw new Error(`${name}: ${acceptance.reason}`);
    if (acceptance.kind === 'held') return false;
    registry.add(SOURCE, claim);
    this.#listeners.set(name, owner, options);
    return true;
  }

  remove(uri: string, owner: string): boolean {
    const removed = findAny(this.#status, uri).filter(({ destination: { name } }) => {
      const isRemoved = this.#engine.registry.remove(SOURCE, owner, name);
      if (isRemoved) this.#listeners.delete(name, owner);
      return isRemoved;
    });
    return removed.length > 0;
  }

  isAlive(destination: string): IsAliveCode {
    const views = findAny(this.#status, destination).map((one) =>
      destinationView(this.#status, one),
    );
    return bestOf(views)?.code ?? -1;
  }

  list(): readonly DestinationView[] {
    return this.#engine.registry.all().map((one) => destinationView(this.#status, one));
  }

  close(): Promise<void> {
    this.#loaded.files.close();
    this.#closed ??= this.#engine.supervisor.stop();
    return this.#closed;
  }
}

async function metricsText(status: StatusContext, rowLabels: RowLabels): Promise<string> {
  let text = '';
  const settings = { histograms: 'classic', isCreatedShown: false, hasExemplars: false } as const;
  const renderer = new TextRenderer('text', NO_EXPORTER_METRICS, settings);
  const options = { status, format: TEXT, rowLabels, hasExemplars: false };
  for await (const piece of exposition(options, renderer)) {
    text += piece;
    // Lets the program run, because the text of ten thousand destinations is long.
    await nextTick();
  }
  return text.trimStart();
}

/** Finds destinations; none for a text that is neither a name nor a URI. */
function findAny(status: StatusContext, nameOrUri: string): readonly RegisteredDestination[] {
  try {
    return find(status, nameOrUri);
  } catch (error) {
    if (error instanceof UriError) return [];
    throw error;
  }
}
