/** The process: starts and stops its parts in order and serves HTTP. */

import { createApp } from './http/app.js';
import { basicAuth } from './http/guards/basic-auth.js';
import { configuredHeaders } from './http/guards/headers.js';
import { rateLimit } from './http/guards/rate-limit.js';
import { lastGood } from './http/server/last-good.js';
import { type HttpServer, listenOnAll } from './http/server/server.js';
import type { WebConfig, WebConfigFile } from './http/server/web-config.js';
import { httpServices } from './http-services.js';
import { joinParts, type Parts, type PartsOptions } from './parts.js';
import { reportChange } from './report-change.js';
import { systemClock } from './shared/clock.js';
import type { Faults } from './shared/faults.js';
import { freeGarbage } from './shared/garbage.js';
import type { ListenAddress, OpenSocket } from './shared/listen-address.js';

/** By then the start is over, and the first scrapes too. */
const STARTED_MS = 20_000;

export interface DaemonOptions extends PartsOptions {
  readonly listeners: readonly (ListenAddress | OpenSocket)[];
  readonly webConfig: WebConfigFile | undefined;
  /** The output of the log. */
  readonly logOutput: { readonly dropped: number };
}

export class Daemon {
  readonly #options: DaemonOptions;
  readonly #parts: Parts;
  #servers: readonly HttpServer[] = [];
  #stopFreeing = () => {};

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#parts = joinParts(options, systemClock);
    const { changes, webhooks, kamailios, incidents } = this.#parts;
    changes.subscribe((change) => reportChange(change, options.log.write, webhooks));
    changes.subscribe((change) => incidents.changed(change));
    changes.subscribe(({ destination }) => kamailios.changed(destination.name));
  }

  /** Internal errors of the main thread. */
  get faults(): Faults {
    return this.#parts.faults;
  }

  /** Starts to serve HTTP and to ping. @throws Error when it cannot listen or cannot use its state directory. */
  async start(): Promise<void> {
    const { runtimeDestinations, incidents, supervisor, activeConfig, histories } = this.#parts;
    const { faults, startup } = this.#parts;
    const { write } = this.#options.log;
    await runtimeDestinations.start();
    incidents.start();
    this.#servers = await this.#listen();
    for (const { url } of this.#servers) {
      const fields = { version: this.#options.version, url };
      write({ level: 'info', event: 'server_listening', message: 'listening', fields });
    }
    for (const warning of this.#options.webConfig?.current().warnings ?? []) {
      write({ level: 'warn', event: 'web_config_ignored', message: warning, fields: {} });
    }
    supervisor.start();
    if (activeConfig.config.web.isAdminEnabled && !runtimeDestinations.arePersistent) {
      const message = 'destinations added at run time are lost on restart; set state_dir';
      write({ level: 'warn', event: 'state_dir_missing', message, fields: {} });
    }
    void faults.containAsync('start of the configuration', async () => {
      await activeConfig.start();
      startup.read();
    });
    histories.start();
    this.#stopFreeing = systemClock.after(STARTED_MS, freeGarbage);
  }

  /** Reloads the configuration in the background. The log has the result. */
  requestReload(): void {
    this.#parts.activeConfig.requestReload();
  }

  async stop(): Promise<void> {
    const { write } = this.#options.log;
    write({ level: 'info', event: 'process_stopping', message: 'stopping', fields: {} });
    const { activeConfig, discovery, kamailios, webhooks } = this.#parts;
    const { histories, supervisor, runtimeDestinations, incidents } = this.#parts;
    this.#stopFreeing();
    activeConfig.close();
    kamailios.close();
    discovery.close();
    webhooks.close();
    histories.close();
    await Promise.all([...this.#servers.map((server) => server.close()), supervisor.stop()]);
    await Promise.all([runtimeDestinations.close(), incidents.close()]);
  }

  #listen(): Promise<readonly HttpServer[]> {
    const { version, webConfig: file, log, logOutput } = this.#options;
    const onError = (error: unknown) =>
      log.write({
        ...{ level: 'error', event: 'http_server_error', message: 'HTTP server error' },
        fields: { error: String(error) },
      });
    const webConfig = file === undefined ? undefined : lastGood(() => file.current(), onError);
    const handler = createApp({
      ...httpServices(this.#parts, { version, logOutput, clock: systemClock }),
      guards: webConfig === undefined ? [] : guardsOf(webConfig, onError),
      onError: (error, path) =>
        log.write({
          ...{ level: 'error', event: 'http_request_failed', message: 'HTTP request failed' },
          fields: { path, error: String(error) },
        }),
    });
    const { connections } = this.#parts;
    return listenOnAll(this.#options.listeners, {
      ...{ handler, webConfig, onError, connections, clock: systemClock },
    });
  }
}

/** In this order: a rejected request has the headers too, and costs no check of a password. */
function guardsOf(config: () => WebConfig, onError: (error: unknown) => void) {
  return [
    configuredHeaders(config),
    rateLimit(config, systemClock),
    basicAuth({ config, onError }),
  ];
}
