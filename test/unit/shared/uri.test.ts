import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { addressFamily, bracketed } from '../../../src/shared/address.js';
import {
  canonicalUri,
  formatUri,
  parseUri,
  pingableUri,
  transportOf,
  UriError,
} from '../../../src/shared/uri.js';

/** The canonical form, then other spellings of it. */
const CANONICAL: readonly (readonly [canonical: string, ...spellings: string[]])[] = [
  ['sip:192.168.10.20', '192.168.10.20', 'sip:192.168.10.20', 'SIP:192.168.10.20:5060'],
  ['sip:192.168.10.20', '192.168.10.20;transport=udp', 'Sip:192.168.10.20;Transport=UDP'],
  ['sip:192.168.10.20:5070', '192.168.10.20:5070', 'sip:192.168.10.20:05070'],
  ['sip:192.0.2.1;transport=tcp', '192.0.2.1:5060;TRANSPORT=TCP', '192.0.2.1;transport=tcp'],
  ['sip:192.0.2.1;transport=tls', '192.0.2.1:5061;transport=tls', '192.0.2.1;transport=TLS'],
  ['sip:192.0.2.1:5060;transport=tls', '192.0.2.1:5060;transport=tls'],
  ['sips:192.0.2.1', 'SIPS:192.0.2.1:5061', 'sips:192.0.2.1;transport=tcp'],
  ['sips:192.0.2.1:5060', 'sips:192.0.2.1:5060'],
  ['sip:+49301234@192.0.2.1', '+49301234@192.0.2.1', 'sip:+49301234@192.0.2.1:5060'],
  ['sip:Alice;day=tuesday@a.example', 'Alice;day=tuesday@A.Example'],
  ['sip:%61@a.example', 'sip:%61@a.example'],
  ['sip:[2001:db8::1]', '[2001:db8::1]', 'sip:[2001:DB8:0:0:0:0:0:1]:5060'],
  ['sip:[2001:db8::1]:5070', 'SIP:[2001:0db8::0001]:5070'],
  // RFC 4291 2.5.5.2: an IPv4-mapped address is an IPv4 address written as IPv6.
  ['sip:192.0.2.1', '[::ffff:192.0.2.1]', 'sip:[::FFFF:c000:0201]:5060'],
  ['sip:192.0.2.1:5070', '[0:0:0:0:0:ffff:192.0.2.1]:5070'],
  ['sip:example.com', 'Example.COM', 'sip:example.com.', 'SIP:EXAMPLE.com'],
  // RFC 3263 4.1, 4.2: a name with a port or a transport is resolved differently.
  ['sip:example.com:5060', 'example.com:5060'],
  ['sip:example.com;transport=udp', 'example.com;Transport=UDP'],
  ['sip:_sip._udp.example.com', '_sip._udp.example.com'],
  ['sip:xn--bcher-kva.example', 'bücher.example', 'BÜCHER.example', 'xn--bcher-kva.example'],
  ['sip:xn--bcher-kva.example:5070;lr', 'sip:Bücher.Example:5070;LR'],
  ['sip:a.example;maddr=239.255.255.1;ttl=15', 'a.example;maddr=239.255.255.1;ttl=15'],
];

