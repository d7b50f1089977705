/** The process: joins the parts, starts and ends them in order, and puts a configuration into effect. */

import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Config, ConfigSources } from './config/config.js';
import { type Loaded, load } from './config/load.js';
import { Reloader } from './config/reloader.js';
import { showConfig, showModule } from './config/show.js';
import { Discovery } from './discovery/discovery.js';
import { Reconciler } from './discovery/reconciler.js';
import { createEngine, type Engine } from './engine.js';
import { type AppOptions, createApp } from './http/app.js';
import { basicAuth } from './http/guards/basic-auth.js';
import { Connections, connectionLimit } from './http/server/connections.js';
import { lastGood } from './http/server/last-good.js';
import { type HttpServer, listen } from './http/server/server.js';
import type { WebConfigFile } from './http/server/web-config.js';
import type { ExporterFacts } from './metrics/exporter-families.js';
import { exporterMetrics } from './metrics/exporter-metrics.js';
import { openFileLimit } from './platform/open-files.js';
import { watchFile } from './platform/watch-file.js';
import { RuntimeDestinations } from './registry/runtime-destinations.js';
import { systemClock } from './shared/clock.js';
import { CAN_SET_DSCP } from './shared/dscp.js';
import type { Faults } from './shared/faults.js';
import { reasonText } from './shared/outcome.js';
import type { LogLine } from './shared/protocol.js';
import { parseUri, transportOf } from './shared/uri.js';
import { changeJson } from './status/describe-change.js';
import { Histories } from './status/history.js';
import { eventOf, type StateChange } from './status/state-change.js';
import { requester } from './webhooks/http-client.js';
import { Webhooks } from './webhooks/webhooks.js';

export interface DaemonOptions {
  readonly version: string;
  /** Read again at each reload. */
  readonly sources: ConfigSources;
  readonly loaded: Loaded;
  readonly webConfig: WebConfigFile | undefined;
  readonly log: Logger;
  /** Where the log is written to. */
  readonly logOutput: { readonly dropped: number };
}

