/**
 * UDP ports for one-off pings. They do not use the common port, because a NAT or a firewall may have lost
 * its binding, and a probe must show whether the target answers. One-off pings share a port while all are
 * answered; after one that is not, the next ping uses a new port.
 */

import type { UdpPort } from './udp-medium.js';

/** Maximum number of open ports of all families. */
const MAX_PORTS = 256;
/** Time for which new pings use a port: well below the time after which a NAT drops a binding (RFC 4787 4.3). */
const MAX_AGE_MS = 30_000;
/** Time for which an unused port stays open for the next ping. */
const IDLE_CLOSE_MS = 2_000;

interface SharedPort<Port> {
  readonly port: Port;
  /** Monotonic, milliseconds. */
  readonly openedAtMs: number;
}

export class OncePorts<Port extends UdpPort> {
  readonly #tryOpen: (family: 4 | 6) => Port | undefined;
  readonly #open = new Set<Port>();
  /** The port that new pings use, by family. */
  readonly #shared = new Map<4 | 6, SharedPort<Port>>();
  #idleTimer: NodeJS.Timeout | undefined;

  /** @param tryOpen opens a port; returns undefined when it cannot. */
  constructor(tryOpen: (family: 4 | 6) => Port | undefined) {
    this.#tryOpen = tryOpen;
  }

  /** A port for one ping; undefined when there are too many or none can be opened. */
  use(family: 4 | 6): Port | undefined {
    const now = performance.now();
    const shared = this.#shared.get(family);
    const isFresh = shared !== undefined && now - shared.openedAtMs < MAX_AGE_MS;
    const port = isFresh ? shared.port : this.#openOne(family, now);
    if (port !== undefined) port.users++;
    return port;
  }

  /** A ping from this port was not answered: new pings use another one. */
  retire(port: Port): void {
    if (this.#shared.get(port.family)?.port === port) this.#shared.delete(port.family);
  }

  /** Closes a port that has no users any more; the shared port only after a while. */
  unused(port: Port): void {
    if (!this.#open.has(port)) return;
    if (this.#shared.get(port.family)?.port !== port) {
      this.#close(port);
      return;
    }
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#closeUnused(), IDLE_CLOSE_MS);
    this.#idleTimer.unref();
  }

  close(): void {
    clearTimeout(this.#idleTimer);
    this.#shared.clear();
    for (const port of this.#open) this.#close(port);
  }

  #openOne(family: 4 | 6, now: number): Port | undefined {
    const before = this.#shared.get(family)?.port;
    this.#shared.delete(family);
    if (before?.users === 0) this.#close(before);
    const port = this.#open.size < MAX_PORTS ? this.#tryOpen(family) : undefined;
    if (port === undefined) return undefined;
    this.#open.add(port);
    this.#shared.set(family, { port, openedAtMs: now });
    return port;
  }

  #closeUnused(): void {
    for (const { port } of this.#shared.values()) {
      if (port.users > 0) continue;
      this.#shared.delete(port.family);
      this.#close(port);
    }
  }

  #close(port: Port): void {
    this.#open.delete(port);
    port.close();
  }
}
