/**
 * The UDP ports that pings are sent from: a common port per address family, which is usually the only one,
 * and others while they are tried or in use.
 */

import type { TransportFailure } from '../../shared/outcome.js';
import type { LogLine } from '../../shared/protocol.js';
import { OncePorts } from './once-ports.js';
import { localFailure } from './socket-errors.js';
import type { UdpMedium, UdpPort } from './udp-medium.js';

/** Maximum number of ports of one family in addition to the common one. */
const MAX_OTHERS = 8;
/** Pause before another attempt to open a socket. */
const RETRY_MS = 1_000;

export interface UdpPortsOptions {
  /** IP address to send from; empty to let the routes choose. */
  readonly sourceAddress: string;
  /** 0 to let the system choose. */
  readonly sourcePort: number;
  /** Network interface to send by; empty for any. */
  readonly interfaceName: string;
  readonly log: (line: LogLine) => void;
}

export class UdpPorts<Port extends UdpPort> {
  readonly #options: UdpPortsOptions;
  readonly #medium: Pick<UdpMedium<Port>, 'open'>;
  readonly #common = new Map<4 | 6, Port>();
  /** Other ports in the order in which they were opened. */
  readonly #others = new Set<Port>();
  readonly #once = new OncePorts<Port>((family) => this.#tryOpen(family));
  /** Nothing can be sent from them: each is closed when its last user has left. */
  readonly #lost = new Set<Port>();
  /** Families whose socket could not be opened. */
  readonly #closed = new Map<4 | 6, { readonly error: unknown; readonly retryAtMs: number }>();

  constructor(options: UdpPortsOptions, medium: Pick<UdpMedium<Port>, 'open'>) {
    this.#options = options;
    this.#medium = medium;
  }

  /** The configured address; empty to let the routes choose. */
  get sourceAddress(): string {
    return this.#options.sourceAddress;
  }

  /** The common port of a family, opened when first used; undefined while it cannot be opened. */
  common(family: 4 | 6): Port | undefined {
    const port = this.#common.get(family) ?? this.#openCommon(family);
    if (port !== undefined) port.users++;
    return port;
  }

  /** A port for a one-off ping; the common one if no other is available. */
  once(family: 4 | 6): Port | undefined {
    const port = this.#options.sourcePort === 0 ? this.#once.use(family) : undefined;
    return port ?? this.common(family);
  }

  /** A one-off ping from this port was not answered. */
  retire(port: Port): void {
    this.#once.retire(port);
  }

  /**
   * A port other than `home` for one ping, preferably an open one that was not tried last. Undefined if a
   * source port is configured or no port is available.
   */
  another(home: Port, lastTried: Port | undefined): Port | undefined {
    if (this.#options.sourcePort !== 0) return undefined;
    const { family } = home;
    const common = this.#common.get(family);
    const open = [...(common === undefined ? [] : [common]), ...this.#others].filter(
      (port) => port.family === family && port !== home,
    );
    const known = open.findLast((port) => port !== lastTried);
    const port = known ?? (open.length < MAX_OTHERS ? this.#tryOpen(family) : open.at(-1));
    if (port === undefined) return undefined;
    if (port !== common) this.#others.add(port);
    port.users++;
    return port;
  }

  /** A target has moved. If its old port was the common one, the new port becomes the common one. */
  replace(old: Port, port: Port): void {
    if (this.#common.get(old.family) === old) {
      this.#others.delete(port);
      this.#others.add(old);
      this.#common.set(old.family, port);
    }
    this.release(old);
  }

  /** Nothing can be sent from the port any more: its users need another one. */
  lose(port: Port): void {
    const isCommon = this.#common.get(port.family) === port;
    if (isCommon) this.#common.delete(port.family);
    if (isCommon || this.#others.delete(port)) this.#lost.add(port);
    else this.#once.retire(port);
  }

  isLost(port: Port): boolean {
    return this.#lost.has(port);
  }

  /** Removes a user. The last one closes the port, unless it is the common one. */
  release(port: Port): void {
    if (--port.users > 0 || this.#common.get(port.family) === port) return;
    if (this.#others.delete(port) || this.#lost.delete(port)) port.close();
    else this.#once.unused(port);
  }

  /** Why `common` returned no port. */
  failureOf(family: 4 | 6): TransportFailure {
    const error = this.#closed.get(family)?.error;
    const failure = error instanceof Error ? localFailure(error) : undefined;
    const detail = error instanceof Error ? error.message : 'the socket cannot be opened';
    return failure ?? { reason: 'local', detail };
  }

  close(): void {
    for (const port of this.#common.values()) port.close();
    this.#common.clear();
    for (const ports of [this.#others, this.#lost]) {
      for (const port of ports) port.close();
      ports.clear();
    }
    this.#once.close();
  }

  #openCommon(family: 4 | 6): Port | undefined {
    const before = this.#closed.get(family);
    if (before !== undefined && performance.now() < before.retryAtMs) return undefined;
    try {
      const port = this.#medium.open(family);
      this.#common.set(family, port);
      this.#closed.delete(family);
      return port;
    } catch (error) {
      if (before === undefined) this.#logFailure(family, error);
      this.#closed.set(family, { error, retryAtMs: performance.now() + RETRY_MS });
      return undefined;
    }
  }

  #tryOpen(family: 4 | 6): Port | undefined {
    try {
      return this.#medium.open(family);
    } catch {
      return undefined;
    }
  }

  #logFailure(family: 4 | 6, error: unknown): void {
    const { sourceAddress, sourcePort, interfaceName } = this.#options;
    this.#options.log({
      level: 'error',
      event: 'udp_socket_unavailable',
      message: 'cannot open a UDP socket; its pings fail with reason "local" until it opens',
      fields: {
        family: `ip${family}`,
        source_address: sourceAddress,
        source_port: sourcePort,
        ...(interfaceName === '' ? {} : { interface: interfaceName }),
        error: error instanceof Error ? error.message : String(error),
      },
    });
  }
}
