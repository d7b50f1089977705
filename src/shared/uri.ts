/**
 * SIP URIs (RFC 3261 19.1), as far as a destination needs them.
 */

import { addressFamily, bracketed, gateHost, type IpAddress, readAddress } from './address.js';
import type { Destination } from './destination.js';
import { TRANSPORTS, type TransportChoice, type TransportName } from './outcome.js';

/** A parsed `sip:` or `sips:` URI. All parts are in canonical form. */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  /** As written, with its escapes; empty when absent. A `+` is a plus. */
  readonly user: string;
  /** Lower case; IPv6 without its brackets, and as IPv4 where it is an IPv4-mapped one. */
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

/** The text is not a SIP URI of a destination. */
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
 * Reads a SIP URI; `sip:` may be left out (`192.0.2.1`, `alice@example.com:5070`).
 *
 * @param otherwise the transport of a URI that names none; it determines the default port.
 * @throws UriError saying what was expected and what was given.
 */
export function parseUri(text: string, otherwise: TransportChoice = 'auto'): SipUri {
  const fail = (why: string): never => {
    const harmless = text.replace(/^((?:sips?:)?(?!sips?:)[^:@]*):.*@/is, '$1:<secret>@');
    const shown = JSON.stringify(harmless.slice(0, 120));
    throw new UriError(`expected a SIP URI, got ${shown}: ${why}`);
  };
  if (/^tel:/i.test(text)) fail('a telephone number has no address');
  if (/[<>"]/.test(text)) fail('only the URI, without a display name and brackets');
  if (/^[a-z]+:\/\//i.test(text)) fail('that is a URL');
  if (text.length > MAX_URI_LENGTH) fail(`longer than ${MAX_URI_LENGTH} characters`);

  const [, schemeText, rest = ''] = /^(?:(sips?):)?(.*)$/is.exec(text) ?? [];
  const scheme = schemeText?.toLowerCase() === 'sips' ? 'sips' : 'sip';
  const at = rest.indexOf('@');
  const user = at < 0 ? '' : rest.slice(0, at);
  const [hostport = '', ...paramTexts] = rest.slice(at + 1).split(';');
  if (rest.slice(at + 1).includes('?'))
    fail('headers (?name=value) have no place in a destination');
  if (at >= 0 && user.includes(':')) fail('a password would be shown in every label');
  if (at >= 0 && !USER.test(user)) fail('the user part is empty or has a character it must escape');

  const { host, hostKind, port } = parseHostport(hostport, fail);
  const params = paramTexts.map((param) => parseParam(param, fail));
  // RFC 3261 19.1.1: any given parameter name must not appear more than once.
  if (new Set(params.map(([name]) => name)).size < params.length)
    fail('a parameter is there twice');
  const isNumeric = hostKind !== 'name';
  const takenBy = (own: SipUri['params']) => transportOf({ scheme, params: own }, otherwise);
  const isIdle = (param: SipUri['params'][number]) =>
    isDefaultTransport(scheme, param) && takenBy([param]) === takenBy([]);
  const kept = isNumeric ? params.filter((param) => !isIdle(param)) : params;
  const uri = { scheme, user, host, hostKind, port, params: kept } as const;
  const transport = takenBy(kept);
  const isDefaultPort = isNumeric && transport !== undefined && port === DEFAULT_PORTS[transport];
  return isDefaultPort ? { ...uri, port: undefined } : uri;
}

/**
 * The transport of a URI: the one that it names, made secure by `sips:` (RFC 3261 26.2.2, RFC 7118
 * 5.2), or `otherwise`. Undefined when it names an unknown one.
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
 * The canonical text of a URI: two spellings of one destination give one text.
 *
 * The default port and transport of a name are kept: RFC 3263 4.1 and 4.2 resolve a name with a
 * port or transport differently from one without, so these are different destinations.
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
  const fail = (wanted: string): never => {
    throw new UriError(`expected ${wanted}, got ${JSON.stringify(text)}`);
  };
  if (transportOf(uri, transport) === undefined) {
    fail(`a URI over ${TRANSPORTS.join(', ')}, and sips not over udp`);
  }
  if (uri.params.some(([name]) => name === 'maddr')) fail('a URI without maddr');
  const gated = uri.hostKind === 'name' ? undefined : gateHost(uri.host);
  if (gated !== undefined && 'fault' in gated) {
    throw new UriError(
      `expected the address of one host, got ${JSON.stringify(text)}: ${gated.fault}`,
    );
  }
  return formatUri(uri);
}

/** Whether the destination is pinged at a name that has to be resolved. */
export function hasName({ uri, settings }: Pick<Destination, 'uri' | 'settings'>): boolean {
  return parseUri(settings.identity.route || uri, settings.transport).hostKind === 'name';
}

type Fail = (why: string) => never;

function parseHostport(text: string, fail: Fail): Pick<SipUri, 'host' | 'hostKind' | 'port'> {
  const bracket = /^\[([^\]]*)\](?::(.*))?$/s.exec(text);
  if (bracket) {
    if (addressFamily(bracket[1] ?? '') !== 6) fail('not an IPv6 address in the brackets');
    const ip = readAddress(bracket[1] ?? '') ?? fail('not an IPv6 address in the brackets');
    return { ...numericHost(ip), port: parsePort(bracket[2], fail) };
  }
  if (text.split(':').length > 2) {
    fail(
      addressFamily(text) === 6 ? `an IPv6 address takes brackets: [${text}]` : 'too many colons',
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
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65535) fail('a port is 1 to 65535');
  return port;
}

function parseName(text: string, fail: Fail): string {
  if (text === '') fail('the host is missing');
  const name = asciiName(text).replace(/\.$/, '');
  const labels = name.split('.');
  const isName = name.length <= 253 && labels.every((label) => LABEL.test(label));
  if (!isName || NUMBER.test(labels.at(-1) ?? ''))
    fail('the host is neither an address nor a name');
  return name;
}

/** A name in lower case, its international labels in their ASCII form (RFC 5891). */
function asciiName(text: string): string {
  if (/^\p{ASCII}*$/u.test(text)) return text.toLowerCase();
  // The URL parser would read more than a host into what is not a letter, digit, dot or hyphen.
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
