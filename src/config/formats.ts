/** The formats of settings: each checks and converts a value. */

import { isOwner, OWNER_FORMAT } from '../platform/values.js';
import { addressFamily, bracketed, gateHost } from '../shared/address.js';
import { canonicalCidr } from '../shared/cidr.js';
import { TLS_VERSIONS } from '../shared/destination.js';
import { methodProblem } from '../shared/method.js';
import { TRANSPORTS } from '../shared/outcome.js';
import { MAX_RUN } from '../shared/state.js';
import { parseStatusCodes, StatusCodesError } from '../shared/status-codes.js';
import { canonicalUri, parseUri, UriError } from '../shared/uri.js';
import { Expected, type Format } from './expected.js';
import { familyNames } from './family-names.js';
import { bounds } from './metrics-formats.js';
import { EVENTS, type EventName } from './source-settings.js';
import { ciphers, interfaceName, wsOrigin, wsPath } from './transport-formats.js';
import { links, listenAddress, routePrefix, telemetryPath } from './web-formats.js';

/** Problems of the configuration. The message says where, what was expected and what was given. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const DURATION = /^(\d+(?:\.\d*)?|\.\d+)(ms|s|m|h)?$/;

/** A string, or a number (in JSON and the defaults) as a string; empty for anything else. */
function scalarText(given: unknown): string {
  return typeof given === 'string' || typeof given === 'number' ? String(given) : '';
}

/** Seconds, or a number with a unit. The result is milliseconds. */
function duration(minMs: number, isZeroAllowed = false): Format<number> {
  const from = `${isZeroAllowed ? '0, or ' : ''}a duration from ${minMs / 1000} s`;
  return (given) => {
    const [, amount, unit = 's'] = DURATION.exec(scalarText(given)) ?? [];
    const ms = Number(amount) * (UNITS[unit] ?? Number.NaN);
    if (isZeroAllowed && ms === 0) return 0;
    if (!(ms >= minMs) || ms > 24 * 3_600_000) {
      throw new Expected(`${from} to 24h (seconds, or a number with ms, s, m or h)`, given);
    }
    return ms;
  };
}

const string: Format<string> = (given) => {
  if (typeof given !== 'string') throw new Expected('a string', given);
  return given;
};

/** Text that goes into a header: one line, printable (RFC 3261 25.1). */
const headerText: Format<string> = (given) => {
  if (typeof given !== 'string' || !/^[\x20-\x7e]{1,256}$/.test(given)) {
    throw new Expected('one line of 1 to 256 printable ASCII characters', given);
  }
  return given;
};

/** The spellings of YAML 1.2 10.3.2, and 1 and 0 for environment variables. */
const TRUE: readonly unknown[] = [true, 'true', 'True', 'TRUE', '1'];
const FALSE: readonly unknown[] = [false, 'false', 'False', 'FALSE', '0'];

const trueOrFalse: Format<boolean> = (given) => {
  if (TRUE.includes(given)) return true;
  if (FALSE.includes(given)) return false;
  throw new Expected('true or false', given);
};

/** What `--config.check` reads besides the configuration: nothing without it. */
const checkMode: Format<'off' | 'files' | 'full'> = (given) => {
  if (given === 'full') return 'full';
  if (![...TRUE, ...FALSE].includes(given)) throw new Expected('true, false or full', given);
  return TRUE.includes(given) ? 'files' : 'off';
};

function oneOf<const T extends string>(...words: readonly T[]): Format<T> {
  return (given) => {
    const word = words.find((candidate) => candidate === given);
    if (word === undefined) throw new Expected(`one of ${words.join(', ')}`, given);
    return word;
  };
}

function integer(from: number, to: number): Format<number> {
  return (given) => {
    const isDigits = typeof given === 'string' && /^\d{1,9}$/.test(given);
    const number = isDigits ? Number(given) : given;
    if (typeof number !== 'number' || !Number.isInteger(number) || number < from || number > to) {
      throw new Expected(`a whole number from ${from} to ${to}`, given);
    }
    return number;
  };
}

const statusCodes: Format<string> = (given) => {
  const codes = typeof given === 'number' ? String(given) : given;
  if (typeof codes !== 'string') throw new Expected('a list of codes such as 2xx,404', given);
  try {
    parseStatusCodes(codes);
  } catch (error) {
    if (error instanceof StatusCodesError) throw new Expected('status codes', given, error);
    throw error;
  }
  return codes;
};

const sipUri: Format<string> = (given) => {
  if (typeof given !== 'string') throw new Expected('a SIP URI', given);
  try {
    return canonicalUri(given);
  } catch (error) {
    if (error instanceof UriError) throw new Expected('a SIP URI', given, error);
    throw error;
  }
};

const address: Format<string> = (given) => {
  const bare = typeof given === 'string' ? given.replace(/^\[(.*)\]$/, '$1') : '';
  if (addressFamily(bare) === undefined) throw new Expected('an IP address', given);
  const gated = gateHost(bare);
  if ('problem' in gated)
    throw new Expected(`an address of this machine (${gated.problem})`, given);
  return gated.address;
};

