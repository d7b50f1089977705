/** SIP messages in a datagram: the scan, header values, the response to a request. */

import assert from 'node:assert/strict';
import { headerValues } from '../../../src/pinger/sip/headers.js';
import { Scan, scan, word } from '../../../src/pinger/sip/scanner.js';
import { buildResponse, responseToOptions } from '../../../src/pinger/sip/uas.js';
import { type FuzzTarget, seedsOf } from '../target.js';

const FROM = { address: '192.0.2.1', port: 5060 };
const NAMES = ['via', 'v', 'server', 'www-authenticate'].map(word);

/** Properties of every scan result. */
function checkScan(bytes: Uint8Array, found: Scan): void {
  const { ok, status, vias, bodyAt, isResponse } = found;
  const spans = [found.sentBy, found.branch, found.method, found.requestUri, found.cseqMethod];
  for (const { start, end } of [...spans, found.server, found.userAgent]) {
    const isAbsent = start === -1 && end === -1;
    assert.ok(isAbsent || (start >= 0 && start <= end && end <= bytes.length), 'a span');
  }
  assert.ok(status === 0 || (status >= 100 && status <= 699), 'the status');
  assert.ok(bodyAt >= -1 && bodyAt <= bytes.length, 'the body');
  if (!ok) return;
  assert.ok(vias > 0 && bodyAt > 0 && found.cseqMethod.start > 0, 'a well-formed message');
  assert.ok(isResponse ? status > 0 : found.method.end > 0, 'the start line');
}

export const SCANNER: FuzzTarget = {
  seeds: [...seedsOf('sip', '.sip'), ...seedsOf('digest', '.sip')],
  dictionary: [
    ...[
      '\r\n',
      '\r\n ',
      '\r\n\r\n',
      '\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK',
      '\r\nCSeq: 1 OPTIONS',
    ],
    ...['SIP/2.0 200 OK\r\n', 'OPTIONS sip:a SIP/2.0\r\n', ' SIP/2.0', '\r\nl: 0', '\r\nv:'],
    ...[';rport', ';received=', ';branch=', '"', '\\"', ',', '<', '>', ';tag=', '[::1]', '\r\nTo:'],
    ...['\r\nFrom: a', '\r\nCall-ID: a', '\r\nRequire: x', '\0', '\n'],
  ],
  run: (input) => {
    const found = new Scan();
    scan(input, found);
    checkScan(input, found);
    const again = new Scan();
    scan(input, again);
    assert.deepEqual(again, found);
    headerValues(input, NAMES);
    if (!found.ok || found.isResponse) return;
    const { status, headers } = responseToOptions(input, found.requestUri);
    const answer = buildResponse(input, FROM, 'tag', status, headers);
    if (answer === undefined) return;
    assert.ok(answer.port > 0 && answer.port < 65536, 'the port of the response');
    const scanned = new Scan();
    scan(answer.message, scanned);
    assert.ok(scanned.ok && scanned.isResponse, `the response: ${Buffer.from(answer.message)}`);
    assert.equal(scanned.vias, found.vias, 'the Vias of the response');
  },
};
