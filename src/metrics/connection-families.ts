/** The metric families of targets that are reached by connections, and of their certificates. */

import type { RegisteredDestination, TargetAddress } from '../shared/destination.js';
import { CONNECT_PHASES, RTT_BUCKETS_MICROS } from '../shared/ledger/layout.js';
import type { ConnectionRow } from '../shared/ledger/reader.js';
import type { TransportName } from '../shared/outcome.js';
import type { TlsPeer } from '../shared/tls-peer.js';
import { type Emit, emitHistogram, type Family, ourLabels } from './families.js';

export interface ConnectionSample {
  readonly isTls: boolean;
  /** Undefined until a connection was made. */
  readonly row: ConnectionRow | undefined;
  /** Undefined until the peer showed a certificate. */
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

export const CONNECTION_FAMILIES: readonly Family<ConnectionSample>[] = [
  {
    name: 'sip_keepalive_connect_seconds',
    type: 'histogram',
    help: 'How long connections took to come about, by phase: connect for TCP, tls for the handshake. No part of the round-trip time; what came about during a stall of ours is not in it.',
    samples: ({ row, isTls }, emit) => {
      if (row === undefined) return;
      for (const phase of CONNECT_PHASES) {
        if (phase === 'tls' && !isTls) continue;
        emitHistogram(row.phase(phase), RTT_BUCKETS_MICROS, emit, `,phase="${phase}"`);
      }
    },
  },
  {
    name: 'sip_keepalive_tls_certificate_not_before_timestamp_seconds',
    type: 'gauge',
    help: 'From when on the certificate that the peer last showed is valid.',
    samples: ({ tls }, emit) => seconds(tls?.notBeforeMs, emit),
  },
  {
    name: 'sip_keepalive_tls_certificate_not_after_timestamp_seconds',
    type: 'gauge',
    help: 'When the certificate that the peer last showed expires, whether it was accepted or not.',
    samples: ({ tls }, emit) => seconds(tls?.notAfterMs, emit),
  },
  {
    name: 'sip_keepalive_tls_certificate_chain_not_after_timestamp_seconds',
    type: 'gauge',
    help: 'When the first certificate of the chain that the peer last showed expires.',
    samples: ({ tls }, emit) => seconds(tls?.chainNotAfterMs, emit),
  },
  {
    name: 'sip_keepalive_tls_certificate_verified',
    type: 'gauge',
    help: 'Whether the certificate that the peer last showed is trusted, in date and for the right name (1) or not (0).',
    samples: ({ tls }, emit) => {
      if (tls !== undefined) emit(tls.isVerified ? 1 : 0);
    },
  },
  {
    name: 'sip_keepalive_tls_info',
    type: 'gauge',
    help: 'The last TLS handshake and the certificate that the peer showed.',
    samples: ({ tls }, emit) => {
      if (tls === undefined) return;
      const { version, cipher, subject, issuer, serialNumber, fingerprint } = tls;
      emit(
        1,
        ourLabels({
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
