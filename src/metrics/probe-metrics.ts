/** The metrics of one probe, in a registry of their own. Where blackbox_exporter has a metric, the name is the same. */

import { Gauge, Registry } from 'prom-client';
import { addressFamily } from '../shared/address.js';
import type { ProbeReport } from '../shared/probe-report.js';

const PHASES = ['resolve', 'connect', 'tls', 'request'] as const;

export function probeMetrics(report: ProbeReport, timeoutSeconds: number): Registry {
  const registry = new Registry();
  const set = (
    name: string,
    help: string,
    value: number,
    labels: Readonly<Record<string, string>> = {},
  ) => {
    const gauge =
      registry.getSingleMetric(name) ??
      new Gauge({ name, help, labelNames: Object.keys(labels), registers: [registry] });
    if (gauge instanceof Gauge) gauge.set(labels, value);
  };
  const { durations, address, code, reason } = report;
  set('probe_success', '1 if the destination is alive, else 0.', report.isAlive ? 1 : 0);
  set('probe_duration_seconds', 'Duration of the whole probe.', durations.total);
  set('probe_timeout_seconds', 'Timeout of the whole probe.', timeoutSeconds);
  const lookup = 'Duration of the DNS resolution; 0 for an IP address.';
  set('probe_dns_lookup_time_seconds', lookup, durations.resolve ?? 0);
  set(
    'probe_ip_protocol',
    'IP version used: 4 or 6; 0 if nothing was sent.',
    addressFamily(address ?? '') ?? 0,
  );
  const hash = 'Hash of the pinged IP address, to detect changes.';
  set('probe_ip_addr_hash', hash, address === undefined ? 0 : fnv32a(addressBytes(address)));
  set('probe_sip_status_code', 'SIP status code of the final response; 0 without one.', code ?? 0);
  for (const phase of PHASES) {
    const help =
      'Duration of each phase of the probe; 0 for a phase that was not reached, absent for one in which the exporter was paused.';
    const { [phase]: seconds = 0 } = durations;
    if (!Number.isNaN(seconds)) set('probe_sip_duration_seconds', help, seconds, { phase });
  }
  const retransmissions = 'Retransmitted requests.';
  set('probe_sip_retransmissions', retransmissions, report.retransmissions);
  if (reason !== undefined) {
    set(
      'probe_failure_info',
      'Always 1; the label is the reason why the destination is not alive.',
      1,
      { reason },
    );
  }
  setTls(report, set);
  return registry;
}

function setTls(
  { tls }: ProbeReport,
  set: (name: string, help: string, value: number, labels?: Record<string, string>) => void,
): void {
  if (tls === undefined) return;
  const earliest = 'Earliest expiry in the certificate chain.';
  if (Number.isFinite(tls.chainNotAfterMs)) {
    set('probe_ssl_earliest_cert_expiry', earliest, tls.chainNotAfterMs / 1000);
    if (tls.isVerified) {
      const last = 'Earliest expiry in the verified certificate chain.';
      const name = 'probe_ssl_last_chain_expiry_timestamp_seconds';
      set(name, last, tls.chainNotAfterMs / 1000);
    }
  }
  set(
    'probe_ssl_last_chain_info',
    'Always 1; the labels describe the certificate that the peer presented.',
    1,
    {
      fingerprint_sha256: tls.fingerprint,
      subject: tls.subject,
      issuer: tls.issuer,
      subjectalternative: tls.subjectAlternative,
      serialnumber: tls.serialNumber,
    },
  );
  if (tls.version === '') return;
  set('probe_tls_version_info', 'Always 1; the label is the TLS version used.', 1, {
    version: tls.version,
  });
}

/** The 4 or 16 bytes of an IP address. */
export function addressBytes(address: string): number[] {
  if (!address.includes(':')) return address.split('.').map(Number);
  const hex = address.replace(/[\d.]+$/, (last) => (last.includes('.') ? hexOf(last) : last));
  const [head = '', tail] = hex.split('::');
  const words = (text: string | undefined) => (text ? text.split(':') : []);
  const missing = 8 - words(head).length - words(tail).length;
  const zeros = tail === undefined ? [] : Array.from({ length: missing }, () => '0');
  return [...words(head), ...zeros, ...words(tail)].flatMap((digits) => {
    const word = Number.parseInt(digits, 16);
    return [word >> 8, word & 255];
  });
}

/** `192.0.2.1` as `c000:201`, as the end of an IPv6 address. */
function hexOf(dotted: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/** FNV-1a of 32 bits, as blackbox_exporter hashes addresses. */
export function fnv32a(bytes: readonly number[]): number {
  return bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5) >>> 0;
}
