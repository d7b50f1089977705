/** What a TLS handshake shows of a peer, whether its certificate is accepted or not. */
export interface TlsPeer {
  /** As in `TLS 1.3`; empty when the handshake did not come so far. */
  readonly version: string;
  /** As OpenSSL names it; empty when the handshake did not come so far. */
  readonly cipher: string;
  /** Distinguished name, as in `CN=sip.example.com,O=Example`. */
  readonly subject: string;
  readonly issuer: string;
  /** Names that the certificate is for, joined by commas: `DNS:sip.example.com`. */
  readonly subjectAlternative: string;
  /** Lower-case hexadecimal. */
  readonly serialNumber: string;
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly fingerprint: string;
  /** Wall clock, milliseconds; of the certificate, and the earliest of its chain. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly chainNotAfterMs: number;
  /** Whether the certificate is trusted, in date and for the name that was asked for. */
  readonly isVerified: boolean;
  /** Why it is not, in words; empty when it is. */
  readonly fault: string;
}
