/** What a TLS handshake shows of a peer, with an accepted or a rejected certificate. */
export interface TlsPeer {
  /** Such as `TLS 1.3`; empty when the handshake was not completed. */
  readonly version: string;
  /** IANA name; empty when the handshake was not completed. */
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
  /** The certificate is trusted, in date, and for the requested name. */
  readonly isVerified: boolean;
  /** Why it is not verified; empty when it is. */
  readonly fault: string;
}
