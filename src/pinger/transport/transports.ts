/** Keeps the transports that are open. */

import type { PingSettings } from '../../shared/destination.js';
import type { LogOnce } from '../../shared/log-once.js';
import type { TransportName } from '../../shared/outcome.js';
import type { LogLine } from '../../shared/protocol.js';
import type { MessageHandler, Source, Transport } from './transport.js';

/** Opens a transport for pings with these settings. */
export type OpenTransport = (
  name: TransportName,
  settings: PingSettings,
  onMessage: MessageHandler,
) => Transport;

/** The open transports. */
export class Transports {
  readonly #openTransport: OpenTransport;
  readonly #onMessage: (bytes: Uint8Array, from: Source, transport: TransportName) => boolean;
  readonly #isKernelUdp: boolean;
  readonly #logOnce: LogOnce;
  readonly #open = new Map<string, Transport>();

  /**
   * @param isKernelUdp sockets are bound to `interface`, and those of UDP carry `dscp`, so
   *   destinations that differ in those do not share one.
   */
  constructor(
    openTransport: OpenTransport,
    onMessage: (bytes: Uint8Array, from: Source, transport: TransportName) => boolean,
    isKernelUdp: boolean,
    logOnce: LogOnce,
  ) {
    this.#logOnce = logOnce;
    this.#isKernelUdp = isKernelUdp;
    this.#openTransport = openTransport;
    this.#onMessage = onMessage;
  }

  /** The transport for these settings, opened when first used. */
  of(name: TransportName, settings: PingSettings): Transport {
    this.#warnOfUnapplied(name, settings);
    const key = transportKey(name, settings, this.#isKernelUdp);
    const open = this.#open.get(key);
    if (open !== undefined) return open;
    const transport = this.#openTransport(name, settings, (bytes, from) =>
      this.#onMessage(bytes, from, name),
    );
    this.#open.set(key, transport);
    return transport;
  }

  close(): void {
    for (const transport of this.#open.values()) transport.close();
    this.#open.clear();
  }

  /** Destinations may share a transport, so this is not known when it is opened. */
  #warnOfUnapplied(name: TransportName, { dscp, interfaceName }: PingSettings): void {
    if (this.#isKernelUdp) return;
    if (name === 'udp' && dscp !== 0) this.#logOnce(DSCP_UNSUPPORTED);
    if (interfaceName !== '') this.#logOnce(INTERFACE_UNSUPPORTED);
  }
}

const DSCP_UNSUPPORTED: LogLine = {
  level: 'warn',
  event: 'udp_dscp_unsupported',
  message: 'dscp is not set on UDP packets: Node.js cannot, and udp.io kernel is not in use',
  fields: {},
};

const INTERFACE_UNSUPPORTED: LogLine = {
  level: 'warn',
  event: 'interface_unsupported',
  message:
    'interface is not applied, and the routing table selects one: Node.js cannot bind sockets to it, and udp.io kernel is not in use; source_address may help',
  fields: {},
};

/** Destinations with the same key share a transport. */
function transportKey(name: TransportName, settings: PingSettings, isKernelUdp: boolean): string {
  const { sourceAddress, sourcePort, dscp, interfaceName } = settings;
  const { connection, tls, wsPath, wsOrigin } = settings;
  const own =
    name === 'udp' ? [sourcePort, isKernelUdp && dscp] : [connection, dscp, tls, wsPath, wsOrigin];
  return JSON.stringify([name, sourceAddress, isKernelUdp && interfaceName, ...own]);
}
