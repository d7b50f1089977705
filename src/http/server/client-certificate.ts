/** Which clients may connect over TLS, by their certificates. */

import type { X509Certificate } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** https://pkg.go.dev/crypto/tls#ClientAuthType */
export const CLIENT_AUTH_TYPES = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;
export type ClientAuthType = (typeof CLIENT_AUTH_TYPES)[number];

export interface ClientPolicy {
  readonly type: ClientAuthType;
  /** The certificate must have one of these subject alternative names; undefined for any. */
  readonly allowedSans: readonly string[] | undefined;
}

export const isCertificateRequested = ({ type }: ClientPolicy) => type !== 'NoClientCert';

/** Why a client must not connect; undefined when it may. */
export function clientProblem(
  socket: Pick<TLSSocket, 'authorized' | 'authorizationError' | 'getPeerX509Certificate'>,
  { type, allowedSans }: ClientPolicy,
): string | undefined {
  if (type === 'NoClientCert') return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    return type.startsWith('Require') ? 'the client has no certificate' : undefined;
  }
  if (type.includes('Verify') && !socket.authorized) {
    return `the certificate of the client is not valid: ${String(socket.authorizationError)}`;
  }
  if (allowedSans === undefined) return undefined;
  const names = alternativeNames(certificate);
  if (names.some((name) => allowedSans.includes(name))) return undefined;
  return 'the certificate of the client has none of client_allowed_sans';
}

/** DNS names, e-mail and IP addresses, and URIs. */
export function alternativeNames({
  subjectAltName = '',
}: Pick<X509Certificate, 'subjectAltName'>): readonly string[] {
  // Node.js writes a name that has a comma or a quote as JSON.
  const entries = subjectAltName.matchAll(/(DNS|email|IP Address|URI):("(?:[^"\\]|\\.)*"|[^,]*)/g);
  return [...entries].map(([, kind, text = '']) => {
    const name = text.startsWith('"') ? String(JSON.parse(text)) : text;
    return kind === 'IP Address' && isIPv6(name) ? shortIpv6(name) : name;
  });
}

/** As RFC 5952 and Go write it. */
function shortIpv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}
