/** The process: starts and stops its parts in order and serves HTTP. */

import type { Config } from './config/config.js';
import { createApp } from './http/app.js';
import { basicAuth } from './http/guards/basic-auth.js';
import { lastGood } from './http/server/last-good.js';
import { type HttpServer, listenOnAll } from './http/server/server.js';
import type { WebConfigFile } from './http/server/web-config.js';
import { httpServices } from './http-services.js';
import { joinParts, type Parts, type PartsOptions } from './parts.js';
import { systemdSockets } from './platform/systemd-sockets.js';
import { reportChange } from './report-change.js';
import { systemClock } from './shared/clock.js';
import type { Faults } from './shared/faults.js';

export interface DaemonOptions extends PartsOptions {
  readonly webConfig: WebConfigFile | undefined;
  /** The output of the log. */
  readonly logOutput: { readonly dropped: number };
}

export class Daemon {
  readonly #options: DaemonOptions;
  readonly #parts: Parts;
  #servers: readonly HttpServer[] = [];

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#parts = joinParts(options, systemClock);
    const { changes, webhooks } = this.#parts;
    changes.subscribe((change) => reportChange(change, options.log.write, webhooks));
  }

  /** Internal errors of the main thread. */
  get faults(): Faults {
    return this.#parts.faults;
  }

  /** Starts to serve HTTP and to ping. @throws Error when it cannot listen or cannot use its state directory. */
  async start(): Promise<void> {
    const { runtimeDestinations, supervisor, activeConfig, histories, faults, startup } =
      this.#parts;
    const { write } = this.#options.log;
    await runtimeDestinations.start();
    this.#servers = await this.#listen();
    for (const { url } of this.#servers) {
      const fields = { version: this.#options.version, url };
      write({ level: 'info', event: 'server_listening', message: 'listening', fields });
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
  }

  /** Reloads the configuration in the background. The log has the result. */
  requestReload(): void {
    this.#parts.activeConfig.requestReload();
  }

  async stop(): Promise<void> {
    const { write } = this.#options.log;
    write({ level: 'info', event: 'process_stopping', message: 'stopping', fields: {} });
    const { activeConfig, discovery, webhooks, histories, supervisor, runtimeDestinations } =
      this.#parts;
    activeConfig.close();
    discovery.close();
    webhooks.close();
    histories.close();
    await Promise.all([...this.#servers.map((server) => server.close()), supervisor.stop()]);
    await runtimeDestinations.close();
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
      ...(webConfig === undefined ? {} : { guard: basicAuth({ config: webConfig, onError }) }),
      onError: (error, path) =>
        log.write({
          ...{ level: 'error', event: 'http_request_failed', message: 'HTTP request failed' },
          fields: { path, error: String(error) },
        }),
    });
    const { activeConfig, connections } = this.#parts;
    return listenOnAll(listenersOf(activeConfig.config.web), {
      ...{ handler, webConfig, onError, connections, clock: systemClock },
    });
  }
}

function listenersOf({ isSystemdSocket, listenAddresses }: Config['web']) {
  if (!isSystemdSocket) return listenAddresses;
  const descriptors = systemdSockets(process.env, process.pid);
  return descriptors.map((fd) => ({ kind: 'descriptor', fd }) as const);
}
