/**
 * IP addresses: their canonical text, and which of them may be pinged. Every address must pass
 * {@link gateAddress} before a packet is sent to it, whether it comes from a URI, a DNS answer, the hosts
 * file, a Kamailio list or an earlier pinger thread.
 */

export interface IpAddress {
  /** Canonical text, unique per address: dotted decimal, or as in RFC 5952, without brackets. */
  readonly address: string;
  readonly family: 4 | 6;
}

export interface Endpoint extends IpAddress {
  readonly port: number;
}

/** The local address and port that packets to a target are sent from. */
export interface LocalAddress {
  /** IP address, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
}

export function isSameAddress(a: LocalAddress | undefined, b: LocalAddress): boolean {
  return a?.address === b.address && a.port === b.port;
}

/** Why an address must not be pinged, as a clause that begins with the address or the port. */
export interface AddressProblem {
  readonly problem: string;
}

const MAX_PORT = 65_535;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
/** RFC 4291 2.5.5.2, in its canonical text: `::ffff:c000:201` is 192.0.2.1. */
const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;
/** Maximum length of quoted text in error texts. */
const MAX_QUOTED_LENGTH = 60;

/** Addresses that must not be pinged, because they do not belong to one host. */
const UNPINGABLE: readonly (readonly [family: 4 | 6, pattern: RegExp, problem: string])[] = [
  // Linux delivers packets for 0.0.0.0 to this host.
  [4, /^0\./, 'means this host on this network (RFC 1122 3.2.1.3)'],
  [4, /^2(?:2[4-9]|3\d)\./, 'is a multicast address (RFC 5771)'],
  // The rest of 240/4 is reserved, but some clouds use it.
  [4, /^255\.255\.255\.255$/, 'is the broadcast address (RFC 919 7)'],
  [6, /^::$/, 'is the unspecified address (RFC 4291 2.5.2)'],
  [6, /^::(?!1$)(?:[0-9a-f]{1,4}:)?[0-9a-f]{1,4}$/, 'is IPv4-compatible (RFC 4291 2.5.5.1)'],
  [6, /^ff[0-9a-f]{2}:/, 'is a multicast address (RFC 4291 2.7)'],
  // Neither a SIP URI nor a DNS record can contain the zone that it needs (RFC 4007 6).
  [6, /^fe[89ab][0-9a-f]:/, 'is link-local, and the interface is not known'],
];

/**
 * Parses an address and checks that it belongs to one host and may be pinged at this port. An IPv4-mapped
 * IPv6 address becomes the IPv4 address in it.
 *
 * @param text an address without brackets, in any spelling.
 */
export function gateAddress(text: string, port: number): Endpoint | AddressProblem {
  const gated = gateHost(text);
  if ('problem' in gated) return gated;
  if (!Number.isInteger(port) || port < 1 || port > MAX_PORT) {
    return { problem: `port ${port} is not from 1 to ${MAX_PORT}` };
  }
  return { ...gated, port };
}

/** Like {@link gateAddress}, without a port. */
export function gateHost(text: string): IpAddress | AddressProblem {
  const ip = readAddress(text);
  if (ip === undefined) return { problem: `${quoted(text)} is not an IP address` };
  const problem = UNPINGABLE.find(
    ([family, pattern]) => family === ip.family && pattern.test(ip.address),
  );
  return problem === undefined ? ip : { problem: `${ip.address} ${problem[2]}` };
}

/** Parses an IP address (IPv6 without brackets), an IPv4-mapped one as IPv4; undefined for other texts. */
export function readAddress(text: string): IpAddress | undefined {
  if (IPV4.test(text)) return { address: text, family: 4 };
  const address = canonicalIpv6(text);
  if (address === undefined) return undefined;
  const [, high, low] = MAPPED.exec(address) ?? [];
  if (high === undefined || low === undefined) return { address, family: 6 };
  const bytes = Buffer.from(high.padStart(4, '0') + low.padStart(4, '0'), 'hex');
  return { address: bytes.join('.'), family: 4 };
}

/** The family of an IP address as written (IPv6 without brackets); undefined for other texts. */
export function addressFamily(text: string): 4 | 6 | undefined {
  if (IPV4.test(text)) return 4;
  return canonicalIpv6(text) === undefined ? undefined : 6;
}

/** `192.0.2.1` as it is, `2001:db8::1` as `[2001:db8::1]` (RFC 3261 25.1, `IPv6reference`). */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function canonicalIpv6(text: string): string | undefined {
  if (!/^[0-9a-f:.]+$/i.test(text) || !text.includes(':')) return undefined;
  const url = `http://[${text}]`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : undefined;
}

function quoted(text: string): string {
  return JSON.stringify(
    text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text,
  );
}
