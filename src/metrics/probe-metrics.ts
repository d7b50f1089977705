/** The metrics of one probe in the text format, with the names of blackbox_exporter where it has them. */

import { addressFamily } from '../shared/address.js';
import type { ProbeReport } from '../shared/probe-report.js';
import { labelText } from './sample-labels.js';

const PHASES = ['resolve', 'connect', 'tls', 'request'] as const;

/** Help of every metric; all are gauges. */
const METRICS = {
  probe_success: '1 if the destination is alive, else 0.',
  probe_duration_seconds: 'Duration of the whole probe.',
  probe_timeout_seconds: 'Timeout of the whole probe.',
  probe_dns_lookup_time_seconds: 'Duration of the DNS resolution; 0 for an IP address.',
  probe_ip_protocol: 'IP version used: 4 or 6; 0 if nothing was sent.',
  probe_ip_addr_hash: 'Hash of the pinged IP address, to detect changes.',
  probe_sip_status_code: 'SIP status code of the final response; 0 without one.',
  probe_sip_duration_seconds:
    'Duration of each phase of the probe; 0 for a phase that was not reached, absent for one in which the exporter was paused.',
  probe_sip_retransmissions: 'Retransmitted requests.',
  probe_failure_info: 'Always 1; the label is the reason why the destination is not alive.',
  probe_ssl_earliest_cert_expiry: 'Earliest expiry in the certificate chain.',
  probe_ssl_last_chain_expiry_timestamp_seconds:
    'Earliest expiry in the verified certificate chain.',
  probe_ssl_last_chain_info:
    'Always 1; the labels describe the certificate that the peer presented.',
  probe_tls_version_info: 'Always 1; the label is the TLS version used.',
} as const;

type Metric = keyof typeof METRICS;

export function probeMetrics(report: ProbeReport, timeoutSeconds: number): string {
  const { durations, address = '', code = 0, reason } = report;
  return [
    gauge('probe_success', report.isAlive ? 1 : 0),
    gauge('probe_duration_seconds', durations.total),
    gauge('probe_timeout_seconds', timeoutSeconds),
    gauge('probe_dns_lookup_time_seconds', durations.resolve ?? 0),
    gauge('probe_ip_protocol', addressFamily(address) ?? 0),
    gauge('probe_ip_addr_hash', address === '' ? 0 : fnv32a(addressBytes(address))),
    gauge('probe_sip_status_code', code),
    phases(durations),
    gauge('probe_sip_retransmissions', report.retransmissions),
    reason === undefined ? '' : gauge('probe_failure_info', 1, { reason }),
    tlsMetrics(report),
  ].join('');
}

function gauge(name: Metric, value: number, labels: Readonly<Record<string, string>> = {}): string {
  return `${heading(name)}${sample(name, value, labels)}`;
}

function heading(name: Metric): string {
  return `# HELP ${name} ${METRICS[name]}\n# TYPE ${name} gauge\n`;
}

function sample(name: Metric, value: number, labels: Readonly<Record<string, string>>): string {
  const text = labelText(labels, '{');
  return `${name}${text}${text === '' ? '' : '}'} ${value}\n`;
}

function phases(durations: ProbeReport['durations']): string {
  const name = 'probe_sip_duration_seconds';
  const samples = PHASES.map((phase) => {
    const { [phase]: seconds = 0 } = durations;
    return Number.isNaN(seconds) ? '' : sample(name, seconds, { phase });
  });
  return `${heading(name)}${samples.join('')}`;
}

/** The metrics of the certificate; empty if the peer has not presented one. */
function tlsMetrics({ tls }: ProbeReport): string {
  if (tls === undefined) return '';
  const expiry = tls.chainNotAfterMs / 1000;
  const hasExpiry = Number.isFinite(expiry);
  return [
    hasExpiry ? gauge('probe_ssl_earliest_cert_expiry', expiry) : '',
    hasExpiry && tls.isVerified
      ? gauge('probe_ssl_last_chain_expiry_timestamp_seconds', expiry)
      : '',
    gauge('probe_ssl_last_chain_info', 1, {
      fingerprint_sha256: tls.fingerprint,
      subject: tls.subject,
      issuer: tls.issuer,
      subjectalternative: tls.subjectAlternative,
      serialnumber: tls.serialNumber,
    }),
    tls.version === '' ? '' : gauge('probe_tls_version_info', 1, { version: tls.version }),
  ].join('');
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

/** 32-bit FNV-1a, with which blackbox_exporter hashes addresses. */
export function fnv32a(bytes: readonly number[]): number {
  return bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5) >>> 0;
}
