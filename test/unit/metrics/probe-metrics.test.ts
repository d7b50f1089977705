import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addressBytes, fnv32a, probeMetrics } from '../../../src/metrics/probe-metrics.js';
import type { ProbeReport } from '../../../src/shared/probe-report.js';
import type { TlsPeer } from '../../../src/shared/tls-peer.js';

const ALIVE: ProbeReport = {
  ...{
    isAlive: true,
    reason: undefined,
    detail: '',
    isAllowed: true,
    isObserved: true,
    transport: 'tls',
  },
  ...{ address: '192.0.2.1', code: 200, retransmissions: 2 },
  durations: { ...{ total: 0.5, resolve: 0.1, connect: 0.2, tls: 0.3 }, request: 0.4 },
  ...{ tls: undefined, log: [] },
};
const NOTHING: ProbeReport = {
  ...ALIVE,
  ...{ isAlive: false, reason: 'resolution', address: undefined, code: undefined },
  retransmissions: 0,
  durations: { total: 0.5, resolve: 0.5, connect: undefined, tls: undefined, request: undefined },
};
const PEER: TlsPeer = {
  ...{ version: 'TLS 1.3', cipher: 'TLS_AES_128_GCM_SHA256' },
  ...{ subject: 'CN=a.example', issuer: 'CN=root', subjectAlternative: 'DNS:a.example' },
  ...{ serialNumber: '0a', fingerprint: 'ff00', notBeforeMs: 1000, notAfterMs: 5000 },
  ...{ chainNotAfterMs: 4000, chain: [], isVerified: true, fault: '' },
};

const ALWAYS = [
  ...['probe_duration_seconds', 'probe_dns_lookup_time_seconds', 'probe_ip_addr_hash'],
  ...['probe_ip_protocol', 'probe_sip_duration_seconds', 'probe_sip_retransmissions'],
  ...['probe_sip_status_code', 'probe_success', 'probe_timeout_seconds'],
];
const TLS = [
  ...['probe_ssl_earliest_cert_expiry', 'probe_ssl_last_chain_info', 'probe_tls_version_info'],
];

/** The value of each series. */
async function seriesOf(report: ProbeReport, timeoutSeconds = 2) {
  const text = probeMetrics(report, timeoutSeconds);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line): [string, number] => {
      const [, series = '', value] = /^(.*) (\S+)$/.exec(line) ?? [];
      return [series, Number(value)];
    }),
  );
}

