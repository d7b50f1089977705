/** Reads the socket that Kamailio pings from, as in the attributes of a dispatcher destination. */

import { TRANSPORTS, type TransportName } from '../../shared/outcome.js';
import { parseUri, type SipUri, UriError } from '../../shared/uri.js';

/** Protocols of Kamailio's sockets that the exporter cannot ping over. */
const OTHER_PROTOCOLS: readonly string[] = ['sctp', 'any'];

/** The consequence of a socket without a usable address, for remarks. */
export const ROUTES_CHOOSE = 'the routing table chooses the source address';

/** The transport of the socket is not supported. A ping over another one would have no significance. */
export class UnusableSocket extends Error {
  override readonly name = 'UnusableSocket';
}

export interface Socket {
  /** As written, with the name of its attribute, for remarks. */
  readonly shown: string;
  /** Undefined if there is none. */
  readonly transport: TransportName | undefined;
  /** Undefined when it is invalid. */
  readonly address: Pick<SipUri, 'host' | 'hostKind'> | undefined;
}

/**
 * Reads `udp:192.0.2.1:5060`. The transport is used even when the address is invalid.
 *
 * @param shown as written, with the name of its attribute.
 * @throws UnusableSocket
 */
export function readSocket(text: string, shown: string): Socket {
  const [, protocol = '', rest = ''] = /^([a-z]+):(.*)$/is.exec(text) ?? [];
  const wanted = protocol.toLowerCase();
  const transport = TRANSPORTS.find((known) => known === wanted);
  // The colon may also separate host and port.
  const isHost = transport === undefined && !OTHER_PROTOCOLS.includes(wanted) && /^\d+$/.test(rest);
  if (protocol === '' || isHost) return { shown, transport: undefined, address: addressOf(text) };
  if (transport === undefined) {
    const transports = TRANSPORTS.join(', ');
    throw new UnusableSocket(`${shown}: expected one of ${transports} before the address`);
  }
  return { shown, transport, address: addressOf(rest) };
}

/** Why pings cannot be sent from the address of a socket; undefined when they can. */
export function addressProblem(
  { address }: Socket,
  isLocal: (address: string) => boolean,
): string | undefined {
  if (address === undefined) return 'expected an address such as udp:192.0.2.1:5060';
  if (address.hostKind === 'name') return 'not an IP address';
  return isLocal(address.host) ? undefined : 'not an address of this machine';
}

function addressOf(hostport: string): Socket['address'] {
  try {
    const { host, hostKind, user, params } = parseUri(`sip:${hostport}`);
    return user === '' && params.length === 0 ? { host, hostKind } : undefined;
  } catch (error) {
    if (error instanceof UriError) return undefined;
    throw error;
  }
}
