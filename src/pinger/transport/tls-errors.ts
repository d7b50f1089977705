/** What errors of TLS mean, in words. The codes are OpenSSL's, as Node writes them. */

import type { TransportFailure } from '../../shared/outcome.js';
import { printable } from '../../shared/text.js';
import { localFailure } from './socket-errors.js';

const NO_COMMON_VERSION = 'no version of TLS that both sides speak';
const REFUSED_OURS = 'the peer refused our certificate';
const DEMANDS_OURS = 'the peer demands a client certificate';
const NOT_TLS = 'what came is not TLS';
const CLOSED = 'the connection was closed during the handshake';
const NO_COMMON_CIPHER = 'no cipher that both sides speak; tls_config.ciphers may name one';
const BROKEN = 'the peer broke off the handshake';
const WEAKER = 'tls_config.ciphers with @SECLEVEL=0 takes it';

const WORDS: Readonly<Record<string, string>> = {
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: DEMANDS_OURS,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: REFUSED_OURS,
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: REFUSED_OURS,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: `${REFUSED_OURS}: revoked`,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: `${REFUSED_OURS}: expired`,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: REFUSED_OURS,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: `${REFUSED_OURS}: it does not know its authority`,
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: `${REFUSED_OURS}: access denied`,
  ERR_SSL_SSLV3_ALERT_NO_CERTIFICATE: DEMANDS_OURS,
  ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR: `${REFUSED_OURS}: its signature is wrong`,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'the peer refused the handshake; maybe no common cipher',
  ERR_SSL_SSLV3_ALERT_ILLEGAL_PARAMETER: BROKEN,
  ERR_SSL_SSLV3_ALERT_UNEXPECTED_MESSAGE: BROKEN,
  ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC: BROKEN,
  ERR_SSL_TLSV1_ALERT_DECODE_ERROR: BROKEN,
  ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR: 'the peer broke off the handshake for a fault of its own',
  ERR_SSL_TLSV1_ALERT_USER_CANCELLED: BROKEN,
  ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY: `the peer wants a stronger cipher: ${NO_COMMON_CIPHER}`,
  ERR_SSL_TLSV1_ALERT_NO_RENEGOTIATION: 'the peer does not renegotiate',
  ERR_SSL_TLSV1_ALERT_INAPPROPRIATE_FALLBACK: NO_COMMON_VERSION,
  ERR_SSL_TLSV13_ALERT_MISSING_EXTENSION: 'the peer misses an extension of TLS in what we sent',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_PSK_IDENTITY: 'the peer wants a pre-shared key',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: NO_COMMON_VERSION,
  ERR_SSL_UNSUPPORTED_PROTOCOL: NO_COMMON_VERSION,
  ERR_SSL_NO_PROTOCOLS_AVAILABLE: NO_COMMON_VERSION,
  ERR_SSL_VERSION_TOO_LOW: NO_COMMON_VERSION,
  ERR_SSL_INAPPROPRIATE_FALLBACK: NO_COMMON_VERSION,
  ERR_SSL_NO_CIPHERS_AVAILABLE: 'tls_config leaves no cipher for these versions of TLS',
  ERR_SSL_NO_SHARED_CIPHER: NO_COMMON_CIPHER,
  ERR_SSL_UNKNOWN_CIPHER_RETURNED: NO_COMMON_CIPHER,
  ERR_SSL_WRONG_CIPHER_RETURNED: NO_COMMON_CIPHER,
  ERR_SSL_DH_KEY_TOO_SMALL: `the Diffie-Hellman key of the peer is too short; ${WEAKER}`,
  ERR_SSL_EE_KEY_TOO_SMALL: `the key of the certificate is too short; ${WEAKER}`,
  ERR_SSL_CA_KEY_TOO_SMALL: `a key in the chain of the certificate is too short; ${WEAKER}`,
  ERR_SSL_CA_MD_TOO_WEAK: `a certificate of the chain is signed with a weak hash; ${WEAKER}`,
  ERR_SSL_WRONG_SIGNATURE_TYPE: `the peer signs with an algorithm that is not taken; ${WEAKER}`,
  ERR_SSL_LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED: `the peer signs with a weak hash; ${WEAKER}`,
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: `no signature algorithm that both sides take; ${WEAKER}`,
  ERR_SSL_UNSAFE_LEGACY_RENEGOTIATION_DISABLED:
    'the peer does not know secure renegotiation (RFC 5746); tls_config.legacy_renegotiation allows it',
  ERR_SSL_BAD_SIGNATURE: 'the signature of the peer is wrong',
  ERR_SSL_UNEXPECTED_MESSAGE: 'the peer does not keep to the order of the handshake',
  ERR_SSL_BAD_EXTENSION: 'an extension of TLS from the peer is malformed',
  ERR_SSL_UNEXPECTED_EOF_WHILE_READING: CLOSED,
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: 'the peer does not know the name that we asked for',
  ERR_SSL_WRONG_VERSION_NUMBER: NOT_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NOT_TLS,
  ERR_SSL_RECORD_TOO_SMALL: NOT_TLS,
  ERR_SSL_UNEXPECTED_RECORD: NOT_TLS,
  ERR_SSL_BAD_RECORD_TYPE: NOT_TLS,
  ERR_SSL_HTTP_REQUEST: NOT_TLS,
  ERR_SSL_HTTPS_PROXY_REQUEST: NOT_TLS,
  ECONNRESET: CLOSED,
  EPIPE: CLOSED,
};

/** A handshake that a peer ends after it has seen that we have no certificate. */
const ALERTS_FOR_LACK_OF_OURS = [
  'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
  'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
];

/** @param isOursMissing the peer has shown its certificate, and we have none to show. */
export function tlsFailure(error: NodeJS.ErrnoException, isOursMissing: boolean): TransportFailure {
  const code = error.code ?? '';
  const local = localFailure(error);
  if (local !== undefined) return local;
  // RFC 5246 7.4.6: the peer has shown its own certificate before it can miss ours, so there is a
  // common version and cipher; in TLS 1.3 there is an alert of its own for that.
  if (isOursMissing && ALERTS_FOR_LACK_OF_OURS.includes(code)) {
    return { reason: 'tls', detail: DEMANDS_OURS };
  }
  return { reason: 'tls', detail: WORDS[code] ?? inOpenSslsWords(error) };
}

/** What OpenSSL calls it, with its code, which can be looked up. */
function inOpenSslsWords(error: NodeJS.ErrnoException & { readonly reason?: unknown }): string {
  const { code = '', reason } = error;
  if (code === '') return 'the handshake failed';
  const words = typeof reason === 'string' ? reason : code.replace(/^ERR_SSL_/, '');
  const shown = words.replaceAll('_', ' ').toLowerCase();
  return code.startsWith('ERR_SSL_') ? `${printable(shown, MAX_SHOWN_LENGTH)} (${code})` : code;
}

const MAX_SHOWN_LENGTH = 120;

/** Whether an error of an open connection is one of TLS: TLS 1.3 misses our certificate only then. */
export function isTlsError(error: NodeJS.ErrnoException): boolean {
  return error.code?.startsWith('ERR_SSL_') ?? false;
}
