/** Determines what to ping for a line of a dispatcher list: the URI, the settings and the name. */

import { createHash } from 'node:crypto';
import { bracketed } from '../../shared/address.js';
import type { TransportChoice, TransportName } from '../../shared/outcome.js';
import { formatUri, parseUri, pingableUri, type SipUri, UriError } from '../../shared/uri.js';
import { MAX_NAME_LENGTH } from '../names.js';
import type { Attributes } from './attributes.js';
import {
  addressProblem,
  ROUTES_CHOOSE,
  readSocket,
  type Socket,
  UnusableSocket,
} from './socket.js';

/** Ping settings in the format of the configuration. */
export type Settings = Readonly<Record<string, unknown>>;

export interface Target {
  /** Canonical. */
  readonly uri: string;
  /**
   * The URI, and the attributes that distinguish the destination from others with this URI. It depends only
   * on the line, because other lines and the addresses of this machine may change.
   */
  readonly name: string;
  readonly settings: Settings;
}

/** Reports a part that is not used as written. */
export type ReportAdjusted = (reason: string) => void;

type Values = Attributes['values'];

/** The attributes that name a socket, the preferred one first. */
const SOCKETS: readonly string[] = ['ping_socket', 'sockname', 'socket'];

/** What holds for lines without attributes of their own for it. */
export interface ListDefaults {
  /** The socket to ping from. An error if it cannot be used; undefined if there is none. */
  readonly socket?: Socket | UnusableSocket | undefined;
  readonly settings: Settings;
}

export const NO_DEFAULTS: ListDefaults = { settings: {} };

/** Reads targets. A URI that many attributes contain is parsed once. */
export class TargetReader {
  readonly #isLocal: (address: string) => boolean;
  readonly #defaults: ListDefaults;
  readonly #uris = new Map<string, SipUri | UriError>();

  /** @param isLocal whether pings can be sent from an IP address (IPv6 without brackets). */
  constructor(isLocal: (address: string) => boolean, defaults = NO_DEFAULTS) {
    this.#isLocal = isLocal;
    this.#defaults = defaults;
  }

  /**
   * Reads a target. An invalid attribute that is not essential is reported and ignored.
   *
   * @throws UriError when `uriText` or `obproxy` is not a SIP URI that can be pinged.
   * @throws UnusableSocket when the transport of the socket is not supported.
   */
  read(uriText: string, { values }: Attributes, report: ReportAdjusted): Target {
    const own = socketOf(values, report);
    const socket = SOCKETS.some((name) => values.has(name)) ? own : this.#defaultSocket();
    const transport = socket && !namesTransport(uriText) ? socket.transport : undefined;
    const uri = pingableUri(uriText, transport ?? 'auto');
    checkScheme(uriText, uri);
    const pingFrom = this.#pingFrom(values, report);
    const route = this.#route(values, transport ?? 'auto');
    const proxy = route ?? this.#defaults.settings['route'];
    const peer = typeof proxy === 'string' ? proxy : uri;
    const source = this.#sourceAddress(socket, peer, report);
    const settings = {
      ...(source !== undefined && { source_address: source }),
      ...(route !== undefined && { route }),
      ...(pingFrom !== undefined && { ping_from: pingFrom }),
      ...(transport !== undefined && { transport: transport }),
    };
    const name = nameOf(uri, [own && socketName(own, transport), route], pingFrom);
    return { uri, name, settings: { ...this.#defaults.settings, ...settings } };
  }

  /** @throws UnusableSocket */
  #defaultSocket(): Socket | undefined {
    const { socket } = this.#defaults;
    if (socket instanceof UnusableSocket) throw socket;
    return socket;
  }

  /** The address of the socket if pings can be sent from it. The port is not used, because Kamailio uses it. */
  #sourceAddress(
    socket: Socket | undefined,
    peer: string,
    report: ReportAdjusted,
  ): string | undefined {
    // That the address of the default cannot be used has been reported once for all lines.
    const isReported = socket === this.#defaults.socket && socket?.address === undefined;
    if (socket === undefined || isReported) return undefined;
    const { shown, address } = socket;
    const [kind, peerKind] = [address?.hostKind, hostKindOf(peer)];
    const isOther = kind !== undefined && ![kind, peerKind].includes('name') && kind !== peerKind;
    const problem = isOther
      ? 'its address family is not that of the destination'
      : addressProblem(socket, this.#isLocal);
    if (problem === undefined) return address?.host;
    report(`${shown}: ${problem}: ${ROUTES_CHOOSE}`);
    return undefined;
  }

  #pingFrom(values: Values, report: ReportAdjusted): string | undefined {
    const text = values.get('ping_from');
    const parsed = text === undefined ? undefined : this.#parsed(text);
    if (!(parsed instanceof UriError)) return parsed && formatUri(parsed);
    report(`ping_from: ${parsed.message}: ignored`);
    return undefined;
  }

