/** The current configuration: applies it, watches its files and reloads it. */

import type { Config, ConfigSources } from './config/config.js';
import { keepFixed } from './config/fixed-settings.js';
import { type Loaded, load } from './config/load.js';
import { type ReloadError, Reloader } from './config/reloader.js';
import type { Discovery } from './discovery/discovery.js';
import type { Reconciler } from './discovery/reconciler.js';
import type { Kamailios } from './kamailio/kamailios.js';
import { restartedHistograms } from './ledger-settings.js';
import type { Log } from './platform/log.js';
import { watchFile } from './platform/watch-file.js';
import type { RuntimeDestinations } from './registry/runtime-destinations.js';
import { watchSettingsFiles } from './settings-files.js';
import type { Clock } from './shared/clock.js';
import { CAN_SET_DSCP } from './shared/dscp.js';
import type { Faults } from './shared/faults.js';
import { parseUri, transportOf } from './shared/uri.js';
import type { Supervisor } from './supervisor/supervisor.js';
import type { Webhooks } from './webhooks/webhooks.js';

export interface ActiveConfigOptions {
  /** Read again at each reload. */
  readonly sources: ConfigSources;
  /** The first configuration, which `start` applies. */
  readonly loaded: Loaded;
  readonly clock: Clock;
  readonly log: Log;
  /** Contains errors of reloads that no caller waits for. */
  readonly faults: Pick<Faults, 'containAsync'>;
  /** The parts that a configuration is applied to. */
  readonly parts: () => ConfiguredParts;
}

export interface ConfiguredParts {
  readonly supervisor: Pick<Supervisor, 'sendFiles' | 'sendSettings'>;
  readonly registry: { readonly size: number };
  readonly reconciler: Pick<Reconciler, 'use' | 'dropStaleSources'>;
  readonly discovery: Pick<Discovery, 'set'>;
  readonly kamailios: Pick<Kamailios, 'use'>;
  readonly runtimeDestinations: Pick<RuntimeDestinations, 'use'>;
  readonly webhooks: Pick<Webhooks, 'configure'>;
}

export class ActiveConfig {
  readonly #options: ActiveConfigOptions;
  readonly #reloader: Reloader<Loaded>;
  #loaded: Loaded;
  #loadedAtMs: number;
  #isLastReloadSuccessful = true;
  #stopAutoReload = () => {};
  #isClosed = false;

