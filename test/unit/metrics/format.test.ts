import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Encoding, negotiate, OPENMETRICS, TEXT } from '../../../src/metrics/format.js';

const ALL: readonly Encoding[] = ['text', 'openmetrics', 'protobuf'];
const OPEN = 'application/openmetrics-text';
const PROTO = 'application/vnd.google.protobuf';
const FAMILY = 'proto=io.prometheus.client.MetricFamily';
const DELIMITED = `${PROTO};${FAMILY};encoding=delimited`;
const UTF8 = 'escaping=allow-utf-8';

const text = (version = '0.0.4', escaping = 'underscores') =>
  `text/plain; version=${version}; charset=utf-8; escaping=${escaping}`;
const open = (version = '1.0.0', escaping = 'underscores') =>
  `${OPEN}; version=${version}; charset=utf-8; escaping=${escaping}`;
const proto = (escaping = 'underscores') =>
  `${PROTO}; ${FAMILY}; encoding=delimited; escaping=${escaping}`;

/** What Prometheus sends, by its version. */
const PROMETHEUS = {
  '2.42': `${OPEN};version=1.0.0,${OPEN};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`,
  '2.42 with native histograms': `${DELIMITED},${OPEN};version=1.0.0;q=0.8,${OPEN};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`,
  '2.50': `${OPEN};version=1.0.0;q=0.5,${OPEN};version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2`,
  '3.16': `${OPEN};version=1.0.0;${UTF8};q=0.7,${OPEN};version=0.0.1;q=0.6,text/plain;version=1.0.0;${UTF8};q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3`,
  '3.16 with native histograms': `${DELIMITED};q=0.7,${OPEN};version=1.0.0;${UTF8};q=0.6,${OPEN};version=0.0.1;q=0.5,text/plain;version=1.0.0;${UTF8};q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2`,
};

const CASES: readonly (readonly [accept: string, contentType: string])[] = [
  ['', text()],
  ['*/*', text()],
  ['text/*', text()],
  ['text/plain', text()],
  ['TEXT/Plain', text()],
  ['text/plain;version=1.0.0', text('1.0.0')],
  ['text/plain;version=2', text()],
  [`text/plain;version=1.0.0;${UTF8}`, text('1.0.0', 'allow-utf-8')],
  [PROMETHEUS['2.42'], open()],
  [PROMETHEUS['2.42 with native histograms'], proto()],
  [PROMETHEUS['2.50'], open()],
  [PROMETHEUS['3.16'], open('1.0.0', 'allow-utf-8')],
  [PROMETHEUS['3.16 with native histograms'], proto('allow-utf-8')],
  // A browser, curl.
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', text()],
  [OPEN, open()],
  [`${OPEN};version=0.0.1`, open('0.0.1')],
  [`${OPEN};version=1.0.0`, open('1.0.0')],
  [`${OPEN};version="1.0.0"`, open('1.0.0')],
  [`${OPEN} ; Version=1.0.0 ; Q=0.5 , text/plain;q=0.4`, open()],
  [`${OPEN};version=2.0.0`, text()],
  [`${OPEN};version=2.0.0,${OPEN};version=1.0.0;q=0.1`, open()],
  // Quality.
  [`${OPEN};q=0.5, text/plain;q=0.5`, open()],
  [`text/plain;q=0.5, ${OPEN};q=0.5`, text()],
  [`${OPEN};q=0.4, text/plain;q=0.5`, text()],
  [`text/plain;q=0.4, ${OPEN};q=0.5`, open()],
  [`*/*, ${OPEN}`, open()],
  [`*/*;q=0.9, ${OPEN};q=0.5`, text()],
  [`text/*, ${OPEN};q=0.9`, text()],
  [`${OPEN};q=0`, text()],
  [`${OPEN};q=0.000, text/plain;q=0`, text()],
  ['*/*;q=0', text()],
  [`${OPEN};q=1.000`, open()],
  [`${OPEN};q=.5`, open()],
  [`${OPEN};q=1.`, open()],
  ...['-1', '2', 'NaN', 'Infinity', '1e0', 'high', '', '0x1'].map(
    (quality) => [`${OPEN};q=${quality}`, text()] as const,
  ),
  // Protobuf.
  [DELIMITED, proto()],
  [`${PROTO};encoding=delimited;${FAMILY}`, proto()],
  [`${PROTO};proto="io.prometheus.client.MetricFamily";encoding="delimited"`, proto()],
  [PROTO, text()],
  [`${PROTO};${FAMILY}`, text()],
  [`${PROTO};${FAMILY};encoding=text`, text()],
  [`${PROTO};${FAMILY};encoding=compact-text`, text()],
  [`${PROTO};proto=io.prometheus.client.Metric;encoding=delimited`, text()],
  [`${PROTO};proto=com.example.Other;encoding=delimited,${OPEN};q=0.5`, open()],
  [`${DELIMITED};q=0,${OPEN};q=0.1`, open()],
  ['application/*', text()],
  // Escaping: that of the format that is chosen; of protobuf otherwise the first that the header has.
  ...['allow-utf-8', 'underscores', 'dots', 'values'].map(
    (escaping) => [`${DELIMITED};escaping=${escaping}`, proto(escaping)] as const,
  ),
  [`${DELIMITED};escaping=dots,${OPEN};${UTF8}`, proto('dots')],
  [`${DELIMITED};escaping=none,${OPEN};${UTF8};q=0`, proto()],
  [`${OPEN},text/plain;${UTF8};q=0.1`, open()],
  [`${OPEN};escaping=none`, open()],
  [`${OPEN};escaping=`, open()],
  [`${OPEN};escaping="dots"`, open('1.0.0', 'dots')],
  [`${OPEN};q=0.1;${UTF8}, text/plain`, text()],
  // Garbage.
  [',', text()],
  [';;,;=,=;q', text()],
  ['"', text()],
  [`"${OPEN}"`, text()],
  [`x/y;a="b,c;d", ${OPEN}`, open()],
  [`x/y;a="b, ${OPEN}`, open()],
  ['\u0000\u00ff/;q=1', text()],
  [`${OPEN};__proto__=x;constructor=y`, open()],
  ['x'.repeat(8192), text()],
  [','.repeat(8192), text()],
  ['"'.repeat(8191), text()],
  [';'.repeat(8192), text()],
  [`${'text/html;q=0.1,'.repeat(512)}${OPEN}`, open()],
];