async function namesOf(report: ProbeReport) {
  const series = [...(await seriesOf(report)).keys()];
  return [...new Set(series.map((key) => key.replace(/\{.*/, '')))].sort();
}

describe('the metrics of a probe', () => {
  const VERIFIED = 'probe_ssl_last_chain_expiry_timestamp_seconds';
  for (const [what, report, more] of [
    ['that is alive', ALIVE, []],
    [
      'that failed',
      { ...ALIVE, isAlive: false, reason: 'code', code: 503 },
      ['probe_failure_info'],
    ],
    ['that did not come far', NOTHING, ['probe_failure_info']],
    ['over TLS', { ...ALIVE, tls: PEER }, [...TLS, VERIFIED]],
    ['over TLS that is not verified', { ...ALIVE, tls: { ...PEER, isVerified: false } }, TLS],
    [
      'whose handshake did not come to its end',
      { ...NOTHING, reason: 'tls', tls: { ...PEER, version: '', isVerified: false } },
      ['probe_failure_info', ...TLS.filter((name) => name !== 'probe_tls_version_info')],
    ],
    [
      'whose peer shows dates that are none',
      { ...ALIVE, tls: { ...PEER, chainNotAfterMs: Number.NaN } },
      TLS.filter((name) => name !== 'probe_ssl_earliest_cert_expiry'),
    ],
  ] as const satisfies readonly (readonly [string, ProbeReport, readonly string[]])[]) {
    test(`${what} are these and no others`, async () => {
      assert.deepEqual(await namesOf(report), [...ALWAYS, ...more].sort());
    });
  }

  test('have no duration of a phase in which the exporter was paused', async () => {
    const durations = { ...ALIVE.durations, connect: undefined, request: Number.NaN };
    const series = await seriesOf({ ...ALIVE, durations });
    assert.equal(series.get('probe_sip_duration_seconds{phase="connect"}'), 0);
    assert.equal(series.get('probe_sip_duration_seconds{phase="tls"}'), 0.3);
    assert.equal(series.has('probe_sip_duration_seconds{phase="request"}'), false);
  });

  test('are the results of the probe', async () => {
    const series = await seriesOf({ ...ALIVE, tls: PEER }, 4.5);
    for (const [name, value] of [
      ['probe_success', 1],
      ['probe_duration_seconds', 0.5],
      ['probe_timeout_seconds', 4.5],
      ['probe_dns_lookup_time_seconds', 0.1],
      ['probe_ip_protocol', 4],
      ['probe_ip_addr_hash', fnv32a([192, 0, 2, 1])],
      ['probe_sip_status_code', 200],
      ['probe_sip_retransmissions', 2],
      ['probe_sip_duration_seconds{phase="resolve"}', 0.1],
      ['probe_sip_duration_seconds{phase="connect"}', 0.2],
      ['probe_sip_duration_seconds{phase="tls"}', 0.3],
      ['probe_sip_duration_seconds{phase="request"}', 0.4],
      ['probe_ssl_earliest_cert_expiry', 4],
      ['probe_ssl_last_chain_expiry_timestamp_seconds', 4],
      [
        'probe_ssl_last_chain_info{fingerprint_sha256="ff00",subject="CN=a.example",issuer="CN=root",subjectalternative="DNS:a.example",serialnumber="0a"}',
        1,
      ],
      ['probe_tls_version_info{version="TLS 1.3"}', 1],
    ] as const) {
      assert.equal(series.get(name), value, name);
    }
    assert.equal(series.size, 16);
  });

  test('are 0 for phases that were not reached, with the reason of the failure', async () => {
    const series = await seriesOf(NOTHING);
    for (const name of [
      ...['probe_success', 'probe_ip_protocol', 'probe_ip_addr_hash', 'probe_sip_status_code'],
      ...['connect', 'tls', 'request'].map((p) => `probe_sip_duration_seconds{phase="${p}"}`),
    ]) {
      assert.equal(series.get(name), 0, name);
    }
    assert.equal(series.get('probe_failure_info{reason="resolution"}'), 1);
    assert.equal(
      (await seriesOf({ ...ALIVE, address: '2001:db8::1' })).get('probe_ip_protocol'),
      6,
    );
  });

  test('escape names in a certificate that would break a line', async () => {
    const subject = 'CN="a"\\,O=x\ny 1';
    const text = probeMetrics({ ...ALIVE, tls: { ...PEER, subject } }, 1);
    assert.match(text, /subject="CN=\\"a\\"\\\\,O=x\\ny 1"/);
  });

  test('of two probes are separate', async () => {
    await seriesOf({ ...ALIVE, tls: PEER, isAlive: false, reason: 'code' });
    assert.deepEqual(await namesOf(ALIVE), [...ALWAYS].sort());
  });
});

describe('the hash of an address', () => {
  // FNV-1a of 32 bits: the vectors of its authors.
  for (const [text, hash] of [
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['b', 0xe70c2de5],
    ['foobar', 0xbf9cf968],
  ] as const) {
    test(`is FNV-1a: of "${text}"`, () => assert.equal(fnv32a([...Buffer.from(text)]), hash));
  }

  for (const [address, bytes] of [
    ['192.0.2.1', 'c0000201'],
    ['0.0.0.0', '00000000'],
    ['255.255.255.255', 'ffffffff'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['1::', '00010000000000000000000000000000'],
    ['2001:db8::', '20010db8000000000000000000000000'],
    ['2001:db8:1:2:3:4:5:6', '20010db8000100020003000400050006'],
    ['2001:DB8:1::4:5:6', '20010db8000100000000000400050006'],
    ['fe80::1:0:2', 'fe800000000000000000000100000002'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    // RFC 4291 2.2: a resolver may write the last 32 bits as an IPv4 address.
    ['::192.0.2.1', '000000000000000000000000c0000201'],
    ['64:ff9b::192.0.2.1', '0064ff9b0000000000000000c0000201'],
  ] as const) {
    test(`is taken of the bytes of ${address}`, () => {
      assert.equal(Buffer.from(addressBytes(address)).toString('hex'), bytes);
    });
  }
});