const REFUSED: readonly (readonly [text: string, why: RegExp])[] = [
  ['', /host is missing/],
  ['sip:', /host is missing/],
  ['sip:alice@', /host is missing/],
  ['http://x', /this is a URL/],
  ['tel:', /a telephone number has no address/],
  ['tel:+4930123456', /a telephone number has no address/],
  ['192.0.2.1:0', /the port must be 1 to 65535/],
  ['192.0.2.1:65536', /the port must be 1 to 65535/],
  ['192.0.2.1:', /the port must be 1 to 65535/],
  ['192.0.2.1:-1', /the port must be 1 to 65535/],
  ['192.0.2.1:5e3', /the port must be 1 to 65535/],
  ['2001:db8::1', /needs brackets: \[2001:db8::1\]/],
  ['a:b:c', /too many colons/],
  ['[2001:db8::1', /colons/],
  ['[2001:db8::g]', /not an IPv6 address/],
  ['[fe80::1%eth0]', /not an IPv6 address/],
  ['[192.0.2.1]', /not an IPv6 address/],
  ['256.1.1.1', /neither an IP address nor a host name/],
  ['1.2.3', /neither an IP address nor a host name/],
  ['192.0.2.01', /neither an IP address nor a host name/],
  ['a..b', /neither an IP address nor a host name/],
  ['-a.example', /neither an IP address nor a host name/],
  [`${'a'.repeat(64)}.example`, /neither an IP address nor a host name/],
  ['alice:secret@192.0.2.1', /password/],
  ['@192.0.2.1', /user part/],
  ['al ice@192.0.2.1', /user part/],
  ['ali%4@192.0.2.1', /user part/],
  ['192.0.2.1?subject=x', /headers/],
  ['192.0.2.1;', /parameter/],
  ['192.0.2.1;a=', /parameter/],
  ['192.0.2.1;a="b"', /a display name or angle brackets/],
  [' 192.0.2.1', /neither/],
  ['192.0.2.1 ', /neither/],
  ['a b.example', /neither/],
  ['192.0.2.1\r\nX: y', /port|neither/],
  ['a\r\n.example', /neither/],
  ['bü cher.example', /neither/],
  ['bü\r\ncher.example', /neither/],
  ['bücher.example/path', /neither/],
  ['bücher.example#part', /neither/],
  ['bü%41cher.example', /neither/],
  ['<sip:192.0.2.1>', /a display name or angle brackets/],
  ['a'.repeat(1025), /longer than 1024/],
];

const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,8}$/);
const host = fc.oneof(
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
  fc.domain(),
  fc.constantFrom('Bücher.Example', 'localhost', 'ÅNGSTRÖM.example.'),
);
const uri = fc
  .record({
    scheme: fc.constantFrom('', 'sip:', 'SIP:', 'sips:', 'SiPs:'),
    user: fc.option(fc.stringMatching(/^[A-Za-z0-9+._;,-]{1,12}$/), { nil: undefined }),
    host,
    port: fc.option(fc.oneof(fc.integer({ min: 1, max: 65535 }), fc.constantFrom(5060, 5061)), {
      nil: undefined,
    }),
    transport: fc.constantFrom('', ';transport=udp', ';Transport=TCP', ';transport=TLS'),
    param: fc.option(fc.tuple(word, fc.option(word, { nil: undefined })), { nil: undefined }),
  })
  .map(({ scheme, user, host, port, transport, param }) => {
    const [name, value] = param ?? [];
    const last = name === undefined ? '' : `;x${name}${value === undefined ? '' : `=${value}`}`;
    const userText = user === undefined ? '' : `${user}@`;
    return `${scheme}${userText}${host}${port === undefined ? '' : `:${port}`}${transport}${last}`;
  });

describe('canonical URIs', () => {
  for (const [canonical, ...spellings] of CANONICAL) {
    for (const spelling of spellings) {
      test(`${spelling} is ${canonical}`, () => {
        assert.equal(canonicalUri(spelling), canonical);
        assert.equal(canonicalUri(canonical), canonical);
      });
    }
  }

  // DNS has no such rule, and URL parsers disagree about these.
  test('a name in ASCII is valid even if a label is not valid Punycode', () => {
    for (const host of ['xn--a.localhost', 'xn--0.example', 'xn--a-b.example', 'a_b.0x7g']) {
      assert.equal(parseUri(host).host, host);
    }
  });

  test('a default port or transport after a name changes its meaning', () => {
    const spellings = ['a.example', 'a.example:5060', 'a.example;transport=udp'];
    assert.equal(new Set(spellings.map((uri) => canonicalUri(uri))).size, 3);
  });

  test('the canonical form of a canonical form is the same', () => {
    fc.assert(fc.property(uri, (u) => canonicalUri(canonicalUri(u)) === canonicalUri(u)));
  });

  test('a URI that is formatted and parsed again is the same', () => {
    const isSame = (u: string) =>
      assert.deepEqual(parseUri(formatUri(parseUri(u))), { ...parseUri(u) });
    fc.assert(fc.property(uri, isSame));
  });
});

