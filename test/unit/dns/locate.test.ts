/** From a URI to locations, by RFC 3263 4.1 and 4.2, on zones of the test. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseHosts } from '../../../src/pinger/dns/hosts.js';
import type { ServerLocation } from '../../../src/pinger/dns/location.js';
import { ranked } from '../../../src/pinger/targets/candidates.js';
import type { IpProtocol } from '../../../src/shared/destination.js';
import type { TransportChoice } from '../../../src/shared/outcome.js';
import { search, shown, zone } from '../../support/zone.js';

const found = (
  uri: string,
  lines: readonly string[],
  transport: TransportChoice = 'auto',
  ipProtocol: IpProtocol = 'any',
) => search(uri, lines, { change: { transport, ipProtocol } });

const HOST = ['a.test A 192.0.2.1', 'a.test AAAA 2001:db8::1'];
const SRV_UDP = ['_sip._udp.a.test SRV 10 5 5070 h1.test', 'h1.test A 192.0.2.11'];
const SRV_TCP = ['_sip._tcp.a.test SRV 20 0 5080 h2.test', 'h2.test A 192.0.2.12'];
const SRV_TLS = ['_sips._tcp.a.test SRV 0 0 5081 h3.test', 'h3.test A 192.0.2.13'];
// The example of RFC 3263 4.1: the domain prefers TLS, then TCP, then UDP.
const NAPTR = [
  'a.test NAPTR 50 50 s SIPS+D2T _sips._tcp.a.test',
  'a.test NAPTR 90 50 s SIP+D2T _sip._tcp.a.test',
  'a.test NAPTR 100 50 s SIP+D2U _sip._udp.a.test',
];

describe('a URI is served', () => {
  for (const [why, uri, lines, transport, wanted] of [
    [
      'at its port, over UDP',
      'a.test:5070',
      HOST,
      'auto',
      ['udp 192.0.2.1 5070', 'udp 2001:db8::1 5070'],
    ],
    [
      'at its port, over TLS for sips',
      'sips:a.test:5070',
      HOST,
      'auto',
      ['tls 192.0.2.1 5070', 'tls 2001:db8::1 5070'],
    ],
    [
      'at its port, whatever SRV says',
      'a.test:5060',
      [...HOST, ...SRV_UDP, ...NAPTR],
      'auto',
      ['udp 192.0.2.1 5060', 'udp 2001:db8::1 5060'],
    ],
    [
      'where NAPTR and SRV lead',
      'a.test',
      [...HOST, ...NAPTR, ...SRV_UDP, ...SRV_TCP, ...SRV_TLS],
      'auto',
      ['tls 192.0.2.13 5081 0/0'],
    ],
    [
      'where the next NAPTR leads when the first leads nowhere',
      'a.test',
      [...NAPTR, ...SRV_TCP],
      'auto',
      ['tcp 192.0.2.12 5080 20/0'],
    ],
    [
      'over a secure wire alone for sips',
      'sips:a.test',
      [...NAPTR.slice(1), ...SRV_UDP, ...SRV_TCP, ...SRV_TLS],
      'auto',
      ['tls 192.0.2.13 5081 0/0'],
    ],
    [
      'where NAPTR with flag a says',
      'a.test',
      ['a.test NAPTR 1 1 a SIP+D2T h2.test', ...SRV_TCP],
      'auto',
      ['tcp 192.0.2.12 5060'],
    ],
    [
      'over WebSocket when NAPTR says so',
      'a.test',
      ['a.test NAPTR 1 1 s SIPS+D2W _x.a.test', '_x.a.test SRV 1 1 443 h1.test', ...SRV_UDP],
      'auto',
      ['wss 192.0.2.11 443 1/1'],
    ],
    [
      'past NAPTR of services that we lack',
      'a.test',
      ['a.test NAPTR 1 1 s SIP+D2S _sip._sctp.a.test', 'a.test NAPTR 2 1 u E2U+sip !', ...SRV_UDP],
      'auto',
      ['udp 192.0.2.11 5070 10/5'],
    ],
    [
      'where SRV over UDP leads, without NAPTR',
      'a.test',
      [...HOST, ...SRV_UDP, ...SRV_TCP],
      'auto',
      ['udp 192.0.2.11 5070 10/5'],
    ],
    [
      'where SRV over TCP leads, without one for UDP',
      'a.test',
      [...HOST, ...SRV_TCP],
      'auto',
      ['tcp 192.0.2.12 5080 20/0'],
    ],
    [
      'where SRV over TLS leads, without others',
      'a.test',
      [...HOST, ...SRV_TLS],
      'auto',
      ['tls 192.0.2.13 5081 0/0'],
    ],
    [
      'at its host, over UDP, without SRV',
      'a.test',
      HOST,
      'auto',
      ['udp 192.0.2.1 5060', 'udp 2001:db8::1 5060'],
    ],
    [
      'at its host, over TLS for sips, without SRV',
      'sips:a.test',
      HOST,
      'auto',
      ['tls 192.0.2.1 5061', 'tls 2001:db8::1 5061'],
    ],
    [
      'over the wire that it names, by SRV',
      'a.test;transport=tcp',
      [...HOST, ...NAPTR, ...SRV_UDP, ...SRV_TCP],
      'auto',
      ['tcp 192.0.2.12 5080 20/0'],
    ],
    [
      'over the wire that it names, at its host',
      'a.test;transport=tcp',
      [...HOST, ...SRV_UDP],
      'auto',
      ['tcp 192.0.2.1 5060', 'tcp 2001:db8::1 5060'],
    ],
    [
      'over the wire that the settings name',
      'a.test',
      [...HOST, ...NAPTR, ...SRV_TLS, ...SRV_UDP],
      'tls',
      ['tls 192.0.2.13 5081 0/0'],
    ],
    [
      'over WebSocket at its host',
      'a.test;transport=ws',
      [...HOST, ...SRV_UDP],
      'auto',
      ['ws 192.0.2.1 80', 'ws 2001:db8::1 80'],
    ],
    [
      'by priority, then by weight',
      'a.test',
      [
        '_sip._udp.a.test SRV 20 1 1 h1.test',
        '_sip._udp.a.test SRV 10 1 2 h1.test',
        '_sip._udp.a.test SRV 10 9 3 h1.test',
        ...SRV_UDP.slice(1),
      ],
      'auto',
      ['udp 192.0.2.11 3 10/9', 'udp 192.0.2.11 2 10/1', 'udp 192.0.2.11 1 20/1'],
    ],
    [
      'once, where two names lead to one address',
      'a.test',
      [
        '_sip._udp.a.test SRV 1 1 5060 h1.test',
        '_sip._udp.a.test SRV 2 1 5060 h4.test',
        'h1.test A 192.0.2.11',
        'h4.test A 192.0.2.11',
      ],
      'auto',
      ['udp 192.0.2.11 5060 1/1'],
    ],
    [
      'elsewhere, where an SRV target has no address',
      'a.test',
      ['_sip._udp.a.test SRV 1 1 5060 gone.test', ...SRV_UDP],
      'auto',
      ['udp 192.0.2.11 5070 10/5'],
    ],
    [
      'over the next wire, where SRV says that there is no such service',
      'a.test',
      ['_sip._udp.a.test SRV 0 0 0 .', ...SRV_TCP, ...HOST],
      'auto',
      ['tcp 192.0.2.12 5080 20/0'],
    ],
  ] as const) {
    test(`${why}: ${uri}`, async () => {
      const result = await found(uri, lines, transport);
      assert.ok(result.kind === 'located', JSON.stringify(result));
      assert.deepEqual(result.locations.map(shown), wanted);
      assert.equal(result.expiresAtMs, 60_000);
    });
  }

  test('by addresses of the selected family only', async () => {
    for (const [ipProtocol, address] of [
      ['ip4', '192.0.2.1'],
      ['ip6', '2001:db8::1'],
    ] as const) {
      const result = await found('a.test', HOST, 'auto', ipProtocol);
      assert.ok(result.kind === 'located');
      assert.deepEqual(
        result.locations.map((location) => location.address),
        [address],
      );
    }
  });

  test('by the hosts file, without DNS lookups', async () => {
    const hosts = parseHosts('127.0.0.9 A.test a # here\n2001:DB8::9 a.test\nnonsense\n');
    const queries: string[] = [];
    const result = await search('a.test', zone(SRV_UDP, queries), { hosts });
    assert.ok(result.kind === 'located');
    assert.deepEqual(result.locations.map(shown), ['udp 127.0.0.9 5060', 'udp 2001:db8::9 5060']);
    assert.deepEqual([queries, result.expiresAtMs], [[], 0], 'it is looked up again soon');
  });

  test('with a step for each record', async () => {
    const result = await found('a.test', [...NAPTR, ...SRV_TCP]);
    assert.ok(result.kind === 'located');
    assert.deepEqual(
      result.locations[0]?.steps.map(({ type, name, value }) => `${type} ${name} ${value}`),
      [
        'NAPTR a.test SIP+D2T _sip._tcp.a.test',
        'SRV _sip._tcp.a.test h2.test:5080',
        'A h2.test 192.0.2.12',
      ],
    );
  });
});

describe('a failed lookup', () => {
  for (const [why, lines, reason] of [
    [
      'a name that does not exist',
      [
        'a.test NAPTR !nxdomain',
        '_sip._udp.a.test SRV !nxdomain',
        '_sip._tcp.a.test SRV !nxdomain',
        '_sips._tcp.a.test SRV !nxdomain',
        'a.test A !nxdomain',
        'a.test AAAA !nxdomain',
      ],
      'nxdomain',
    ],
    ['a name without addresses', [], 'nodata'],
    ['silence for NAPTR, and no address', ['a.test NAPTR !timeout'], 'timeout'],
    ['a server that fails, and no address', ['_sip._udp.a.test SRV !servfail'], 'servfail'],
    [
      'a fault of our own, whatever the host has',
      ['a.test NAPTR !local', ...HOST, ...SRV_UDP],
      'local',
    ],
    ['a server that refuses', ['a.test A !refused', 'a.test AAAA !refused'], 'refused'],
    [
      'an SRV target that is not there',
      [
        '_sip._udp.a.test SRV 1 1 5060 gone.test',
        'gone.test A !nxdomain',
        'gone.test AAAA !nxdomain',
      ],
      'nxdomain',
    ],
    [
      'a domain that says that there is no SIP',
      [
        '_sip._udp.a.test SRV 0 0 0 .',
        '_sip._tcp.a.test SRV 0 0 0 .',
        '_sips._tcp.a.test SRV 0 0 0 .',
      ],
      'nodata',
    ],
  ] as const) {
    test(`is reported as ${reason}: ${why}`, async () => {
      const result = await found('a.test', lines);
      assert.ok(result.kind === 'failed', JSON.stringify(result));
      assert.equal(result.reason, reason);
    });
  }

  test('is an error beside the locations found, except AAAA beside A', async () => {
    const partly = [
      '_sip._udp.a.test SRV 1 1 5060 h4.test',
      'h4.test A !timeout',
      'h4.test AAAA !timeout',
    ];
    const doubted = await found('a.test', [...partly, ...SRV_UDP]);
    assert.ok(doubted.kind === 'located');
    assert.equal(doubted.lookupError?.reason, 'timeout');
    assert.match(doubted.errors.join(), /A of h4\.test: timeout/);
    const fine = await found('a.test:5060', ['a.test A 192.0.2.1', 'a.test AAAA !servfail']);
    assert.ok(fine.kind === 'located');
    assert.deepEqual([fine.lookupError?.missing, fine.errors], ['family', []]);
  });

  test('of an SRV target is reported, even with a negative answer', async () => {
    const lines = ['_sip._udp.a.test SRV 1 1 5060 gone.test', 'gone.test A !nxdomain', ...SRV_UDP];
    const result = await found('a.test', lines);
    assert.ok(result.kind === 'located');
    assert.equal(result.lookupError, undefined);
    assert.match(result.errors.join(), /A of gone\.test: nxdomain/);
  });
});

const location = (port: number, priority: number, weight: number): ServerLocation => ({
  ...{ transport: 'udp', address: '192.0.2.1', family: 4, port, priority, weight, steps: [] },
});

describe('locations are tried', () => {
  test('by priority, and targets already pinged first within one', () => {
    const list = fc.array(fc.tuple(fc.nat(3), fc.nat(100), fc.boolean()), { maxLength: 12 });
    fc.assert(
      fc.property(list, (given) => {
        const locations = given.map(([priority, weight], i) => location(i + 1, priority, weight));
        const isPinged = ({ port }: ServerLocation) => given[port - 1]?.[2] ?? false;
        const order = ranked(locations, isPinged, Math.random);
        assert.equal(new Set(order).size, locations.length);
        for (let i = 1; i < order.length; i++) {
          const [before, after] = [order[i - 1], order[i]];
          if (before === undefined || after === undefined) continue;
          assert.ok((before.priority ?? 0) <= (after.priority ?? 0));
          if (before.priority === after.priority) assert.ok(isPinged(before) || !isPinged(after));
        }
      }),
    );
  });

  test('within a priority in proportion to their weights (RFC 2782)', () => {
    const locations = [
      location(1, 0, 10),
      location(2, 0, 30),
      location(3, 0, 60),
      location(4, 0, 0),
    ];
    const firsts = [0, 0, 0, 0];
    const rounds = 20_000;
    for (let i = 0; i < rounds; i++) {
      const [first] = ranked(locations, () => false, Math.random);
      firsts[(first?.port ?? 1) - 1] = (firsts[(first?.port ?? 1) - 1] ?? 0) + 1;
    }
    const shares = firsts.map((count) => count / rounds);
    for (const [i, wanted] of [0.1, 0.3, 0.6, 0].entries()) {
      // Five standard deviations: wrong once in a million runs.
      const spread = 5 * Math.sqrt(Math.max(wanted * (1 - wanted), 0.001) / rounds);
      assert.ok(Math.abs((shares[i] ?? 0) - wanted) < spread + 0.001, `${shares}`);
    }
  });
});
