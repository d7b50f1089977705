/** The metric families of targets over TCP, TLS, WS and WSS, and of their certificates. */

import type { RegisteredDestination, TargetAddress } from '../shared/destination.js';
import { CONNECT_PHASES } from '../shared/ledger/layout.js';
import type { ConnectionRow } from '../shared/ledger/rows.js';
import type { TransportName } from '../shared/outcome.js';
import type { TlsPeer } from '../shared/tls-peer.js';
import type { Emit, Family } from './families.js';
import { labelOf, reservedLabels } from './sample-labels.js';

export interface ConnectionSample {
  readonly isTls: boolean;
  /** Undefined before the first connection. */
  readonly row: ConnectionRow | undefined;
  /** Undefined before the peer has presented a certificate. */
  readonly tls: TlsPeer | undefined;
}

export function connectionSample(
  registered: RegisteredDestination,
  target: TargetAddress,
  row: ConnectionRow | undefined,
): ConnectionSample {
  return { isTls: isTls(target.transport), row, tls: registered.peers.get(target.slot.index)?.tls };
}

function isTls(transport: TransportName): boolean {
  return transport === 'tls' || transport === 'wss';
}

const seconds = (ms: number | undefined, emit: Emit) => {
  if (ms !== undefined && Number.isFinite(ms)) emit(ms / 1000);
};

const phaseLabel = labelOf('phase');

export const CONNECTION_FAMILIES: readonly Family<ConnectionSample>[] = [
  {
    name: 'sip_keepalive_connect_seconds',
    type: 'histogram',
    help: 'Connection setup time by phase: connect for TCP, tls for the TLS handshake. Not included in the round-trip time; not observed while the pinger thread is paused.',
    histograms: ({ row, isTls }, emit) => {
      if (row === undefined) return;
      for (const phase of CONNECT_PHASES) {
        if (phase === 'tls' && !isTls) continue;
        emit(row.phase(phase), phaseLabel(phase));
      }
    },
  },
  {
    name: 'sip_keepalive_tls_certificate_not_before_timestamp_seconds',
    type: 'gauge',
    help: 'Start of validity of the certificate that the peer last presented.',
    samples: ({ tls }, emit) => seconds(tls?.notBeforeMs, emit),
  },
  {
    name: 'sip_keepalive_tls_certificate_not_after_timestamp_seconds',
    type: 'gauge',
    help: 'Expiry of the certificate that the peer last presented, accepted or not.',
    samples: ({ tls }, emit) => seconds(tls?.notAfterMs, emit),
  },
  {
    name: 'sip_keepalive_tls_certificate_chain_not_after_timestamp_seconds',
    type: 'gauge',
    help: 'Earliest expiry in the certificate chain that the peer last presented.',
    samples: ({ tls }, emit) => seconds(tls?.chainNotAfterMs, emit),
  },
  {
    name: 'sip_keepalive_tls_certificate_verified',
    type: 'gauge',
    help: '1 if the certificate that the peer last presented is trusted, in date and for the right name, else 0.',
    samples: ({ tls }, emit) => {
      if (tls !== undefined) emit(tls.isVerified ? 1 : 0);
    },
  },
  {
    name: 'sip_keepalive_tls_info',
    type: 'gauge',
    help: 'Always 1; the labels describe the last TLS handshake and the certificate that the peer presented.',
    samples: ({ tls }, emit) => {
      if (tls === undefined) return;
      const { version, cipher, subject, issuer, serialNumber, fingerprint } = tls;
      emit(
        1,
        reservedLabels({
          version,
          cipher,
          subject,
          issuer,
          serialnumber: serialNumber,
          fingerprint_sha256: fingerprint,
        }),
      );
    },
  },
];
