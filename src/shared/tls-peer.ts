/** A certificate of the chain. */
export interface ChainLink {
  /** Distinguished name. */
  readonly subject: string;
  /** Milliseconds since the epoch. */
  readonly notAfterMs: number;
}

/** The TLS parameters and the certificate of a peer, accepted or rejected. */
export interface TlsPeer {
  /** `TLS 1.3` or the like; empty when the handshake was not completed. */
  readonly version: string;
  /** IANA name; empty when the handshake was not completed. */
  readonly cipher: string;
  /** Distinguished name, as in `CN=sip.example.com,O=Example`. */
  readonly subject: string;
  readonly issuer: string;
  /** Subject alternative names, joined by commas: `DNS:sip.example.com`. */
  readonly subjectAlternative: string;
  /** Lower-case hexadecimal. */
  readonly serialNumber: string;
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly fingerprint: string;
  /** Validity of the certificate, and the earliest end in its chain; milliseconds since the epoch. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly chainNotAfterMs: number;
  /** The certificate and those above it that the peer sent. */
  readonly chain: readonly ChainLink[];
  /** Whether the certificate is trusted, valid now, and for the requested name. */
  readonly isVerified: boolean;
  /** Why the certificate is not verified; empty when it is. */
  readonly fault: string;
}