export class Daemon {
  readonly #options: DaemonOptions;
  readonly #log: Logger;
  readonly #engine: Engine;
  readonly #reconciler: Reconciler;
  readonly #discovery: Discovery;
  readonly #runtimeDestinations: RuntimeDestinations;
  readonly #webhooks: Webhooks;
  readonly #histories: Histories;
  readonly #connections = new Connections(connectionLimit(openFileLimit()), () =>
    performance.now(),
  );
  readonly #reloader: Reloader<Loaded>;
  #loaded: Loaded;
  #loadedAtMs = Date.now();
  #isConfigRight = true;
  #stopAutoReload = () => {};
  #isStopping = false;
  #server: HttpServer | undefined;

  constructor(options: DaemonOptions) {
    const { version, loaded, log } = options;
    const { config } = loaded;
    this.#options = options;
    this.#log = log;
    this.#loaded = loaded;
    const contents = () => this.#loaded.files.contents();
    const write = ({ level, event, message, fields }: LogLine) =>
      log[level]({ event, ...fields }, message);
    const now = () => Date.now();
    const userAgent = `sip-keepalive-exporter/${version}`;
    const request = requester({ userAgent, files: contents, clock: systemClock });
    this.#engine = createEngine({
      dns: config.dns,
      files: contents,
      log: write,
      startedAtMs: now(),
    });
    const { registry, changes } = this.#engine;
    this.#reconciler = new Reconciler(registry, config, (...reconciled) =>
      this.#discovery.report(...reconciled),
    );
    this.#discovery = new Discovery({
      request,
      onFindings: (settings, findings) => this.#reconciler.apply(settings, findings),
      log: write,
      clock: systemClock,
    });
    this.#runtimeDestinations = new RuntimeDestinations({
      registry,
      folder: config.stateDir,
      readEntry: config.readEntry,
      log: write,
      clock: systemClock,
    });
    const file = (path: string) => contents().get(path) ?? '';
    this.#webhooks = new Webhooks({ request, file, log: write, clock: systemClock });
    this.#histories = new Histories({
      ...{ ledger: this.#engine.ledger, registry, clock: systemClock },
      onError: (error) => this.faults.report('sampling of the last hour', error),
    });
    this.#reloader = new Reloader({
      clock: systemClock,
      load: () => this.#load(),
      apply: (next) => this.#use(next),
      onFault: (error, during) => {
        this.#isConfigRight = false;
        const isWrong = during === 'load';
        const message = isWrong
          ? 'the configuration is wrong; nothing has changed'
          : 'internal error: the configuration is not in effect as a whole';
        log.error({ error }, message);
      },
    });
    changes.subscribe((change) => this.#tell(change));
  }

  /** Where what was thrown on the main thread is counted and logged. */
  get faults(): Faults {
    return this.#engine.faults;
  }

  /** Serves and pings. @throws Error when it cannot listen, or not use its folder. */
  async start(): Promise<void> {
    const { version, webConfig } = this.#options;
    const { config } = this.#loaded;
    await this.#runtimeDestinations.start();
    const onError = (error: unknown) =>
      this.#log.error({ event: 'http_server_error', error: String(error) }, 'HTTP server error');
    const webConfigInForce =
      webConfig === undefined ? undefined : lastGood(() => webConfig.current(), onError);
    const app = createApp({
      ...this.#appOptions(),
      ...(webConfigInForce === undefined
        ? {}
        : { guard: basicAuth({ config: webConfigInForce, onError }) }),
      onError: (error, path) => this.#log.error({ path, error: String(error) }, 'a request failed'),
    });
    const { host, port } = config.webListenAddress;
    this.#server = await listen({
      ...{ handler: app, host, port, webConfig: webConfigInForce, onError },
      ...{ connections: this.#connections, clock: systemClock },
    });
    this.#log.info({ version, url: this.#server.url }, 'listening');
    this.#engine.supervisor.start();
    if (config.isAdminEnabled && !this.#runtimeDestinations.arePersistent) {
      this.#log.warn('what is added at run time is lost on restart; set state_dir');
    }
    void this.#reloader.start(this.#loaded).then(() => {
      const { size } = this.#engine.registry;
      if (size === 0) this.#log.warn('no destinations are configured; see --help');
      else this.#log.info({ destinations: size }, 'watching');
    });
    this.#histories.start();
  }

  /**
   * Reloads the configuration; shared by all who ask meanwhile. Resolves once it is in effect, or
   * with what is wrong with it, and then nothing has changed.
   */
  reload(): Promise<string | undefined> {
    return this.#reloader.reload();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#log.info('stopping');
    this.#reloader.close();
    this.#stopAutoReload();
    this.#loaded.files.close();
    this.#discovery.close();
    this.#webhooks.close();
    this.#histories.close();
    await Promise.all([this.#server?.close(), this.#engine.supervisor.stop()]);
    await this.#runtimeDestinations.close();
  }

  /** @throws Error when the configuration is wrong. */
  #load(): Loaded {
    const next = load(this.#options.sources, this.#loaded.config.dns);
    return { ...next, config: this.#withFixed(next.config) };
  }

  /** Puts it into effect. Resolves once every source in use has been looked at. */
  async #use(next: Loaded): Promise<void> {
    const isReload = next !== this.#loaded;
    if (isReload) {
      this.#loaded.files.close();
      this.#loaded = next;
      this.#loadedAtMs = Date.now();
      this.#isConfigRight = true;
      this.#engine.supervisor.tellFiles();
    }
    const { config } = next;
    this.#log.level = config.logLevel;
    this.#watchFiles();
    this.#stopAutoReload();
    this.#stopAutoReload =
      config.autoReloadMs === undefined || config.file === ''
        ? () => {}
        : watchFile(config.file, config.autoReloadMs, () => void this.reload());
    this.#warnOfDscp(config);
    this.#webhooks.configure(config.webhooks);
    await this.#reconciler.use(config);
    if (isReload) this.#runtimeDestinations.use(config.readEntry);
    await this.#discovery.set(config.sources);
    // A later reload, which waited too long for a source of this one, drops what is stale itself.
    if (this.#isStopping || next !== this.#loaded) return;
    await this.#reconciler.dropStaleSources();
    if (!isReload) return;
    this.#log.info(
      { destinations: this.#engine.registry.size },
      'the configuration was loaded anew',
    );
  }

  #watchFiles(): void {
    this.#loaded.files.watch(
      () => {
        this.#log.info('a file that the settings name has changed');
        this.#engine.supervisor.tellFiles();
      },
      (error) => {
        const text = error instanceof Error ? error.message : String(error);
        const message = 'a changed file is wrong; what it held before stays in use';
        this.#log.error({ error: text }, message);
      },
    );
  }

  /** What cannot change while the process runs stays as it was. */
  #withFixed(next: Config): Config {
    const { config: before } = this.#loaded;
    const { webListenAddress, webConfigFile, logFormat, stateDir, dns } = before;
    const fixed = { webListenAddress, webConfigFile, logFormat, stateDir, dns };
    for (const [key, value] of Object.entries(fixed)) {
      const wanted = new Map<string, unknown>(Object.entries(next)).get(key);
      if (JSON.stringify(wanted) === JSON.stringify(value)) continue;
      this.#log.warn({ setting: key }, 'a changed setting takes effect with the next start');
    }
    return { ...next, ...fixed };
  }

  #warnOfDscp({ destinations: all }: Config): void {
    const isUnmarked = ({ uri, settings }: Config['destinations'][number]) =>
      settings.dscp !== 0 &&
      (!CAN_SET_DSCP || transportOf(parseUri(uri), settings.transport) === 'udp');
    const destinations = all.filter(isUnmarked).length;
    if (destinations === 0) return;
    this.#log.warn({ destinations }, 'dscp is not set: this Node.js cannot do it there');
  }

  #tell(change: StateChange): void {
    const { destination, from, to, reason, detail } = change;
    const why = reason === undefined ? {} : { reason, why: detail || reasonText(reason) };
    const level = to === 'down' ? 'warn' : 'info';
    this.#log[level]({ destination: destination.name, from, ...why }, `destination is ${to}`);
    const event = eventOf(to);
    if (event === undefined) return;
    const { id, atMs } = change;
    this.#webhooks.notify({
      ...{ id, event, atMs },
      get body() {
        return changeJson(change);
      },
    });
  }

  /** What the routes are given: the configuration in force, which a reload changes. */
  #appOptions(): Omit<AppOptions, 'guard' | 'onError'> {
    const { ledger, registry, supervisor, changes } = this.#engine;
    const config = () => this.#loaded.config;
    return {
      status: { ledger, registry, now: () => systemClock.epoch() },
      ...{ changes, pinger: supervisor, clock: systemClock },
      histories: this.#histories,
      runtimeDestinations: this.#runtimeDestinations,
      exporterMetrics: exporterMetrics(() => this.#facts()),
      settings: () => {
        const { webExternalUrl, isAdminEnabled, isProbeEnabled, probeAllow, modules } = config();
        return {
          names: { externalUrl: webExternalUrl, hostNames: [hostname()] },
          isAdminEnabled,
          probe: { isEnabled: isProbeEnabled, allow: probeAllow, modules },
        };
      },
      reload: () => this.reload(),
      configText: () => showConfig(config()),
      moduleText: (module) => showModule(config(), module),
      maxConnections: this.#connections.limit,
    };
  }

  #facts(): ExporterFacts {
    const { registry, supervisor, faults } = this.#engine;
    const { version, logOutput } = this.#options;
    return {
      version,
      destinations: registry.size,
      pingerRestarts: supervisor.restarts,
      connections: this.#connections,
      shard: this.#loaded.config.shard,
      logLinesDropped: logOutput.dropped,
      faults: faults.count,
      isLastReloadSuccessful: this.#isConfigRight,
      configLoadedAtMs: this.#loadedAtMs,
      sources: this.#discovery.health(),
      webhooks: this.#webhooks.health(),
    };
  }
}
