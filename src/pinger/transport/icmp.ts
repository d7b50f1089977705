/** Texts for ICMP errors. */

import type { NetworkError } from '../net/kernel-port.js';
import { ORIGIN_ICMP, ORIGIN_ICMP6 } from '../net/layout.js';

/** Destination unreachable, by code (RFC 792; the later codes are in RFC 1812 5.2.7.1). */
const UNREACHABLE: Readonly<Record<number, string>> = {
  0: 'network unreachable',
  1: 'host unreachable',
  2: 'protocol unreachable',
  3: 'port unreachable',
  5: 'source route failed',
  6: 'network unknown',
  7: 'host unknown',
  9: 'network administratively prohibited',
  10: 'host administratively prohibited',
  13: 'administratively prohibited',
};

/** Destination unreachable, by code (RFC 4443 3.1). */
const UNREACHABLE_6: Readonly<Record<number, string>> = {
  0: 'no route to the destination',
  1: 'administratively prohibited',
  2: 'beyond the scope of the source address',
  3: 'address unreachable',
  4: 'port unreachable',
  5: 'source address failed the policy',
  6: 'route rejected',
};

/** `ICMP: port unreachable`; undefined for an error that did not come by ICMP. */
export function icmpDetail(error: NetworkError): string | undefined {
  const { origin, icmpType, icmpCode, info } = error;
  if (origin === ORIGIN_ICMP) return `ICMP: ${textOf4(icmpType, icmpCode, info)}`;
  if (origin === ORIGIN_ICMP6) return `ICMPv6: ${textOf6(icmpType, icmpCode, info)}`;
  return undefined;
}

function textOf4(type: number, code: number, info: number): string {
  if (type === 3 && code === 4) return `packet too big, the MTU is ${info}`;
  const text = type === 3 ? UNREACHABLE[code] : undefined;
  if (text !== undefined) return text;
  if (type === 11) return 'time to live exceeded';
  return `type ${type}, code ${code}`;
}

function textOf6(type: number, code: number, info: number): string {
  if (type === 2) return `packet too big, the MTU is ${info}`;
  const text = type === 1 ? UNREACHABLE_6[code] : undefined;
  if (text !== undefined) return text;
  if (type === 3) return 'hop limit exceeded';
  return `type ${type}, code ${code}`;
}