describe('an invalid URI', () => {
  for (const [text, why] of REFUSED) {
    test(`${JSON.stringify(text.slice(0, 40))} is rejected with the reason`, () => {
      assert.throws(
        () => parseUri(text),
        (error) => error instanceof UriError && why.test(error.message),
      );
    });
  }

  test('with a name that ends in a number, or in a label that ends in a hyphen, is rejected', () => {
    for (const name of ['foo.0x7f', 'foo.0X7F.', '0x7f.1', 'foo.0x', 'foo.08', 'xn--.example']) {
      assert.throws(() => parseUri(name), UriError, name);
    }
  });

  test('of any text is rejected with a UriError that quotes it', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map((text) => `sip:${text}`),
      fc.tuple(uri, fc.string({ maxLength: 3 })).map(([u, more]) => u + more),
    );
    const isHandled = (text: string) => {
      try {
        assert.match(canonicalUri(text), /^sips?:[!-~]+$/);
      } catch (error) {
        assert.ok(error instanceof UriError, String(error));
        // Text before an @ may be a password, and is not quoted.
        const isQuoted = error.message.includes(JSON.stringify(text.slice(0, 120)));
        assert.ok(isQuoted || text.includes('@'), error.message);
      }
    };
    fc.assert(fc.property(texts, isHandled), { numRuns: 2000 });
  });
});

describe('parts of a URI', () => {
  for (const [uri, otherwise, transport] of [
    ['a.example;lr;Transport=TLS', 'udp', 'tls'],
    ['a.example;lr', 'udp', 'udp'],
    ['a.example', 'wss', 'wss'],
    ['a.example;transport=udp', 'tls', 'udp'],
    ['192.0.2.1;transport=udp', 'tls', 'udp'],
    ['sips:a.example', 'udp', 'tls'],
    ['sips:a.example;transport=tcp', 'udp', 'tls'],
    ['sips:a.example;transport=ws', 'udp', 'wss'],
    ['sips:a.example', 'ws', 'wss'],
    ['sips:a.example;transport=udp', 'udp', undefined],
    ['a.example;transport=sctp', 'udp', undefined],
  ] as const) {
    test(`${uri} is ${transport === undefined ? 'not pinged' : `pinged over ${transport}`} if the setting is ${otherwise}`, () => {
      assert.equal(transportOf(parseUri(uri, otherwise), otherwise), transport);
    });
  }

  for (const [given, transport, canonical] of [
    ['192.0.2.1:5060', 'tls', 'sip:192.0.2.1:5060'],
    ['192.0.2.1:5061', 'tls', 'sip:192.0.2.1'],
    ['192.0.2.1:80', 'ws', 'sip:192.0.2.1'],
    ['192.0.2.1:443', 'wss', 'sip:192.0.2.1'],
    ['192.0.2.1:5060;transport=udp', 'tls', 'sip:192.0.2.1;transport=udp'],
    ['192.0.2.1:443;transport=wss', 'udp', 'sip:192.0.2.1;transport=wss'],
  ] as const) {
    test(`${given} is ${canonical} if the transport is ${transport}`, () => {
      assert.equal(canonicalUri(given, transport), canonical);
      assert.equal(canonicalUri(canonical, transport), canonical);
    });
  }

  for (const [host, why] of [
    ['0.0.0.0', /0\.0\.0\.0 means this host/],
    ['[::ffff:0.0.0.0]', /0\.0\.0\.0 means this host/],
    ['[::]', /:: is the unspecified address/],
    ['239.255.0.1', /multicast/],
    ['[ff02::1]', /multicast/],
    ['255.255.255.255', /broadcast/],
    ['[fe80::1]', /link-local/],
  ] as const) {
    test(`${host} is not pinged`, () => {
      assert.throws(
        () => pingableUri(host, 'auto'),
        (error) =>
          error instanceof UriError &&
          error.message.includes(`expected the address of one host, got ${JSON.stringify(host)}`) &&
          why.test(error.message),
      );
    });
  }

  test('only IPv6 addresses get brackets', () => {
    assert.equal(bracketed('2001:db8::1'), '[2001:db8::1]');
    assert.equal(bracketed('192.0.2.1'), '192.0.2.1');
    assert.equal(bracketed('a.example'), 'a.example');
  });

  test('a text is an address if Node.js says so', () => {
    const texts = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.stringMatching(/^[0-9a-f:.]{0,20}$/),
      fc.stringMatching(/^[0-9]{1,3}(\.[0-9]{1,3}){3}$/),
    );
    const agrees = (text: string) => assert.equal(addressFamily(text) ?? 0, isIP(text), text);
    fc.assert(fc.property(texts, agrees), { numRuns: 2000 });
  });
});
