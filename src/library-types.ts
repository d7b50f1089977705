/** The interface of the library. */

import type { KeepAliveConfig, PingConfig } from './library-config.js';
import type { DestinationChange, ListenerFunctions, PingEnd } from './library-listeners.js';
import type { PingResult } from './library-ping.js';
import type { MetricRegistry } from './library-registry.js';
import type { LogLine } from './shared/protocol.js';
import type { IsAliveCode } from './shared/state.js';
import type { DestinationView } from './status/views.js';

export interface KeepAliveOptions {
  /**
   * Keys of the configuration file: ping settings, `modules`, `dns`, `destinations`. File names are
   * relative to the working directory.
   */
  readonly config?: KeepAliveConfig;
  /** Receives log lines. */
  readonly log?: (line: LogLine) => void;
  /** Called when the state of any destination changes. */
  readonly onStateChange?: (change: DestinationChange) => void;
  /** Called when a ping of any destination ends. */
  readonly onResponse?: (ping: PingEnd) => void;
  /** The file of the pinger thread, for a program that is bundled; by default the one of this package. */
  readonly worker?: URL;
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
   * @throws KeepAliveError ERR_INVALID_ARGUMENT with all problems of the destination, ERR_NAME_IN_USE or
   * ERR_CLOSED.
   */
  add(uri: string, options: AddOptions): boolean;
  /** Removes a destination by URI or name. Returns false when this owner has not added it. */
  remove(uri: string, owner: string): boolean;
  /** The state of a destination by URI or name: 1 up, 2 down, -1 unknown (no result yet, or not added). */
  isAlive(destination: string): IsAliveCode;
  /** All destinations, as in `/api/v1/destinations` of the exporter. */
  list(): readonly DestinationView[];
  /**
   * Pings once, without adding a destination.
   *
   * @param settings of the ping, as a destination has them; by default those of `config`.
   * @throws KeepAliveError ERR_INVALID_ARGUMENT, ERR_CLOSED, or ERR_PING_UNAVAILABLE when the ping has no
   * result; the reason of the signal when it aborts.
   */
  ping(uri: string, settings?: PingSettings): Promise<PingResult>;
  /** The metrics of the destinations. */
  readonly register: KeepAliveRegister;
  /** Adds the metrics of the destinations to a `Registry` of prom-client, which then serves them too. */
  registerMetrics(registry: MetricRegistry): Promise<void>;
  /** Stops the pings. Resolves when their thread has exited. May be called again. */
  close(): Promise<void>;
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Settings of one ping, and a signal that aborts it. */
export type PingSettings = PingConfig & { readonly module?: string; readonly signal?: AbortSignal };
