/**
 * SIP URIs of destinations (RFC 3261 19.1).
 */

import { addressFamily, bracketed, gateHost, type IpAddress, readAddress } from './address.js';
import type { Destination } from './destination.js';
import { TRANSPORTS, type TransportChoice, type TransportName } from './outcome.js';

/** A parsed `sip:` or `sips:` URI. All parts are in canonical form. */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  /** As written, with its escapes; empty when absent. A `+` is not a space. */
  readonly user: string;
  /** In lower case; IPv6 without brackets; an IPv4-mapped address as IPv4. */
  readonly host: string;
  readonly hostKind: 'ipv4' | 'ipv6' | 'name';
  /** Undefined when absent, or when it is the default port of a numeric host. */
  readonly port: number | undefined;
  /** In the order written; names and the value of `transport` in lower case. */
  readonly params: readonly (readonly [name: string, value: string | undefined])[];
}

/** The port of a URI without one (RFC 3261 19.1.2, RFC 7118 9). */
export const DEFAULT_PORTS: Readonly<Record<TransportName, number>> = {
  udp: 5060,
  tcp: 5060,
  tls: 5061,
  ws: 80,
  wss: 443,
};

/** Thrown for a text that is not a valid SIP URI of a destination. */
export class UriError extends Error {
  override readonly name = 'UriError';
}

