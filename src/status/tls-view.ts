/** The JSON of a TLS handshake. The rules of views.ts apply. */

/** The last TLS handshake and the certificate that the peer presented, accepted or not. */
export interface TlsView {
  /** `TLS 1.3` or the like; null when the handshake failed earlier. */
  readonly version: string | null;
  /** IANA name; null when the handshake failed earlier. */
  readonly cipher: string | null;
  /** Whether the certificate is trusted, valid now, and for the right name. */
  readonly verified: boolean;
  /** Why the certificate is not verified. */
  readonly error: string | null;
  readonly subject: string;
  readonly issuer: string;
  /** Separated by commas: `DNS:sip.example.com`. */
  readonly subject_alternative: string;
  /** Lower-case hexadecimal. */
  readonly serial_number: string;
  /** Lower-case hexadecimal. */
  readonly fingerprint_sha256: string;
  readonly not_before: string | null;
  readonly not_after: string | null;
  /** The earliest expiry in the chain. */
  readonly chain_not_after: string | null;
  /** The certificate and those above it that the peer sent. */
  readonly chain: readonly { readonly subject: string; readonly not_after: string | null }[];
}
