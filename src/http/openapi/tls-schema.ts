/** The schema of a TLS handshake and its certificate. */

import { closedObject, listOf, nullable, text, time } from './schema.js';

const CERTIFICATE_TIME = (what: string) => nullable(time(what));

export const TLS = closedObject(
  {
    version: nullable(text('TLS 1.3 or the like.')),
    cipher: nullable(text('The IANA name.')),
    verified: {
      type: 'boolean',
      description: 'Whether the certificate is trusted, valid now, and for the right name.',
    },
    error: nullable(text('Why the certificate is not verified.')),
    subject: text(),
    issuer: text(),
    subject_alternative: text('Separated by commas.'),
    serial_number: text('Hexadecimal.'),
    fingerprint_sha256: text('Hexadecimal.'),
    not_before: CERTIFICATE_TIME('Start of its validity.'),
    not_after: CERTIFICATE_TIME('End of its validity.'),
    chain_not_after: CERTIFICATE_TIME('The earliest expiry in the chain.'),
    chain: listOf(
      closedObject({
        subject: text('Distinguished name.'),
        not_after: CERTIFICATE_TIME('End of its validity.'),
      }),
    ),
  },
  'The last TLS handshake and the certificate that the peer presented, accepted or not.',
);