const MAX_URI_LENGTH = 1024;
/** RFC 1123 2.1: a name whose last label is a number, such as 0x7f, is a mistyped IPv4 address. */
const NUMBER = /^(?:\d+|0x[0-9a-f]*)$/;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const USER = /^(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-Fa-f]{2})+$/;
const PARAM = /^(?:[A-Za-z0-9\-_.!~*'()[\]/:&+$]|%[0-9A-Fa-f]{2})+$/;

/**
 * Parses a SIP URI; `sip:` may be omitted (`192.0.2.1`, `alice@example.com:5070`).
 *
 * @param otherwise the transport if the URI has none; it determines the default port.
 * @throws UriError which says what was expected and what was given.
 */
export function parseUri(text: string, otherwise: TransportChoice = 'auto'): SipUri {
  const fail = (why: string): never => {
    const masked = text.replace(/^((?:sips?:)?(?!sips?:)[^:@]*):.*@/is, '$1:<secret>@');
    const quoted = JSON.stringify(masked.slice(0, 120));
    throw new UriError(`expected a SIP URI, got ${quoted}: ${why}`);
  };
  if (/^tel:/i.test(text)) fail('a telephone number has no address');
  if (/[<>"]/.test(text)) fail('a display name or angle brackets are not allowed');
  if (/^[a-z]+:\/\//i.test(text)) fail('this is a URL');
  if (text.length > MAX_URI_LENGTH) fail(`longer than ${MAX_URI_LENGTH} characters`);

  const [, schemeText, rest = ''] = /^(?:(sips?):)?(.*)$/is.exec(text) ?? [];
  const scheme = schemeText?.toLowerCase() === 'sips' ? 'sips' : 'sip';
  const at = rest.indexOf('@');
  const user = at < 0 ? '' : rest.slice(0, at);
  const [hostport = '', ...paramTexts] = rest.slice(at + 1).split(';');
  if (rest.slice(at + 1).includes('?')) fail('headers (?name=value) are not allowed');
  if (at >= 0 && user.includes(':')) fail('a password is not allowed, because labels show the URI');
  if (at >= 0 && !USER.test(user))
    fail('the user part is empty or contains a character that must be escaped');

  const { host, hostKind, port } = parseHostport(hostport, fail);
  const params = paramTexts.map((param) => parseParam(param, fail));
  // RFC 3261 19.1.1: any given parameter name must not appear more than once.
  if (new Set(params.map(([name]) => name)).size < params.length) fail('duplicate parameter');
  const isNumeric = hostKind !== 'name';
  const transportWith = (some: SipUri['params']) =>
    transportOf({ scheme, params: some }, otherwise);
  const isRedundant = (param: SipUri['params'][number]) =>
    isDefaultTransport(scheme, param) && transportWith([param]) === transportWith([]);
  const kept = isNumeric ? params.filter((param) => !isRedundant(param)) : params;
  const uri = { scheme, user, host, hostKind, port, params: kept } as const;
  const transport = transportWith(kept);
  const isDefaultPort = isNumeric && transport !== undefined && port === DEFAULT_PORTS[transport];
  return isDefaultPort ? { ...uri, port: undefined } : uri;
}

/**
 * The transport of a URI: that of its parameter, or `otherwise` without one; `sips:` makes it secure (RFC
 * 3261 26.2.2, RFC 7118 5.2). Undefined when the parameter has an unknown value.
 */
export function transportOf(
  uri: Pick<SipUri, 'scheme' | 'params'>,
  otherwise: TransportChoice,
): TransportName | undefined {
  const named = uri.params.find(([name]) => name === 'transport');
  const unnamed = otherwise === 'auto' ? 'udp' : otherwise;
  const transport = named === undefined ? unnamed : TRANSPORTS.find((known) => known === named[1]);
  if (uri.scheme === 'sip' || transport === undefined) return transport;
  if (transport === 'udp' && named !== undefined) return undefined;
  return transport === 'ws' || transport === 'wss' ? 'wss' : 'tls';
}

/**
 * The canonical text of a URI: all spellings of one destination have the same text.
 *
 * The default port and transport of a host name are kept, because RFC 3263 4.1 and 4.2 resolve a name with
 * a port or transport differently from one without: these are different destinations.
 */
export function formatUri(uri: SipUri): string {
  const user = uri.user === '' ? '' : `${uri.user}@`;
  const port = uri.port === undefined ? '' : `:${uri.port}`;
  const params = uri.params.map(([n, v]) => (v === undefined ? `;${n}` : `;${n}=${v}`)).join('');
  return `${uri.scheme}:${user}${bracketed(uri.host)}${port}${params}`;
}

/** The canonical form of `text`; `transport` as in {@link parseUri}. @throws UriError */
export function canonicalUri(text: string, transport: TransportChoice = 'auto'): string {
  return formatUri(parseUri(text, transport));
}

/**
 * The canonical form of a URI that can be pinged; `transport` as in {@link parseUri}.
 *
 * @throws UriError when it is not a SIP URI, or cannot be pinged.
 */
export function pingableUri(text: string, transport: TransportChoice): string {
  const uri = parseUri(text, transport);
  const fail = (expected: string): never => {
    throw new UriError(`expected ${expected}, got ${JSON.stringify(text)}`);
  };
  if (transportOf(uri, transport) === undefined) {
    fail(`a URI with transport ${TRANSPORTS.join(', ')} (sips: not udp)`);
  }
  if (uri.params.some(([name]) => name === 'maddr')) fail('a URI without maddr');
  const gated = uri.hostKind === 'name' ? undefined : gateHost(uri.host);
  if (gated !== undefined && 'problem' in gated) {
    throw new UriError(
      `expected the address of one host, got ${JSON.stringify(text)}: ${gated.problem}`,
    );
  }
  return formatUri(uri);
}

/** Whether the destination's next hop is a host name, which must be resolved. */
export function hasName({ uri, settings }: Pick<Destination, 'uri' | 'settings'>): boolean {
  return parseUri(settings.identity.route || uri, settings.transport).hostKind === 'name';
}

type Fail = (why: string) => never;

function parseHostport(text: string, fail: Fail): Pick<SipUri, 'host' | 'hostKind' | 'port'> {
  const bracket = /^\[([^\]]*)\](?::(.*))?$/s.exec(text);
  if (bracket) {
    if (addressFamily(bracket[1] ?? '') !== 6) fail('the text in brackets is not an IPv6 address');
    const ip = readAddress(bracket[1] ?? '') ?? fail('the text in brackets is not an IPv6 address');
    return { ...numericHost(ip), port: parsePort(bracket[2], fail) };
  }
  if (text.split(':').length > 2) {
    fail(
      addressFamily(text) === 6 ? `an IPv6 address needs brackets: [${text}]` : 'too many colons',
    );
  }
  const [hostText = '', portText] = text.split(':');
  const port = parsePort(portText, fail);
  const ip = readAddress(hostText);
  if (ip !== undefined) return { ...numericHost(ip), port };
  return { host: parseName(hostText, fail), hostKind: 'name', port };
}

function numericHost({ address, family }: IpAddress): Pick<SipUri, 'host' | 'hostKind'> {
  return { host: address, hostKind: `ipv${family}` };
}

function parsePort(text: string | undefined, fail: Fail): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65535) fail('the port must be 1 to 65535');
  return port;
}

function parseName(text: string, fail: Fail): string {
  if (text === '') fail('the host is missing');
  const name = asciiName(text).replace(/\.$/, '');
  const labels = name.split('.');
  const isName = name.length <= 253 && labels.every((label) => LABEL.test(label));
  if (!isName || NUMBER.test(labels.at(-1) ?? ''))
    fail('the host is neither an IP address nor a host name');
  return name;
}

/** A name in lower case, its international labels in their ASCII form (RFC 5891). */
function asciiName(text: string): string {
  if (/^\p{ASCII}*$/u.test(text)) return text.toLowerCase();
  // The URL parser gives other ASCII characters a meaning, such as `/` and `@`.
  if (/[^\P{ASCII}A-Za-z0-9._-]/u.test(text)) return '';
  return tryHostname(`http://${text}`) ?? '';
}

function parseParam(text: string, fail: Fail): readonly [string, string | undefined] {
  const equals = text.indexOf('=');
  const name = (equals < 0 ? text : text.slice(0, equals)).toLowerCase();
  const value = equals < 0 ? undefined : text.slice(equals + 1);
  if (!PARAM.test(name) || (value !== undefined && !PARAM.test(value))) {
    fail(`the parameter ${JSON.stringify(text)} is malformed`);
  }
  return [name, name === 'transport' ? value?.toLowerCase() : value];
}

function isDefaultTransport(scheme: string, [name, value]: readonly [string, string | undefined]) {
  return name === 'transport' && value === (scheme === 'sips' ? 'tcp' : 'udp');
}

function tryHostname(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}