  /** The outbound proxy. It must be valid, because a ping without it would not test the path of calls. */
  #route(values: Values, transport: TransportChoice): string | undefined {
    const text = values.get('obproxy');
    if (text === undefined) return undefined;
    try {
      return pingableUri(text, transport);
    } catch (error) {
      if (!(error instanceof UriError)) throw error;
      throw new UriError(`obproxy: ${error.message}`);
    }
  }

  #parsed(text: string): SipUri | UriError {
    const known = this.#uris.get(text);
    if (known !== undefined) return known;
    const parsed = parsedOrError(text);
    this.#uris.set(text, parsed);
    return parsed;
  }
}

/** The socket that Kamailio pings from: `ping_socket`, otherwise `sockname`, otherwise `socket`. */
function socketOf(values: Values, report: ReportAdjusted): Socket | undefined {
  const name = SOCKETS.find((one) => values.has(one));
  if (name === undefined) return undefined;
  const text = values.get(name) ?? '';
  const shown = `${name}=${text.slice(0, 120)}`;
  if (name !== 'sockname') return readSocket(text, shown);
  report(`${shown}: only Kamailio knows named sockets: ${ROUTES_CHOOSE}`);
  return undefined;
}

/** Requires a scheme for host names, because words and placeholders could be host names. @throws UriError */
function checkScheme(uriText: string, uri: string): void {
  if (/^sips?:/i.test(uriText) || hostKindOf(uri) !== 'name') return;
  const got = JSON.stringify(uriText.slice(0, 120));
  throw new UriError(`expected a SIP URI with its scheme, such as sip:192.0.2.1, got ${got}`);
}

/** `URI via udp:192.0.2.10 via sip:proxy.example from sip:a@b.example`; usually only the URI. */
function nameOf(uri: string, hops: readonly (string | undefined)[], from: string | undefined) {
  const via = hops.flatMap((hop) => (hop === undefined ? [] : [` via ${hop}`])).join('');
  const name = `${uri}${via}${from === undefined ? '' : ` from ${from}`}`;
  if (name.length <= MAX_NAME_LENGTH || name === uri) return name;
  return `${uri} via ${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}

/** `udp:192.0.2.10`, or only the known parts of it. */
function socketName(socket: Socket | undefined, transport: TransportName | undefined) {
  const host = socket?.address && bracketed(socket.address.host);
  const parts = [transport, host].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(':');
}

/** Whether the URI determines its transport. Not parsed, because parsing every URI twice is slow. */
function namesTransport(uriText: string): boolean {
  return /^sips:|;transport=[^@]*$/i.test(uriText);
}

/** The kind of host in a canonical URI, in which a host of digits and dots is an address. */
function hostKindOf(uri: string): SipUri['hostKind'] {
  const [, bracket, digits] = /^sips?:(?:[^@]*@)?(?:(\[)|([\d.]+)(?=[:;]|$))?/.exec(uri) ?? [];
  if (bracket !== undefined) return 'ipv6';
  return digits === undefined ? 'name' : 'ipv4';
}

function parsedOrError(text: string): SipUri | UriError {
  try {
    return parseUri(text);
  } catch (error) {
    if (error instanceof UriError) return error;
    throw error;
  }
}
