/** Which addresses may be pinged, and their canonical texts. */

import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { locationOfKey, targetKey } from '../../../src/pinger/targets/candidates.js';
import { gateAddress, gateHost } from '../../../src/shared/address.js';
import { canonicalCidr, isInCidr } from '../../../src/shared/cidr.js';

describe('the check of addresses', () => {
  for (const [given, address, family] of [
    ['192.0.2.1', '192.0.2.1', 4],
    ['127.0.0.1', '127.0.0.1', 4],
    ['169.254.1.1', '169.254.1.1', 4],
    // Reserved by RFC 1112 4, but some clouds use it.
    ['240.0.0.1', '240.0.0.1', 4],
    ['::1', '::1', 6],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1', 6],
    ['2001:db8::192.0.2.1', '2001:db8::c000:201', 6],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201', 6],
    ['fd00::1', 'fd00::1', 6],
    ['::ffff:192.0.2.1', '192.0.2.1', 4],
    ['::FFFF:7f00:1', '127.0.0.1', 4],
    ['0:0:0:0:0:ffff:a00:1', '10.0.0.1', 4],
  ] as const) {
    test(`accepts ${given} as ${address}`, () => {
      assert.deepEqual(gateAddress(given, 5060), { address, family, port: 5060 });
    });
  }

  for (const [given, problem] of [
    ['0.0.0.0', /^0\.0\.0\.0 means this host/],
    ['0.1.2.3', /means this host/],
    ['224.0.0.1', /multicast/],
    ['239.255.255.255', /multicast/],
    ['255.255.255.255', /broadcast/],
    ['::', /unspecified/],
    ['0:0:0:0:0:0:0:0', /^:: is the unspecified/],
    ['ff02::1', /multicast/],
    ['fe80::1', /link-local/],
    ['febf::1', /link-local/],
    ['fe80::1%eth0', /not an IP address/],
    ['::192.0.2.1', /^::c000:201 is IPv4-compatible/],
    ['::127.0.0.1', /IPv4-compatible/],
    ['::ffff:0.0.0.0', /^0\.0\.0\.0 means this host/],
    ['::ffff:224.0.0.1', /^224\.0\.0\.1 is a multicast/],
    ['::ffff:ffff:ffff', /broadcast/],
    ['undefined.undefined.undefined.undefined', /not an IP address/],
    ['192.0.2', /not an IP address/],
    ['192.0.2.01', /not an IP address/],
    ['0x7f.0.0.1', /not an IP address/],
    ['2130706433', /not an IP address/],
    ['[2001:db8::1]', /not an IP address/],
    ['192.0.2.1\0', /not an IP address/],
    ['192.0.2.1 ', /not an IP address/],
    ['', /not an IP address/],
    ['localhost', /not an IP address/],
    ['1'.repeat(100_000), /^"1{60}…" is not an IP address$/],
  ] as const) {
    test(`rejects ${JSON.stringify(given.slice(0, 40))}`, () => {
      const gated = gateAddress(given, 5060);
      assert.ok('problem' in gated, JSON.stringify(gated));
      assert.match(gated.problem, problem);
    });
  }

  test('rejects an invalid port', () => {
    for (const port of [0, -1, 65_536, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.deepEqual(gateAddress('192.0.2.1', port), {
        problem: `port ${port} is not from 1 to 65535`,
      });
    }
    for (const port of [1, 65_535]) assert.ok('address' in gateAddress('192.0.2.1', port));
  });

  test('returns addresses that it accepts unchanged', () => {
    const texts = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV4().map((ip) => `::ffff:${ip}`),
      fc.string(),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const gated = gateHost(text);
        if ('problem' in gated) return;
        assert.equal(isIP(gated.address), gated.family);
        assert.deepEqual(gateHost(gated.address), gated);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('targets of an earlier pinger thread', () => {
  test('are pinged again if their addresses are valid', () => {
    for (const key of ['udp 192.0.2.1:5060', 'tls [2001:db8::1]:5061']) {
      const place = locationOfKey(key);
      assert.ok(place !== undefined, key);
      assert.equal(targetKey(place), key);
    }
  });

  for (const key of [
    'udp 192.0.2.1:0',
    'udp 192.0.2.1:65536',
    'udp 192.0.2.1:99999999999999999999',
    'udp 0.0.0.0:5060',
    'udp [::]:5060',
    'udp 224.0.0.1:5060',
    'tcp undefined.undefined.undefined.undefined:5060',
    'sctp 192.0.2.1:5060',
    'udp 192.0.2.1',
    '',
  ]) {
    test(`are dropped otherwise: ${key}`, () => {
      assert.equal(locationOfKey(key), undefined);
    });
  }
});

describe('CIDR blocks', () => {
  for (const [address, block, isIn] of [
    ['127.0.0.1', '127.0.0.0/8', true],
    ['::ffff:127.0.0.1', '127.0.0.0/8', true],
    ['::ffff:7f00:1', '127.0.0.0/8', true],
    ['::ffff:10.0.0.1', '127.0.0.0/8', false],
    ['127.0.0.1', '::/0', false],
    ['::ffff:127.0.0.1', '::/0', false],
    ['2001:db8::1', '2001:db8::/32', true],
    ['2001:db8::1', '0.0.0.0/0', false],
    ['no address', '0.0.0.0/0', false],
  ] as const) {
    test(`${block} ${isIn ? 'contains' : 'does not contain'} ${address}`, () => {
      assert.equal(isInCidr(address, [block]), isIn);
    });
  }

  test('have a canonical text', () => {
    for (const [given, canonical] of [
      ['10.0.0.0/8', '10.0.0.0/8'],
      ['10.0.0.1', '10.0.0.1/32'],
      ['2001:DB8:0::/32', '2001:db8::/32'],
      ['::1', '::1/128'],
      ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
      ['::ffff:10.0.0.1', '10.0.0.1/32'],
    ] as const) {
      assert.equal(canonicalCidr(given), canonical);
    }
    assert.deepEqual(canonicalCidr('::ffff:10.0.0.0/80'), { shortest: 96, longest: 128 });
    assert.deepEqual(canonicalCidr('10.0.0.0/33'), { shortest: 0, longest: 32 });
    assert.equal(canonicalCidr('a.example'), undefined);
  });
});
