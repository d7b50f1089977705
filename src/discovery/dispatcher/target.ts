/** What a line of a dispatcher list says to ping: the URI, how, and under which name. */

import { createHash } from 'node:crypto';
import { bracketed } from '../../shared/address.js';
import type { TransportChoice, TransportName } from '../../shared/outcome.js';
import { formatUri, parseUri, pingableUri, type SipUri, UriError } from '../../shared/uri.js';
import { MAX_NAME_LENGTH } from '../names.js';
import type { Attributes } from './attributes.js';
import { readSocket, type Socket } from './socket.js';

/** In the words of the configuration. */
export type Settings = Readonly<
  Partial<Record<'source_address' | 'route' | 'ping_from' | 'transport', string>>
>;

export interface Target {
  /** Canonical. */
  readonly uri: string;
  /**
   * The URI, and what of the line makes it another destination. It follows from the line alone:
   * other lines, and the addresses that this machine has, come and go.
   */
  readonly name: string;
  readonly settings: Settings;
}

/** Collects what is not done as the line says. */
export type Report = (reason: string) => void;

type Values = Attributes['values'];

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
   * What to ping. An attribute that can be done without is reported and left out.
   *
   * @throws UriError when `uriText` is no SIP URI that can be pinged, or `obproxy` is none.
   * @throws UnusableSocket when the socket's transport is none of ours.
   */
  read(uriText: string, { values }: Attributes, report: Report): Target {
    const socket = socketOf(values, report);
    const transport = socket && !namesTransport(uriText) ? socket.transport : undefined;
    const uri = pingableUri(uriText, transport ?? 'auto');
    mustHaveScheme(uriText, uri);
    const pingFrom = this.#pingFrom(values, report);
    const route = this.#route(values, transport ?? 'auto');
    const source = socket && sourceAddress(socket, route ?? uri, this.#isLocal, report);
    const settings = {
      ...(source !== undefined && { source_address: source }),
      ...(route !== undefined && { route }),
      ...(pingFrom !== undefined && { ping_from: pingFrom }),
      ...(transport !== undefined && { transport: transport }),
    };
    return { uri, name: nameOf(uri, [socketName(socket, transport), route], pingFrom), settings };
  }

  #pingFrom(values: Values, report: Report): string | undefined {
    const text = values.get('ping_from');
    const parsed = text === undefined ? undefined : this.#parsed(text);
    if (!(parsed instanceof UriError)) return parsed && formatUri(parsed);
    report(`ping_from: ${parsed.message}: not used`);
    return undefined;
  }

  /** A ping that does not go through the proxy would tell nothing of the way that calls take. */
  #route(values: Values, transport: TransportChoice): string | undefined {
    const text = values.get('obproxy');
    if (text === undefined) return undefined;
    try {
      return pingableUri(text, transport);
    } catch (error) {
      if (!(error instanceof UriError)) throw error;
      throw new UriError(`obproxy: ${error.message}: left out`);
    }
  }

  #parsed(text: string): SipUri | UriError {
    const known = this.#uris.get(text);
    if (known !== undefined) return known;
    const parsed = parsedOrFault(text);
    this.#uris.set(text, parsed);
    return parsed;
  }
}

/** The socket that Kamailio would ping from: `ping_socket`, then `sockname`, then `socket`. */
function socketOf(values: Values, report: Report): Socket | undefined {
  const name = ['ping_socket', 'sockname', 'socket'].find((one) => values.has(one));
  if (name === undefined) return undefined;
  const text = values.get(name) ?? '';
  const shown = `${name}=${text.slice(0, 120)}`;
  if (name !== 'sockname') return readSocket(text, shown);
  report(`${shown}: only Kamailio knows its named sockets: ${ROUTES_CHOOSE}`);
  return undefined;
}

/** Words of a headline and placeholders would be host names. Addresses cannot be mistaken. */
function mustHaveScheme(uriText: string, uri: string): void {
  if (/^sips?:/i.test(uriText) || hostKindOf(uri) !== 'name') return;
  const got = JSON.stringify(uriText.slice(0, 120));
  throw new UriError(`expected a SIP URI with its scheme, such as sip:192.0.2.1, got ${got}`);
}

/** `URI via udp:192.0.2.10 via sip:proxy.example from sip:a@b.example`; the plain URI for most. */
function nameOf(uri: string, failover: readonly (string | undefined)[], from: string | undefined) {
  const via = failover.flatMap((way) => (way === undefined ? [] : [` via ${way}`])).join('');
  const name = `${uri}${via}${from === undefined ? '' : ` from ${from}`}`;
  if (name.length <= MAX_NAME_LENGTH || name === uri) return name;
  return `${uri} via ${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}

/** `udp:192.0.2.10`, or as much of it as is known and used. */
function socketName(socket: Socket | undefined, transport: TransportName | undefined) {
  const host = socket?.address && bracketed(socket.address.host);
  const parts = [transport, host].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(':');
}

/** `sips:` does, too. Looked for in the text because every line has a URI, and parsing it costs. */
function namesTransport(uriText: string): boolean {
  return /^sips:|;transport=[^@]*$/i.test(uriText);
}

/** Of the host of a canonical URI, where digits and dots are an address. */
function hostKindOf(uri: string): SipUri['hostKind'] {
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

/** The socket's address, if we can send from it. Its port is never taken: Kamailio has it. */
function sourceAddress(
  { shown, address }: Socket,
  peer: string,
  isLocal: (address: string) => boolean,
  report: Report,
): string | undefined {
  const refuse = (why: string) => void report(`${shown}: ${why}: ${ROUTES_CHOOSE}`);
  if (address === undefined) return refuse('expected an address such as udp:192.0.2.1:5060');
  const { host, hostKind } = address;
  if (hostKind === 'name') return refuse('not an IP address');
  const peerKind = hostKindOf(peer);
  if (peerKind !== 'name' && peerKind !== hostKind) {
    return refuse('not of the family of the address to ping');
  }
  return isLocal(host) ? host : refuse('not an address of this machine');
}
