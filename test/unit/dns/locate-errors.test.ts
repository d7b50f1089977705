/** Zones with errors, and servers that do not answer every query. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseHosts } from '../../../src/pinger/dns/hosts.js';
import { locationsOf, type SearchTrace, search, zone } from '../../support/zone.js';

const HOST = ['a.test A 192.0.2.1'];
const SRV_UDP = ['_sip._udp.a.test SRV 10 5 5070 h1.test', 'h1.test A 192.0.2.11'];
const AT_HOST = ['udp 192.0.2.1 5060'];
const AT_SRV = ['udp 192.0.2.11 5070 10/5'];

describe('an unusable record is reported, and the others are used', () => {
  for (const [why, lines, locations, note] of [
    [
      'an SRV record with port 0',
      ['_sip._udp.a.test SRV 1 1 0 h1.test', ...SRV_UDP],
      AT_SRV,
      /SRV of _sip\._udp\.a\.test to h1\.test:0: port 0/,
    ],
    [
      'an SRV record to an address',
      ['_sip._udp.a.test SRV 1 1 5060 192.0.2.9', ...SRV_UDP],
      AT_SRV,
      /SRV of _sip\._udp\.a\.test to 192\.0\.2\.9:5060: 192\.0\.2\.9 is an IP address/,
    ],
    [
      'an SRV record to an IPv6 address',
      ['_sip._udp.a.test SRV 1 1 5060 2001:db8::9', ...SRV_UDP],
      AT_SRV,
      /2001:db8::9 is an IP address/,
    ],
    [
      'an SRV record to a name with a control character',
      ['_sip._udp.a.test SRV 1 1 5060 h\0.test', ...SRV_UDP],
      AT_SRV,
      /"h\\u0000\.test" is not a host name/,
    ],
    [
      'an SRV record to a name that is too long',
      [`_sip._udp.a.test SRV 1 1 5060 ${'a.'.repeat(150)}test`, ...SRV_UDP],
      AT_SRV,
      /is not a host name/,
    ],
    [
      'an SRV record to a label that is too long',
      [`_sip._udp.a.test SRV 1 1 5060 ${'a'.repeat(64)}.test`, ...SRV_UDP],
      AT_SRV,
      /is not a host name/,
    ],
    [
      'a NAPTR record to a name with a control character',
      ['a.test NAPTR 1 1 s SIP+D2U x\n.test', ...SRV_UDP],
      AT_SRV,
      /NAPTR SIP\+D2U of a\.test: "x\\n\.test" is not a host name/,
    ],
    [
      'a NAPTR record without a replacement',
      ['a.test NAPTR 1 1 s SIP+D2U ', ...SRV_UDP],
      AT_SRV,
      /NAPTR SIP\+D2U of a\.test: the replacement is empty/,
    ],
    [
      'an address that means this host',
      ['a.test A 0.0.0.0', ...HOST],
      AT_HOST,
      /A of a\.test: 0\.0\.0\.0 means this host/,
    ],
    [
      'an unspecified address',
      ['a.test AAAA ::', ...HOST],
      AT_HOST,
      /AAAA of a\.test: :: is the unspecified/,
    ],
    ['a multicast address', ['a.test A 239.1.1.1', ...HOST], AT_HOST, /multicast/],
    ['a broadcast address', ['a.test A 255.255.255.255', ...HOST], AT_HOST, /broadcast/],
    [
      'an address that was cut short',
      ['a.test A undefined.undefined.undefined.undefined', ...HOST],
      AT_HOST,
      /A of a\.test: "undefined\.undefined\.undefined\.undefined" is not an IP address/,
    ],
    [
      'an AAAA record that was cut short',
      ['a.test AAAA 2001:db8', ...HOST],
      AT_HOST,
      /is not an IP address/,
    ],
  ] as const) {
    test(why, async () => {
      const result = await search('a.test', lines);
      assert.deepEqual(locationsOf(result), locations);
      assert.match(result.errors.join(), note);
      assert.ok(
        result.kind === 'located' && result.lookupError === undefined,
        'nothing is unknown',
      );
    });

    test(`${why}, as the only record`, async () => {
      const others: readonly string[] = [...SRV_UDP, ...HOST];
      const result = await search(
        'a.test',
        lines.filter((line) => !others.includes(line)),
      );
      assert.ok(result.kind === 'failed', JSON.stringify(result));
      assert.equal(result.reason, 'nodata');
      assert.match(result.detail, note);
      assert.match(result.errors.join(), note);
    });
  }

  test('an IPv4-mapped address counts as the IPv4 address in it', async () => {
    const result = await search('a.test', ['a.test AAAA ::ffff:192.0.2.1', ...HOST]);
    assert.deepEqual(locationsOf(result), AT_HOST, 'and one target, not two');
    const zero = await search('a.test', ['a.test AAAA ::ffff:0.0.0.0']);
    assert.match(zero.kind === 'failed' ? zero.detail : '', /0\.0\.0\.0 means this host/);
  });

  test('an IPv4-mapped address is not used for pings over IPv6 only', async () => {
    const lines = ['a.test AAAA ::ffff:192.0.2.1', 'a.test AAAA 2001:db8::1'];
    for (const change of [{ ipProtocol: 'ip6' as const }, { sourceAddress: '2001:db8::9' }]) {
      const result = await search('a.test:5060', lines, { change });
      assert.deepEqual(locationsOf(result), ['udp 2001:db8::1 5060']);
      const alone = await search('a.test:5060', lines.slice(0, 1), { change });
      assert.ok(alone.kind === 'failed');
      assert.match(alone.detail, /AAAA of a\.test: 192\.0\.2\.1 is an IPv4 address/);
    }
  });

  test('every location can be pinged, whatever the records contain', async () => {
    const word = fc.oneof(
      fc.string(),
      fc.ipV4(),
      fc.ipV6(),
      fc.domain(),
      fc.constantFrom('h1.test', 'undefined', '', '.', '\0', 'a..b', '::ffff:0.0.0.0'),
    );
    const line = fc.oneof(
      fc.tuple(fc.nat(65_535), fc.nat(3), fc.oneof(fc.nat(65_535), fc.constant(0)), word),
      fc.tuple(fc.constantFrom('A', 'AAAA'), word),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 8 }), async (given) => {
        const lines = given.map((fields) =>
          fields.length === 4
            ? `_sip._udp.a.test SRV ${fields.join(' ')}`
            : `h1.test ${fields.join(' ')}`,
        );
        const result = await search('a.test', lines);
        for (const { address, port } of result.kind === 'located' ? result.locations : []) {
          assert.match(address, /^[0-9a-f.:]+$/);
          assert.ok(port > 0 && port < 65_536);
          assert.doesNotMatch(
            address,
            /^(0|22[4-9]|23\d|255\.255\.255\.255)\.|^(::|ff[0-9a-f]{2}:.*)$/,
          );
        }
      }),
    );
  });
});

describe('names in the hosts file', () => {
  test('are not pinged at an unusable address, and not looked up in the DNS', async () => {
    const hosts = parseHosts('0.0.0.0 a.test\nfe80::1%lo0 a.test\n::ffff:192.0.2.9 b.test\n');
    const queries: string[] = [];
    const result = await search('a.test', zone(HOST, queries), { hosts });
    assert.ok(result.kind === 'failed');
    assert.match(result.detail, /hosts file entry of a\.test: 0\.0\.0\.0 means this host/);
    assert.match(result.detail, /"fe80::1%lo0" is not an IP address/);
    assert.deepEqual(queries, []);
    assert.deepEqual(locationsOf(await search('b.test', [], { hosts })), ['udp 192.0.2.9 5060']);
  });
});

describe('an unanswered lookup is skipped and reported', () => {
  const SRV_NAMES = ['_sip._udp.a.test', '_sip._tcp.a.test', '_sips._tcp.a.test'];
  for (const reason of ['servfail', 'refused', 'timeout'] as const) {
    for (const [what, lines, locations, note] of [
      ['NAPTR, before SRV', [`a.test NAPTR !${reason}`, ...SRV_UDP], AT_SRV, 'NAPTR of a.test'],
      ['NAPTR, before A', [`a.test NAPTR !${reason}`, ...HOST], AT_HOST, 'NAPTR of a.test'],
      [
        'SRV, before A',
        [`_sip._udp.a.test SRV !${reason}`, ...HOST],
        AT_HOST,
        'SRV of _sip._udp.a.test',
      ],
      [
        'NAPTR and SRV, before A',
        [`a.test NAPTR !${reason}`, ...SRV_NAMES.map((name) => `${name} SRV !${reason}`), ...HOST],
        AT_HOST,
        'SRV of _sips._tcp.a.test',
      ],
      [
        'SRV that NAPTR leads to',
        ['a.test NAPTR 1 1 s SIP+D2T x.test', `x.test SRV !${reason}`, ...SRV_UDP],
        AT_SRV,
        'SRV of x.test',
      ],
    ] as const) {
      test(`${what}: ${reason}`, async () => {
        const result = await search('a.test', lines);
        assert.deepEqual(locationsOf(result), locations);
        const isTold = result.errors.some((one) => one.startsWith(`${note}: ${reason}`));
        assert.ok(isTold, result.errors.join('\n'));
        assert.ok(result.kind === 'located');
        assert.equal(result.lookupError?.missing, 'service', 'it is queried again soon');
      });
    }
  }

  test('also when the URI names the transport', async () => {
    const lines = ['_sip._tcp.a.test SRV !servfail', ...HOST];
    const result = await search('a.test;transport=tcp', lines);
    assert.deepEqual(locationsOf(result), ['tcp 192.0.2.1 5060']);
    assert.match(result.errors.join(), /SRV of _sip\._tcp\.a\.test: servfail/);
  });

  test('but unusable SRV records do not lead to the host itself', async () => {
    const lines = ['_sip._udp.a.test SRV 1 1 5060 gone.test', ...HOST];
    const result = await search('a.test', lines);
    assert.ok(result.kind === 'failed');
    const wanted = 'A and AAAA of gone.test: nodata (target of SRV of _sip._udp.a.test)';
    assert.equal(result.detail, wanted);
  });

  test('lookups that start early are made once, even if they fail while NAPTR is pending', async () => {
    const queries: string[] = [];
    const lines = ['a.test NAPTR !timeout', '_sip._udp.a.test SRV !servfail', ...HOST];
    await search('a.test', zone(lines, queries));
    assert.equal(new Set(queries).size, queries.length, queries.join());
    assert.equal(queries.length, 6);
  });

  test('after A is answered, AAAA is awaited only briefly; A is always awaited', async () => {
    for (const [silent, wanted] of [
      ['AAAA', AT_HOST],
      ['A', undefined],
    ] as const) {
      const never = new Promise<never>(() => {});
      const zoneOf = zone([...HOST, 'a.test AAAA 2001:db8::1']);
      const trace: SearchTrace = {};
      const result = search(
        'a.test',
        (name, type) => (type === silent ? never : zoneOf(name, type)),
        {
          trace,
        },
      );
      await trace.clock?.advanceSettling(200);
      const early = await Promise.race([result, Promise.resolve('nothing yet')]);
      assert.equal(early, 'nothing yet');
      await trace.clock?.advanceSettling(100);
      const late = await Promise.race([result, Promise.resolve('nothing yet')]);
      if (typeof late === 'string') assert.equal(wanted, undefined, silent);
      else assert.deepEqual(locationsOf(late), wanted);
    }
  });
});

describe('the error of a name without locations', () => {
  for (const [why, uri, lines, text] of [
    [
      'lists all lookups',
      'a.test',
      [],
      'NAPTR, A and AAAA of a.test, SRV of _sip._udp.a.test, _sip._tcp.a.test and _sips._tcp.a.test: nodata',
    ],
    [
      'lists the SRV lookup',
      'a.test;transport=udp',
      [],
      'SRV of _sip._udp.a.test, A and AAAA of a.test: nodata',
    ],
    [
      'lists unanswered lookups and no negative answers',
      'a.test;transport=udp',
      ['_sip._udp.a.test SRV !servfail', 'a.test A !nxdomain', 'a.test AAAA !nxdomain'],
      'SRV of _sip._udp.a.test: servfail',
    ],
    [
      'says that SRV is not used because of the port',
      'a.test:5060',
      SRV_UDP,
      'A and AAAA of a.test: nodata; SRV of _sip._udp.a.test exists but is not used, because the URI has a port (RFC 3263 4.2)',
    ],
    [
      'does not mention the port when there is no SRV record',
      'a.test:5060',
      [],
      'A and AAAA of a.test: nodata',
    ],
  ] as const) {
    test(why, async () => {
      const result = await search(uri, lines);
      assert.ok(result.kind === 'failed');
      assert.equal(result.detail, text);
      assert.ok(result.errors.length > 0, 'and it is among the errors');
    });
  }

  test('says that an SRV record excludes the service', async () => {
    const lines = ['_sip._udp.a.test SRV 0 0 0 .', ...HOST];
    const result = await search('a.test;transport=udp', lines);
    assert.ok(result.kind === 'failed');
    const denial = /SRV of _sip\._udp\.a\.test: target "\." means that the service is not offered/;
    assert.match(result.detail, denial);
    assert.match(result.errors.join(), denial);
    const other = ['_sip._tcp.a.test SRV 1 1 5070 h1.test', 'h1.test A 192.0.2.11'];
    const served = await search('a.test', [...lines, ...other]);
    assert.deepEqual(locationsOf(served), ['tcp 192.0.2.11 5070 1/1']);
    assert.deepEqual(served.errors, [], 'as it is to be where another wire is served');
  });

  test('names the setting that excludes one address family', async () => {
    const lines = ['a.test AAAA 2001:db8::1'];
    const change = { sourceAddress: '192.0.2.9' };
    const result = await search('a.test:5060', lines, { change });
    assert.ok(result.kind === 'failed');
    assert.match(result.detail, /only IPv4 is used: source_address is 192\.0\.2\.9/);
    const both = await search('a.test:5060', [...lines, ...HOST], { change });
    assert.deepEqual(locationsOf(both), AT_HOST);
    assert.deepEqual(both.errors, []);
  });
});

describe('the same records lead to the same choice', () => {
  const shuffled = <T>(items: readonly T[]) =>
    fc.shuffledSubarray([...items], { minLength: items.length });

  test('of NAPTR records of one order and preference', async () => {
    const naptr = [
      'a.test NAPTR 1 1 s SIPS+D2T _sips._tcp.a.test',
      'a.test NAPTR 1 1 s SIP+D2T _sip._tcp.a.test',
      'a.test NAPTR 1 1 s SIP+D2U _sip._udp.a.test',
      'a.test NAPTR 1 1 s SIP+D2U _other._udp.a.test',
    ];
    const srv = naptr.map((line) => `${line.split(' ').at(-1)} SRV 1 1 5060 h1.test`);
    await fc.assert(
      fc.asyncProperty(shuffled(naptr), async (order) => {
        const result = await search('a.test', [...order, ...srv, 'h1.test A 192.0.2.11']);
        assert.ok(result.kind === 'located');
        const [first] = result.locations;
        assert.equal(first?.steps[0]?.value, 'SIP+D2U _other._udp.a.test');
      }),
    );
  });

  test('of SRV records of one priority and weight', async () => {
    const srv = ['h1', 'h2', 'h3', 'h4'].map((h) => `_sip._udp.a.test SRV 1 1 5060 ${h}.test`);
    const hosts = ['h1', 'h2', 'h3', 'h4'].map((h, i) => `${h}.test A 192.0.2.${i}`);
    await fc.assert(
      fc.asyncProperty(shuffled(srv), async (order) => {
        const result = await search('a.test', [...order, ...hosts]);
        const wanted = [0, 1, 2, 3].map((i) => `udp 192.0.2.${i} 5060 1/1`);
        assert.deepEqual(locationsOf(result), wanted);
      }),
    );
  });
});

test('all SRV records of one host are used, because they cost one lookup', async () => {
  const lines = Array.from(
    { length: 200 },
    (_, i) => `_sip._udp.a.test SRV 1 1 ${5000 + i} h.test`,
  );
  const result = await search('a.test', [...lines, 'h.test A 192.0.2.1'], {
    change: { maxTargets: 1 },
  });
  assert.ok(result.kind === 'located');
  assert.deepEqual([result.locations.length, result.cut], [200, 0]);
});

test('of a name with too many hosts, the most preferred ones are used', async () => {
  const queries: string[] = [];
  const lines = Array.from(
    { length: 1_500 },
    (_, i) => `_sip._udp.a.test SRV ${i} 1 5060 h${i}.test`,
  );
  const trace: SearchTrace = {};
  const result = await search('a.test', zone([...lines, 'h63.test A 192.0.2.1'], queries), {
    trace,
  });
  assert.deepEqual(locationsOf(result), ['udp 192.0.2.1 5060 63/1']);
  assert.equal(queries.filter((one) => one.startsWith('A h')).length, 64, 'twice max_targets');
  assert.ok(result.kind === 'located');
  assert.deepEqual([trace.cut, result.cut], [1_436, 1_436]);
  assert.match(result.errors.join(), /1500 records, 1436 of them not used/);
  assert.ok(result.errors.length < 200);
});
