/**
 * The UDP ports that pings are sent from: for each address family a common one, as a rule the only
 * one, and others while they are tried or in use.
 */

import type { TransportFailure } from '../../shared/outcome.js';
import type { LogLine } from '../../shared/protocol.js';
import { OncePorts } from './once-ports.js';
import { localFailure } from './socket-errors.js';
import type { UdpMedium, UdpPort } from './udp-medium.js';

/** Ports of one family besides the common one. */
const MAX_OTHERS = 8;
/** Pause after a socket could not be opened. */
const RETRY_MS = 1_000;

export interface UdpPortsOptions {
  /** IP address to send from; empty for the one that the routes choose. */
  readonly sourceAddress: string;
  /** 0 for one that the system chooses. */
  readonly sourcePort: number;
  /** Network interface to send by; empty for any. */
  readonly interfaceName: string;
  readonly log: (line: LogLine) => void;
}

export class UdpPorts<Port extends UdpPort> {
  readonly #options: UdpPortsOptions;
  readonly #medium: Pick<UdpMedium<Port>, 'open'>;
  readonly #common = new Map<4 | 6, Port>();
  /** In the order in which they were opened. */
  readonly #others = new Set<Port>();
  readonly #once = new OncePorts<Port>((family) => this.#tryOpen(family));
  /** Nothing can be sent from them: each is closed when its last user has left. */
  readonly #lost = new Set<Port>();
  /** By family whose socket could not be opened. */
  readonly #closed = new Map<4 | 6, { readonly error: unknown; readonly retryAtMs: number }>();

  constructor(options: UdpPortsOptions, medium: Pick<UdpMedium<Port>, 'open'>) {
    this.#options = options;
    this.#medium = medium;
  }

  /** As asked for; empty for the one that the routes choose. */
  get sourceAddress(): string {
    return this.#options.sourceAddress;
  }

  /** The family's common port, opened when first needed; undefined while it cannot be. */
  common(family: 4 | 6): Port | undefined {
    const port = this.#common.get(family) ?? this.#openCommon(family);
    if (port !== undefined) port.users++;
    return port;
  }

  /** A port for a ping that is made for once; the common one where no other can be had. */
  once(family: 4 | 6): Port | undefined {
    const port = this.#options.sourcePort === 0 ? this.#once.use(family) : undefined;
    return port ?? this.common(family);
  }

  /** A ping that was made for once from this port was not answered. */
  retire(port: Port): void {
    this.#once.retire(port);
  }

  /**
   * Another port than `home` to send one ping from, if possible one that is open and was not tried
   * in vain just now. Undefined where a port was asked for, or none can be had.
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

  /** A target moved: whoever comes next sends from the new port too, if the old one was common. */
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

  /** One user fewer; but for the common one, the last closes it. */
  release(port: Port): void {
    if (--port.users > 0 || this.#common.get(port.family) === port) return;
    if (this.#others.delete(port) || this.#lost.delete(port)) port.close();
    else this.#once.unused(port);
  }

  /** Why `common` has none. */
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