/** A list of strings; a single string, as from the environment, is split at spaces. */
const stringList: Format<readonly string[]> = (given) => {
  const items =
    typeof given === 'string' ? given.split(/\s+/).filter((item) => item !== '') : given;
  if (!Array.isArray(items)) throw new Expected('a list of strings', given);
  return items.map((item, index) => {
    if (typeof item !== 'string') throw new Expected(`a string as item ${index}`, item);
    return item;
  });
};

/** DNS servers, each `address` or `address:port`; IPv6 with a port needs brackets. */
const dnsServers: Format<readonly string[]> = (given) => {
  const servers = stringList(given);
  for (const server of servers) {
    const [, bracketed, bare, port = '53'] =
      /^(?:\[(.*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(server) ?? [];
    const isAddress = addressFamily(bracketed ?? bare ?? server) !== undefined;
    if (!isAddress || Number(port) < 1 || Number(port) > 65535) {
      throw new Expected('IP addresses, each with or without a port', server);
    }
  }
  return servers;
};

/** A method that needs no dialog and has a non-INVITE transaction (RFC 3261 17.1.2). */
const method: Format<string> = (given) => {
  const name = typeof given === 'string' ? given.toUpperCase() : '';
  const problem = methodProblem(name);
  if (problem !== undefined) throw new Expected(problem, given);
  return name;
};

const user: Format<string> = (given) => {
  if (typeof given === 'number') throw new Expected('a string, in quotes', given);
  try {
    if (typeof given === 'string' && parseUri(`sip:${given}@host.example`).user === given) {
      return given;
    }
  } catch (error) {
    if (!(error instanceof UriError)) throw error;
  }
  throw new Expected('the user part of a SIP URI', given);
};

/** `sent-by` of RFC 3261 25.1. */
const viaHost: Format<string> = (given) => {
  if (typeof given !== 'string') throw new Expected('host or host:port', given);
  try {
    const { user, params, host, port } = parseUri(given, 'ws');
    // `ws` has the default port 80, which is omitted; but Via has no common default port.
    const written = port ?? (/:80$/.test(given) ? 80 : undefined);
    if (user === '' && params.length === 0 && !/^sips?:/i.test(given)) {
      return written === undefined ? bracketed(host) : `${bracketed(host)}:${written}`;
    }
  } catch (error) {
    if (!(error instanceof UriError)) throw error;
  }
  throw new Expected('host or host:port', given);
};

/** Headers that every ping already has or that would change its meaning, in lower case. */
const RESERVED_HEADERS: readonly string[] = [
  ...['via', 'v', 'from', 'f', 'to', 't', 'call-id', 'i', 'cseq', 'contact', 'm'],
  ...['max-forwards', 'content-length', 'l', 'accept', 'allow', 'user-agent', 'route'],
  ...['authorization', 'proxy-authorization'],
];
const HEADER_NAME = /^[A-Za-z0-9\-.!%*_+`'~]{1,64}$/;
const HEADER_VALUE = /^[^\p{Cc}]{0,1024}$/u;

/** A list of pairs of name and value, or of strings `Name: value`. */
const headers: Format<readonly (readonly [string, string])[]> = (given) => {
  const items: readonly unknown[] = Array.isArray(given) ? given : [given];
  return items.map((item) => {
    const pair: readonly unknown[] = Array.isArray(item)
      ? item
      : (/^([^:]*?)[ \t]*:[ \t]*(.*)$/s.exec(scalarText(item))?.slice(1) ?? []);
    const [name, value] = pair;
    if (typeof name !== 'string' || !HEADER_NAME.test(name)) {
      throw new Expected('headers as a mapping, or as strings "Name: value"', item);
    }
    if (RESERVED_HEADERS.includes(name.toLowerCase())) {
      throw new Expected('a header that pings do not have already', name);
    }
    const isScalar = typeof value === 'string' || typeof value === 'number';
    if (!isScalar || !HEADER_VALUE.test(String(value))) {
      throw new Expected(`one line without control characters as ${name}`, value);
    }
    return [name, String(value)] as const;
  });
};

/** A user name or password that digest authentication can carry (RFC 7616 3.4). Never shown. */
const credential: Format<string> = (given) => {
  // A number has lost digits: 00123, 1.0.
  if (typeof given === 'number') throw new Expected('a string, in quotes', '<a number>');
  if (typeof given !== 'string' || !HEADER_VALUE.test(given)) {
    throw new Expected('one line of text without control characters', '<secret>');
  }
  return given;
};

/** A host: a name, or an IP address. */
const serverName: Format<string> = (given) => {
  try {
    const { host, port, user, params } = parseUri(scalarText(given), 'udp');
    if (port === undefined && user === '' && params.length === 0) return host;
  } catch (error) {
    if (!(error instanceof UriError)) throw error;
  }
  throw new Expected('a host name', given);
};

/** CIDR blocks, single addresses, and domains in lower case. */
const allowList: Format<readonly string[]> = (given) =>
  stringList(given).map((item) => {
    const block = canonicalCidr(item);
    if (typeof block === 'string') return block;
    if (block !== undefined) {
      throw new Expected(`a prefix length from ${block.shortest} to ${block.longest}`, item);
    }
    try {
      return serverName(item.replace(/^\*?\./, ''));
    } catch {
      throw new Expected('CIDR blocks and domains', item);
    }
  });

/** Domains in lower case, without the final dot; a single dot is the root. */
const domains: Format<readonly string[]> = (given) =>
  stringList(given).map((item) => {
    if (item === '.') return item;
    try {
      const host = serverName(item);
      if (addressFamily(host) === undefined) return host;
    } catch (error) {
      if (!(error instanceof Expected)) throw error;
    }
    throw new Expected('domains such as example.com', item);
  });

/** An http or https URL. A user name belongs into `basic_auth`. */
const url: Format<string> = (given) => {
  const isUrl = typeof given === 'string' && URL.canParse(given);
  const { protocol = '', username = '', password = '' } = isUrl ? new URL(given) : {};
  if (!isUrl || !/^https?:$/.test(protocol) || username !== '' || password !== '') {
    throw new Expected('an http:// or https:// URL without a user name', '<url>');
  }
  return given;
};

/** The URL of a server with an API: paths are added to it. */
export const serverUrl: Format<string> = (given) => {
  const { search, hash } = new URL(url(given));
  if (search !== '' || hash !== '') throw new Expected('a URL without ? and #', '<url>');
  return String(given);
};

/** A URL, or the entries of a mapping, which are checked later. */
const server: Format<Readonly<Record<string, unknown>>> = (given) => {
  if (!Array.isArray(given)) return { url: serverUrl(given) };
  const entries: readonly unknown[] = given;
  const isPair = (item: unknown): item is [string, unknown] =>
    Array.isArray(item) && item.length === 2 && typeof item[0] === 'string';
  if (!entries.every(isPair)) throw new Expected('a URL, or a mapping with url', given);
  return Object.fromEntries(entries);
};

/** The owner of destinations. */
const owner: Format<string> = (given) => {
  if (!isOwner(given)) throw new Expected(OWNER_FORMAT, given);
  return given;
};

const events: Format<readonly EventName[]> = (given) =>
  stringList(given).map((item) => oneOf(...EVENTS)(item));

/** The format, or `empty` for an empty string. */
function optional<T, const E>(format: Format<T>, empty: E): Format<T | E> {
  return (given) => (given === '' ? empty : format(given));
}

/** Every format by the name that settings use. */
export const FORMATS = {
  interval: duration(100),
  intervalOrZero: duration(100, true),
  optionalInterval: optional(duration(100), undefined),
  duration: duration(10),
  optionalDuration: optional(duration(10), undefined),
  ttl: duration(100),
  string,
  stringList,
  optionalStringList: optional(stringList, undefined),
  familyNames,
  boolean: trueOrFalse,
  runLength: integer(1, MAX_RUN),
  checkMode,
  failureCount: integer(0, MAX_RUN),
  targetCount: integer(1, 1024),
  portNumber: integer(0, 65535),
  dscp: integer(0, 63),
  interfaceName: optional(interfaceName, ''),
  maxForwards: integer(0, 255),
  shardCount: integer(1, 10_000),
  shard: integer(0, 9_999),
  dnsServers,
  domains,
  header: optional(headerText, ''),
  headers,
  sipUri: optional(sipUri, ''),
  address: optional(address, ''),
  statusCodes,
  optionalStatusCodes: optional(statusCodes, ''),
  method,
  transport: oneOf('auto', ...TRANSPORTS),
  resolve: oneOf('all', 'first'),
  aliveWhen: oneOf('any', 'all', 'priority'),
  connection: oneOf('persistent', 'per_ping'),
  ipProtocol: oneOf('any', 'ip4', 'ip6'),
  tlsVersion: oneOf(...TLS_VERSIONS),
  wsOrigin,
  wsPath,
  ciphers,
  user: optional(user, ''),
  viaHost: optional(viaHost, ''),
  serverName: optional(serverName, ''),
  credential,
  allowList,
  url,
  externalUrl: optional(url, ''),
  server: optional(server, undefined),
  links,
  owner,
  events,
  listenAddresses: (given: unknown) => stringList(given).map(listenAddress),
  routePrefix: optional(routePrefix, undefined),
  telemetryPath,
  logLevel: oneOf('trace', 'debug', 'info', 'warn', 'error'),
  logFormat: oneOf('logfmt', 'json'),
  bounds,
  histogramBuckets: oneOf('classic', 'native', 'both'),
  udpIo: oneOf('auto', 'kernel', 'dgram'),
} as const satisfies Readonly<Record<string, Format<unknown>>>;

export type FormatName = keyof typeof FORMATS;
