/** Connections of one destination, and the certificates that it presents. */

import type { Section } from '../builders/board.js';
import { CONNECT, certificateLeft, quantile } from '../builders/expressions.js';
import * as looks from '../builders/looks.js';
import { bars, lines, rowsTable, timeline } from '../builders/panels.js';
import { latest, rows, series } from '../builders/queries.js';
import { ONE, TARGET } from './selection.js';

const { UNITS } = looks;
const NO_CONNECTION = 'Pinged over UDP, or not connected yet';
const NO_TLS = 'Not pinged over TLS or WSS, or no certificate received yet';

/** Labelled `of`, so that one query can sort both. */
const daysLeft = (of: 'certificate' | 'certificate_chain', label: string) =>
  `label_replace((${certificateLeft(ONE, 'address', of)}) / 86400, "of", "${label}", "", "")`;

const validity = (end: string) =>
  rows(
    `max by (instance, ${TARGET}) (sip_keepalive_tls_certificate_${end}_timestamp_seconds{${ONE}}) * 1000`,
  );

export const connections: Section = {
  title: 'Connections and certificates',
  panels: [
    lines({
      title: 'Connection setup time',
      description:
        'Median and 95th percentile by phase: connect is TCP, tls is the handshake. Few values, because connections are kept.',
      ...{ empty: NO_CONNECTION, unit: UNITS.seconds, span: 8, height: 8 },
      queries: [0.5, 0.95].map((q) =>
        series(quantile(q, CONNECT, ONE, 'phase', '$__range'), `{{phase}} p${q * 100}`),
      ),
    }),
    bars({
      title: 'Certificate days left',
      description:
        'Days until the certificate of each address expires, and until the first certificate of its chain does; below 0 it has expired.',
      ...{ empty: NO_TLS, unit: UNITS.days, decimals: 1, span: 8, height: 8, isSigned: true },
      ...{ thresholds: looks.daysLeft(), runbook: 'SipKeepaliveCertificateExpiring' },
      queries: [
        latest(
          `sort(${daysLeft('certificate', 'certificate')} or ${daysLeft('certificate_chain', 'chain')})`,
          '{{address}} {{of}}',
        ),
      ],
    }),
    timeline({
      title: 'Certificate accepted',
      description: 'Whether the certificate is trusted, valid now, and issued for the right name.',
      ...{ empty: NO_TLS, span: 8, height: 8, mappings: looks.YES_OR_NO },
      runbook: 'SipKeepaliveCertificateNotAccepted',
      queries: [
        series(`min by (address) (sip_keepalive_tls_certificate_verified{${ONE}})`, '{{address}}'),
      ],
    }),
    rowsTable({
      title: 'Certificates',
      description: 'The last handshake with each address, and the certificate received.',
      ...{ empty: NO_TLS, span: 24, height: 5 },
      queries: [
        rows(`sip_keepalive_tls_info{${ONE}}`),
        validity('not_before'),
        validity('not_after'),
      ],
      columns: [
        ['transport', 'Transport'],
        ['address', 'Address'],
        ['version', 'Version'],
        ['cipher', 'Cipher'],
        ['subject', 'Subject'],
        ['issuer', 'Issuer'],
        ['Value #B', 'Valid from', looks.unit(UNITS.date)],
        ['Value #C', 'Valid until', looks.unit(UNITS.date)],
        ['serialnumber', 'Serial number'],
        ['fingerprint_sha256', 'Fingerprint'],
      ],
      hidden: ['__name__', 'job', 'destination', 'Value #A'],
    }),
  ],
};