describe('the format of /metrics', () => {
  for (const [accept, contentType] of CASES) {
    const shown = accept.length > 90 ? `${accept.slice(0, 90)}… (${accept.length})` : accept;
    test(`is ${contentType} for Accept: ${JSON.stringify(shown)}`, () => {
      assert.equal(negotiate(accept, ALL).contentType, contentType);
    });
  }

  test('says of itself what its content type says', () => {
    for (const [accept] of CASES) {
      const { encoding, escaping, contentType } = negotiate(accept, ALL);
      assert.ok(contentType.endsWith(`; escaping=${escaping}`));
      const type = { text: 'text/plain', openmetrics: OPEN, protobuf: PROTO }[encoding];
      assert.ok(contentType.startsWith(`${type}; `));
    }
  });

  test('is the next one that the client accepts when the first is not offered', () => {
    const accept = PROMETHEUS['3.16 with native histograms'];
    assert.equal(
      negotiate(accept, ['text', 'openmetrics']).contentType,
      open('1.0.0', 'allow-utf-8'),
    );
    assert.equal(negotiate(accept, ['text']).contentType, text('1.0.0', 'allow-utf-8'));
    assert.equal(negotiate(DELIMITED, ['text']).contentType, text());
  });

  test('is always one of those offered, whatever the header', () => {
    const part = fc.constantFrom(OPEN, PROTO, DELIMITED, 'text/plain', '*/*', ';', ',', 'q=', '"');
    const header = fc.array(fc.oneof(part, fc.string({ maxLength: 5 })), { maxLength: 12 });
    fc.assert(
      fc.property(header, (parts) => {
        const { encoding } = negotiate(parts.join(''), ['text', 'openmetrics']);
        assert.ok(encoding !== 'protobuf');
      }),
    );
  });

  test('has the versions that a client gets who does not name one', () => {
    assert.equal(TEXT.contentType, text());
    assert.equal(OPENMETRICS.contentType, open());
  });
});
