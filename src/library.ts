/**
 * The library for Node.js programs that ping SIP destinations, with the functions that Kamailio's
 * `keepalive` module offers to other modules. It has no HTTP server.
 */

import { setImmediate as nextTick } from 'node:timers/promises';
import { type Loaded, load } from './config/load.js';
import { createEngine, type Engine } from './engine.js';
import { ledgerSettings } from './ledger-settings.js';
import type { DestinationConfig, Duration, KeepAliveConfig, PingConfig } from './library-config.js';
import { checking, KeepAliveError, type KeepAliveErrorCode } from './library-error.js';
import {
  type DestinationChange,
  type ListenerFunctions,
  Listeners,
  type PingEnd,
} from './library-listeners.js';
import { type PingResult, pingOnce } from './library-ping.js';
import { type MetricRegistry, registerInto } from './library-registry.js';
import type {
  AddOptions,
  KeepAlive,
  KeepAliveOptions,
  KeepAliveRegister,
  PingSettings,
} from './library-types.js';
import { exposition } from './metrics/exposition.js';
import { TEXT } from './metrics/format.js';
import { NO_EXPORTER_METRICS } from './metrics/renderer.js';
import { RowLabels } from './metrics/row-labels.js';
import { TextRenderer } from './metrics/text-renderer.js';
import { isOwner, OWNER_FORMAT, show } from './platform/values.js';
import { readVersion } from './platform/version.js';
import { watchSettingsFiles } from './settings-files.js';
import { systemClock } from './shared/clock.js';
import type { Destination, RegisteredDestination } from './shared/destination.js';
import type { LogEvent } from './shared/log-events.js';
import type { DownReason, FailureReason, TransportName } from './shared/outcome.js';
import type { LogLine, PingerStart } from './shared/protocol.js';
import type { IsAliveCode, State } from './shared/state.js';
import { UriError } from './shared/uri.js';
import { destinationView } from './status/describe.js';
import { bestOf, find } from './status/find.js';
import type { StatusContext } from './status/freshness.js';
import type { DestinationBrief, DestinationView, TargetView, TlsView } from './status/views.js';
import { spawnPinger } from './supervisor/pinger-thread.js';

export type {
  AddOptions,
  DestinationBrief,
  DestinationChange,
  DestinationConfig,
  DestinationView,
  DownReason,
  Duration,
  FailureReason,
  IsAliveCode,
  KeepAlive,
  KeepAliveConfig,
  KeepAliveErrorCode,
  KeepAliveOptions,
  KeepAliveRegister,
  ListenerFunctions,
  LogEvent,
  LogLine,
  MetricRegistry,
  PingConfig,
  PingEnd,
  PingResult,
  PingSettings,
  State,
  TargetView,
  TlsView,
  TransportName,
};
export { KeepAliveError };

const SOURCE = 'library';
/** Owner of the destinations of `config`. */
const CONFIG_OWNER = 'config';

/**
 * Starts to ping.
 *
 * @throws KeepAliveError ERR_INVALID_ARGUMENT with all problems of `config`, one per line.
 */
export function createKeepAlive(options: KeepAliveOptions = {}): KeepAlive {
  const { config = {} } = options;
  const flags = { given: {}, help: false, version: false, problems: [] };
  const sources = { flags, env: {}, version: readVersion(), content: config };
  return new Library(
    checking(() => load(sources)),
    options,
  );
}

class Library implements KeepAlive {
  readonly register: KeepAliveRegister;
  readonly #loaded: Loaded;
  readonly #listeners: Listeners;
  /** Whether the pings of every destination are reported. */
  readonly #isFollowed: boolean;
  readonly #engine: Engine;
  readonly #status: StatusContext;
  #closed: Promise<void> | undefined;

  constructor(loaded: Loaded, options: KeepAliveOptions) {
    const { log = () => {}, onResponse, worker } = options;
    const { config, files } = loaded;
    this.#loaded = loaded;
    this.#isFollowed = onResponse !== undefined;
    this.#listeners = new Listeners(log, options);
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
      ...(worker === undefined
        ? {}
        : { spawn: (start: PingerStart) => spawnPinger(start, worker) }),
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
      config.destinations.map((destination) => ({
        ...{ owner: CONFIG_OWNER, destination, isFollowed: this.#isFollowed },
      })),
    );
  }

  add(uri: string, options: AddOptions): boolean {
    // Programs without type checks may omit the options.
    const { owner, pingInterval, onStateChange, onResponse, ...rest } = options ?? {};
    this.#assertOpen();
    if (!isOwner(owner)) {
      const message = `owner: expected ${OWNER_FORMAT}, got ${show(owner)}`;
      throw new KeepAliveError('ERR_INVALID_ARGUMENT', message);
    }
    const destination = this.#read({ uri, ping_interval: pingInterval, ...rest });
    const { name } = destination;
    const claim = { owner, destination, isFollowed: this.#isFollowed || onResponse !== undefined };
    const { registry } = this.#engine;
    const acceptance = registry.wouldAccept(claim);
    if (acceptance.kind === 'refused') {
      throw new KeepAliveError('ERR_NAME_IN_USE', `${name}: ${acceptance.reason}`);
    }
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
    if (this.#closed !== undefined) return -1;
    const views = findAny(this.#status, destination).map((one) =>
      destinationView(this.#status, one),
    );
    return bestOf(views)?.code ?? -1;
  }

  list(): readonly DestinationView[] {
    return this.#engine.registry.all().map((one) => destinationView(this.#status, one));
  }

  async ping(uri: string, settings: PingSettings = {}): Promise<PingResult> {
    const { signal = new AbortController().signal, ...rest } = settings;
    this.#assertOpen();
    return pingOnce(this.#engine.supervisor, this.#read({ uri, ...rest }), signal);
  }

  registerMetrics(registry: MetricRegistry): Promise<void> {
    return registerInto(registry, () => this.register.metrics());
  }

  close(): Promise<void> {
    this.#loaded.files.close();
    this.#closed ??= this.#engine.supervisor.stop();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) {
      throw new KeepAliveError('ERR_CLOSED', 'KeepAlive is already closed');
    }
  }

  /** @throws KeepAliveError with all problems of the destination. */
  #read(given: Readonly<Record<string, unknown>>): Destination {
    const entry = Object.entries(given).filter(([, value]) => value !== undefined);
    return checking(() => this.#loaded.config.readEntry(Object.fromEntries(entry)));
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
  // Programs without type checks may pass anything.
  if (typeof nameOrUri !== 'string') return [];
  try {
    return find(status, nameOrUri);
  } catch (error) {
    if (error instanceof UriError) return [];
    throw error;
  }
}
