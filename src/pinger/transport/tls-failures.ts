/** What errors of TLS mean, in words. The codes are OpenSSL's, as Node writes them. */

import type { TransportFailure } from '../../shared/outcome.js';

const NO_COMMON_VERSION = 'no version of TLS that both sides speak';
const REFUSED_OURS = 'the peer refused our certificate';
const DEMANDS_OURS = 'the peer demands a client certificate';

const WORDS: Readonly<Record<string, string>> = {
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: DEMANDS_OURS,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: REFUSED_OURS,
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: REFUSED_OURS,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: `${REFUSED_OURS}: revoked`,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: `${REFUSED_OURS}: expired`,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: REFUSED_OURS,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: `${REFUSED_OURS}: it does not know its authority`,
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: `${REFUSED_OURS}: access denied`,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'the peer refused the handshake; maybe no common cipher',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: NO_COMMON_VERSION,
  ERR_SSL_UNSUPPORTED_PROTOCOL: NO_COMMON_VERSION,
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: 'the peer does not know the name that we asked for',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what came is not TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'what came is not TLS',
  ERR_SSL_HTTP_REQUEST: 'what came is not TLS',
  ECONNRESET: 'the connection was closed during the handshake',
  EPIPE: 'the connection was closed during the handshake',
};

/** A handshake that a peer ends after it has seen that we have no certificate. */
const ALERTS_FOR_LACK_OF_OURS = [
  'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
  'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
];

/** @param isOursMissing the peer has shown its certificate, and we have none to show. */
export function tlsFailure(error: NodeJS.ErrnoException, isOursMissing: boolean): TransportFailure {
  const code = error.code ?? '';
  // RFC 5246 7.4.6: the peer has shown its own certificate before it can miss ours, so there is a
  // common version and cipher; in TLS 1.3 there is an alert of its own for that.
  if (isOursMissing && ALERTS_FOR_LACK_OF_OURS.includes(code)) {
    return { reason: 'tls', detail: DEMANDS_OURS };
  }
  return { reason: 'tls', detail: WORDS[code] ?? (code || 'the handshake failed') };
}

/** Whether an error of an open connection is one of TLS: TLS 1.3 misses our certificate only then. */
export function isTlsError(error: NodeJS.ErrnoException): boolean {
  return error.code?.startsWith('ERR_SSL_') ?? false;
}