  constructor(options: ActiveConfigOptions) {
    const { clock, loaded } = options;
    this.#options = options;
    this.#loaded = loaded;
    this.#loadedAtMs = clock.epoch();
    this.#reloader = new Reloader({
      clock,
      load: () => this.#load(),
      apply: (next) => this.#apply(next),
      onError: (error) => this.#onError(error),
    });
  }

  get config(): Config {
    return this.#loaded.config;
  }

  /** Contents of the files that settings name, by path. */
  get files(): ReadonlyMap<string, string> {
    return this.#loaded.files.contents();
  }

  /** Time at which the current configuration was loaded: wall clock, milliseconds. */
  get loadedAtMs(): number {
    return this.#loadedAtMs;
  }

  get isLastReloadSuccessful(): boolean {
    return this.#isLastReloadSuccessful;
  }

  /** Applies the first configuration. Resolves when every source has been read. Never rejects. */
  async start(): Promise<void> {
    await this.#reloader.start(this.#loaded);
    if (this.#isClosed) return;
    const destinations = this.#options.parts().registry.size;
    const { write } = this.#options.log;
    if (destinations === 0) {
      const message = 'no destinations are configured; see --help';
      write({ level: 'warn', event: 'destinations_missing', message, fields: {} });
    } else {
      const message = 'configuration applied';
      write({ level: 'info', event: 'config_applied', message, fields: { destinations } });
    }
  }

  /**
   * Reloads the configuration; calls that wait at the same time share one reload. Resolves when it is
   * applied, or with its errors if nothing has changed. Never rejects.
   */
  reload(): Promise<string | undefined> {
    return this.#reloader.reload();
  }

  /** Requests a reload without waiting for it. */
  requestReload(): void {
    void this.#options.faults.containAsync('reload', async () => {
      await this.reload();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#reloader.close();
    this.#stopAutoReload();
    this.#loaded.files.close();
  }

  /** @throws ConfigError or FilesError when the configuration is invalid. */
  #load(): Loaded {
    const current = this.#loaded.config;
    const next = load(this.#options.sources, current.dns);
    const { config, ignored } = keepFixed(current, next.config);
    for (const setting of ignored) {
      this.#options.log.write({
        level: 'warn',
        event: 'setting_needs_restart',
        message: 'changed setting ignored; restart the exporter to apply it',
        fields: { setting },
      });
    }
    return { ...next, config };
  }

  /** Resolves when every source in use has been read. */
  async #apply(next: Loaded): Promise<void> {
    const { supervisor, reconciler, discovery, kamailios } = this.#options.parts();
    const { runtimeDestinations, webhooks, registry } = this.#options.parts();
    const isReload = next !== this.#loaded;
    if (isReload) this.#replace(next, supervisor);
    const { config } = next;
    const { clock, log } = this.#options;
    log.setLevel(config.logLevel);
    watchSettingsFiles(next.files, { clock, log: log.write, supervisor });
    this.#watchConfigFile();
    this.#warnOfDscp();
    webhooks.configure(config.webhooks);
    kamailios.use(config.sources);
    await reconciler.use(config);
    if (isReload) runtimeDestinations.use(config.readEntry);
    await discovery.set(config.sources);
    // A later reload, which does not wait for the sources of this one, drops stale sources itself.
    if (this.#isClosed || next !== this.#loaded) return;
    await reconciler.dropStaleSources();
    if (!isReload) return;
    const fields = { destinations: registry.size };
    log.write({
      level: 'info',
      event: 'config_reloaded',
      message: 'configuration reloaded',
      fields,
    });
  }

  #replace(next: Loaded, supervisor: ConfiguredParts['supervisor']): void {
    const restarted = restartedHistograms(this.config.metrics, next.config.metrics);
    this.#loaded.files.close();
    this.#loaded = next;
    this.#loadedAtMs = this.#options.clock.epoch();
    this.#isLastReloadSuccessful = true;
    supervisor.sendFiles();
    supervisor.sendSettings();
    if (restarted.length === 0) return;
    this.#options.log.write({
      level: 'info',
      event: 'histograms_restarted',
      message: 'classic buckets have changed; these histograms start again from 0',
      fields: { metrics: restarted.join(' ') },
    });
  }

  #watchConfigFile(): void {
    this.#stopAutoReload();
    const { file: path, autoReloadMs: intervalMs } = this.config;
    if (intervalMs === undefined || path === '') return;
    const { clock } = this.#options;
    const onChange = () => this.requestReload();
    this.#stopAutoReload = watchFile({ path, intervalMs, clock, onChange });
  }

  #warnOfDscp(): void {
    const isUnmarked = ({ uri, settings }: Config['destinations'][number]) =>
      settings.dscp !== 0 && transportOf(parseUri(uri), settings.transport) !== 'udp';
    const destinations = this.config.destinations.filter(isUnmarked).length;
    if (CAN_SET_DSCP || destinations === 0) return;
    this.#options.log.write({
      level: 'warn',
      event: 'dscp_unsupported',
      message: 'dscp is not set: this version of Node.js cannot set it on TCP sockets',
      fields: { destinations },
    });
  }

  #onError({ message: error, during, isOutdated }: ReloadError): void {
    if (!isOutdated) this.#isLastReloadSuccessful = false;
    const isInvalid = during === 'load';
    this.#options.log.write({
      level: 'error',
      event: isInvalid ? 'config_invalid' : 'config_apply_failed',
      message: isInvalid
        ? 'configuration is invalid; keeping the current one'
        : 'internal error (a bug; please report it): the configuration is only partly applied',
      fields: { error },
    });
  }
}
