/** Texts for TLS errors. The codes are those of OpenSSL, as Node.js writes them. */

import type { TransportFailure } from '../../shared/outcome.js';
import { printable } from '../../shared/text.js';
import { localFailure } from './socket-errors.js';

const NO_COMMON_VERSION = 'no common TLS version';
const REJECTED_CLIENT = 'the peer rejected the client certificate';
const CLIENT_REQUIRED = 'the peer requires a client certificate';
const NOT_TLS = 'the peer does not speak TLS';
const CLOSED = 'the connection was closed during the handshake';
const NO_COMMON_CIPHER = 'no common cipher; see tls_config.ciphers';
const ABORTED = 'the peer aborted the handshake';
const ALLOW_WEAK = 'tls_config.ciphers with @SECLEVEL=0 allows it';

const TEXTS: Readonly<Record<string, string>> = {
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: CLIENT_REQUIRED,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: REJECTED_CLIENT,
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: REJECTED_CLIENT,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: `${REJECTED_CLIENT}: revoked`,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: `${REJECTED_CLIENT}: expired`,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: REJECTED_CLIENT,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: `${REJECTED_CLIENT}: unknown authority`,
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: `${REJECTED_CLIENT}: access denied`,
  ERR_SSL_SSLV3_ALERT_NO_CERTIFICATE: CLIENT_REQUIRED,
  ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR: `${REJECTED_CLIENT}: invalid signature`,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'the peer refused the handshake; maybe no common cipher',
  ERR_SSL_SSLV3_ALERT_ILLEGAL_PARAMETER: ABORTED,
  ERR_SSL_SSLV3_ALERT_UNEXPECTED_MESSAGE: ABORTED,
  ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC: ABORTED,
  ERR_SSL_TLSV1_ALERT_DECODE_ERROR: ABORTED,
  ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR: 'the peer aborted the handshake: internal error of the peer',
  ERR_SSL_TLSV1_ALERT_USER_CANCELLED: ABORTED,
  ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY: `the peer requires a stronger cipher: ${NO_COMMON_CIPHER}`,
  ERR_SSL_TLSV1_ALERT_NO_RENEGOTIATION: 'the peer does not renegotiate',
  ERR_SSL_TLSV1_ALERT_INAPPROPRIATE_FALLBACK: NO_COMMON_VERSION,
  ERR_SSL_TLSV13_ALERT_MISSING_EXTENSION: 'the peer requires a TLS extension that was not sent',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_PSK_IDENTITY: 'the peer requires a pre-shared key',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: NO_COMMON_VERSION,
  ERR_SSL_UNSUPPORTED_PROTOCOL: NO_COMMON_VERSION,
  ERR_SSL_NO_PROTOCOLS_AVAILABLE: NO_COMMON_VERSION,
  ERR_SSL_VERSION_TOO_LOW: NO_COMMON_VERSION,
  ERR_SSL_INAPPROPRIATE_FALLBACK: NO_COMMON_VERSION,
  ERR_SSL_NO_CIPHERS_AVAILABLE: 'tls_config leaves no cipher for these versions of TLS',
  ERR_SSL_NO_SHARED_CIPHER: NO_COMMON_CIPHER,
  ERR_SSL_UNKNOWN_CIPHER_RETURNED: NO_COMMON_CIPHER,
  ERR_SSL_WRONG_CIPHER_RETURNED: NO_COMMON_CIPHER,
  ERR_SSL_DH_KEY_TOO_SMALL: `the Diffie-Hellman key of the peer is too short; ${ALLOW_WEAK}`,
  ERR_SSL_EE_KEY_TOO_SMALL: `the key of the certificate is too short; ${ALLOW_WEAK}`,
  ERR_SSL_CA_KEY_TOO_SMALL: `a key in the chain of the certificate is too short; ${ALLOW_WEAK}`,
  ERR_SSL_CA_MD_TOO_WEAK: `a certificate of the chain is signed with a weak hash; ${ALLOW_WEAK}`,
  ERR_SSL_WRONG_SIGNATURE_TYPE: `the peer signs with an algorithm that is not accepted; ${ALLOW_WEAK}`,
  ERR_SSL_LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED: `the peer signs with a weak hash; ${ALLOW_WEAK}`,
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: `no common signature algorithm; ${ALLOW_WEAK}`,
  ERR_SSL_UNSAFE_LEGACY_RENEGOTIATION_DISABLED:
    'the peer does not support secure renegotiation (RFC 5746); tls_config.legacy_renegotiation allows it',
  ERR_SSL_BAD_SIGNATURE: 'the signature of the peer is invalid',
  ERR_SSL_UNEXPECTED_MESSAGE: 'the peer sent a handshake message out of order',
  ERR_SSL_BAD_EXTENSION: 'the peer sent a malformed TLS extension',
  ERR_SSL_UNEXPECTED_EOF_WHILE_READING: CLOSED,
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: 'the peer does not know the requested server name',
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

/** Alerts that peers send when the client certificate is missing. */
const CLIENT_MISSING_ALERTS = [
  'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
  'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
];

/** OpenSSL 3.5, of later Node.js, names the alerts of all versions otherwise than 3.0. */
const RENAMED_ALERTS = ['ERR_SSL_SSL/TLS_ALERT_', 'ERR_SSL_SSLV3_ALERT_'] as const;

/** @param isClientMissing the peer has sent its certificate, and no client certificate is configured. */
export function tlsFailure(
  error: NodeJS.ErrnoException,
  isClientMissing: boolean,
): TransportFailure {
  const code = (error.code ?? '').replace(...RENAMED_ALERTS);
  const local = localFailure(error);
  if (local !== undefined) return local;
  // RFC 5246 7.4.6: the peer sends its certificate before it expects the client's, so there is a
  // common version and cipher. TLS 1.3 has a separate alert.
  if (isClientMissing && CLIENT_MISSING_ALERTS.includes(code)) {
    return { reason: 'tls', detail: CLIENT_REQUIRED };
  }
  return { reason: 'tls', detail: TEXTS[code] ?? openSslText(error) };
}

/** OpenSSL's own text, with its code for a web search. */
function openSslText(error: NodeJS.ErrnoException & { readonly reason?: unknown }): string {
  const { code = '', reason } = error;
  if (code === '') return 'the handshake failed';
  const raw = typeof reason === 'string' ? reason : code.replace(/^ERR_SSL_/, '');
  const text = printable(raw.replaceAll('_', ' ').toLowerCase(), MAX_TEXT_LENGTH);
  return code.startsWith('ERR_SSL_') ? `${text} (${code})` : code;
}

const MAX_TEXT_LENGTH = 120;

/** Whether it is a TLS error. With TLS 1.3 the peer may reject the client after the handshake. */
export function isTlsError(error: NodeJS.ErrnoException): boolean {
  return error.code?.startsWith('ERR_SSL_') ?? false;
}
