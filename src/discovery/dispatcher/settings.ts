/** What the attributes of a dispatcher destination mean for pings of it. */

import { TRANSPORTS, type TransportChoice, type TransportName } from '../../shared/outcome.js';
import { formatUri, parseUri, pingableUri, type SipUri, UriError } from '../../shared/uri.js';
import type { Attributes } from './attributes.js';

/** In the words of the configuration; the order is that in which they tell destinations apart. */
export const SETTINGS = ['source_address', 'route', 'ping_from', 'transport'] as const;
export type Settings = Readonly<Partial<Record<(typeof SETTINGS)[number], string>>>;

export interface Target {
  /** Canonical. */
  readonly uri: string;
  readonly settings: Settings;
}

/** Collects what is not done as the line says. */
export type Report = (reason: string) => void;

const ROUTES_CHOOSE = 'the ping is sent from the address that the routes choose';

/** Reads targets; what stands in the attributes of many of them is read once. */
export class TargetReader {
  readonly #isLocal: (address: string) => boolean;
  readonly #uris = new Map<string, SipUri | UriError>();

  /** @param isLocal whether pings can be sent from an IP address (IPv6 without brackets). */
  constructor(isLocal: (address: string) => boolean) {
    this.#isLocal = isLocal;
  }

  /**
   * The destination and its settings. An attribute that cannot be used is reported and left out.
   *
   * @throws UriError when `uriText` is no SIP URI that can be pinged.
   */
  read(uriText: string, { values }: Attributes, report: Report): Target {
    const socket = this.#socket(values, report);
    const wire = socket && !namesWire(uriText) ? socket.transport : undefined;
    const uri = pingableUri(uriText, wire ?? 'auto');
    const pingFrom = this.#uri('ping_from', values, report);
    const route = this.#uri('obproxy', values, report, wire ?? 'auto');
    const source = socket && sourceAddress(socket, route ?? uri, this.#isLocal, report);
    const settings = {
      ...(source !== undefined && { source_address: source }),
      ...(route !== undefined && { route }),
      ...(pingFrom !== undefined && { ping_from: pingFrom }),
      ...(wire !== undefined && { transport: wire }),
    };
    return { uri, settings };
  }

  /** A URI among the attributes; one that is pinged when `wire` is given. */
  #uri(
    name: string,
    values: Attributes['values'],
    report: Report,
    wire?: TransportChoice,
  ): string | undefined {
    const text = values.get(name);
    if (text === undefined) return undefined;
    const parsed = this.#parsed(text);
    try {
      if (parsed instanceof UriError) throw parsed;
      return wire === undefined ? formatUri(parsed) : pingableUri(text, wire);
    } catch (error) {
      if (!(error instanceof UriError)) throw error;
      report(`${name}: ${error.message}: not used`);
      return undefined;
    }
  }

  #parsed(text: string): SipUri | UriError {
    const known = this.#uris.get(text);
    if (known !== undefined) return known;
    const parsed = parsedOrFault(text);
    this.#uris.set(text, parsed);
    return parsed;
  }

  /** The socket that Kamailio would ping from: `ping_socket`, then `sockname`, then `socket`. */
  #socket(values: Attributes['values'], report: Report): Socket | undefined {
    const name = ['ping_socket', 'sockname', 'socket'].find((one) => values.has(one));
    if (name === undefined) return undefined;
    const text = values.get(name) ?? '';
    const shown = `${name}=${text.slice(0, 120)}`;
    const refuse = (why: string) => void report(`${shown}: ${why}: ${ROUTES_CHOOSE}`);
    if (name === 'sockname') return refuse('only Kamailio knows its named sockets');
    const [, wire = '', hostport = ''] = /^(?:([a-z]+):)?(.*)$/is.exec(text) ?? [];
    const transport = TRANSPORTS.find((known) => known === wire.toLowerCase());
    if (wire !== '' && transport === undefined) {
      return refuse(`expected ${TRANSPORTS.join(', ')} before the address`);
    }
    const parsed = this.#parsed(`sip:${hostport}`);
    if (parsed instanceof UriError || parsed.user !== '' || parsed.params.length > 0) {
      return refuse('expected an address such as udp:192.0.2.1:5060');
    }
    return { shown, transport, host: parsed.host, hostKind: parsed.hostKind };
  }
}

/** `sips:` does, too. Looked for in the text because every line has a URI, and parsing it costs. */
function namesWire(uriText: string): boolean {
  return /^sips:|;transport=[^@]*$/i.test(uriText);
}

/** Of the host of a canonical URI, where digits and dots are an address. */
function hostKindOf(uri: string): Socket['hostKind'] {
  const [, bracket, digits] = /^sips?:(?:[^@]*@)?(?:(\[)|([\d.]+)(?=[:;]|$))?/.exec(uri) ?? [];
  if (bracket !== undefined) return 'ipv6';
  return digits === undefined ? 'name' : 'ipv4';
}

function parsedOrFault(text: string): SipUri | UriError {
  try {
    return parseUri(text);
  } catch (error) {
    if (error instanceof UriError) return error;
    throw error;
  }
}

interface Socket {
  /** As written, with the name of its attribute, for reports. */
  readonly shown: string;
  readonly transport: TransportName | undefined;
  readonly host: string;
  readonly hostKind: 'ipv4' | 'ipv6' | 'name';
}

/** The socket's address, if we can send from it. Its port is never taken: Kamailio has it. */
function sourceAddress(
  { shown, host, hostKind }: Socket,
  peer: string,
  isLocal: (address: string) => boolean,
  report: Report,
): string | undefined {
  const refuse = (why: string) => void report(`${shown}: ${why}: ${ROUTES_CHOOSE}`);
  if (hostKind === 'name') return refuse('not an IP address');
  const peerKind = hostKindOf(peer);
  if (peerKind !== 'name' && peerKind !== hostKind) {
    return refuse('not of the family of the address to ping');
  }
  return isLocal(host) ? host : refuse('not an address of this machine');
}
