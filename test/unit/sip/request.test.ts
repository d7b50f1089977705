import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as sip from 'sip';
import { RandomHex } from '../../../src/pinger/sip/random-hex.js';
import {
  branchOf,
  indexOfBranch,
  isBranch,
  isBranchOf,
  type PingTemplate,
  pingTemplate,
  stamp,
  stampAgain,
} from '../../../src/pinger/sip/request.js';
import { is, isIgnoringBlanks, Scan, scan } from '../../../src/pinger/sip/scanner.js';
import type { Identity, PingSettings } from '../../../src/shared/destination.js';
import type { TransportName } from '../../../src/shared/outcome.js';
import { parseUri } from '../../../src/shared/uri.js';
import { settings } from '../../support/settings.js';

const AGENT = { userAgent: 'sip-keepalive-exporter/1.2.3' };

interface Given {
  readonly uri?: string;
  readonly index?: number;
  readonly address?: string;
  readonly identity?: Partial<Identity>;
  readonly settings?: Partial<Omit<PingSettings, 'identity' | 'tls'>>;
  readonly transport?: TransportName;
  readonly cseq?: number;
  readonly credentials?: readonly (readonly [string, string])[];
}

function template(given: Given) {
  const { uri = '192.0.2.1', index = 5, address = '192.0.2.99', transport = 'udp' } = given;
  return pingTemplate({
    uri: parseUri(uri, transport),
    transport,
    settings: settings({ ...given.settings, identity: { ...AGENT, ...given.identity } }),
    local: { address, port: 40_000 },
    index,
    cseq: given.cseq ?? 1,
    credentials: given.credentials ?? [],
  });
}

const textOf = ({ bytes }: PingTemplate) => Buffer.from(bytes).toString('latin1');

/** The values of all headers by name, as they are in the text. */
function headersOf(request: PingTemplate): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  const [head = ''] = textOf(request).split('\r\n\r\n');
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  return headers;
}

function scanned(bytes: Uint8Array): Scan {
  const result = new Scan();
  scan(bytes, result);
  return result;
}

describe('the request of a ping', () => {
  test('has every header that RFC 3261 8.1.1 and 11.1 require, once', () => {
    const headers = headersOf(template({}));
    for (const [name, value] of [
      ['via', /^SIP\/2\.0\/UDP 192\.0\.2\.99:40000;branch=z9hG4bK[0-9a-f]{40};rport$/],
      ['max-forwards', /^70$/],
      ['from', /^<sip:keepalive@192\.0\.2\.99>;tag=\w{16}$/],
      ['to', /^<sip:192\.0\.2\.1>$/],
      ['call-id', /^\w{32}$/],
      ['cseq', /^1 OPTIONS$/],
      ['contact', /^<sip:keepalive@192\.0\.2\.99:40000>$/],
      ['accept', /^application\/sdp$/],
      ['user-agent', /^sip-keepalive-exporter\/1\.2\.3$/],
      ['content-length', /^0$/],
    ] as const) {
      const values = headers.get(name) ?? [];
      assert.equal(values.length, 1, name);
      assert.match(values[0] ?? '', value);
    }
  });

  test('is a valid request for sip.parse', () => {
    const request = sip.parse(textOf(template({ uri: 'alice@192.0.2.1:5070' })));
    assert.ok(request !== undefined && 'method' in request);
    assert.equal(request.method, 'OPTIONS');
    assert.equal(request.uri, 'sip:alice@192.0.2.1:5070');
    const { via, to, from, cseq } = request.headers as Record<string, unknown>;
    const [{ host, port, params }] = via as [sip.Via];
    assert.deepEqual({ host, port }, { host: '192.0.2.99', port: 40_000 });
    assert.deepEqual(Object.keys(params), ['branch', 'rport']);
    assert.deepEqual((to as { params: unknown }).params, {});
    assert.deepEqual(Object.keys((from as { params: object }).params), ['tag']);
    assert.deepEqual(cseq, { seq: 1, method: 'OPTIONS' });
  });

  test('is a valid request for our own scanner, over IPv6 too', () => {
    for (const [address, sentBy] of [
      ['192.0.2.99', '192.0.2.99:40000'],
      ['2001:db8::9', '[2001:db8::9]:40000'],
    ] as const) {
      const request = template({ uri: '[2001:db8::1]', address });
      const found = scanned(request.bytes);
      assert.equal(found.ok, true);
      assert.equal(found.isResponse, false);
      assert.equal(found.vias, 1);
      assert.equal(found.bodyAt, request.bytes.length);
      const { start, end } = found.sentBy;
      assert.equal(Buffer.from(request.bytes.subarray(start, end)).toString(), sentBy);
      assert.equal(Buffer.from(request.sentBy).toString(), sentBy);
    }
  });

  test('has a user part in its Request-URI only when the destination has one', () => {
    const requestUri = (uri: string) => textOf(template({ uri })).split('\r\n')[0]?.split(' ')[1];
    assert.equal(requestUri('192.0.2.1'), 'sip:192.0.2.1');
    assert.equal(requestUri('a.example:5070;lr'), 'sip:a.example:5070;lr');
    assert.equal(requestUri('+4930@a.example'), 'sip:+4930@a.example');
    assert.equal(requestUri('[2001:DB8::1]'), 'sip:[2001:db8::1]');
  });

  test('has the From and the User-Agent of the settings', () => {
    const identity = { pingFrom: 'sip:monitor@a.example', userAgent: 'watcher 1' };
    const headers = headersOf(template({ identity }));
    assert.match(headers.get('from')?.[0] ?? '', /^<sip:monitor@a\.example>;tag=/);
    assert.deepEqual(headers.get('user-agent'), ['watcher 1']);
  });
});

describe('stamping a request', () => {
  const randomHex = new RandomHex();

  test('changes branch, From tag and Call-ID every time, and nothing else', () => {
    const request = template({});
    const seen = { branch: new Set(), tag: new Set(), callId: new Set() };
    const masks = new Set<string>();
    for (let i = 0; i < 1000; i++) {
      stamp(request, randomHex);
      const text = textOf(request);
      const [, branch] = /;branch=z9hG4bK00000005([0-9a-f]{32});/.exec(text) ?? [];
      const [, tag] = /^From: .*;tag=([0-9a-f]{16})\r$/m.exec(text) ?? [];
      const [, callId] = /^Call-ID: ([0-9a-f]{32})\r$/m.exec(text) ?? [];
      assert.ok(branch !== undefined && tag !== undefined && callId !== undefined, text);
      assert.equal(Buffer.from(branchOf(request)).toString(), branch);
      seen.branch.add(branch);
      seen.tag.add(tag);
      seen.callId.add(callId);
      masks.add(text.replace(branch, 'B').replace(tag, 'T').replace(callId, 'C'));
    }
    assert.deepEqual(
      [seen.branch.size, seen.tag.size, seen.callId.size, masks.size],
      [1000, 1000, 1000, 1],
    );
  });

  test('finds its places even if the settings look like them', () => {
    const identity = { userAgent: 'c'.repeat(32), pingFrom: `sip:${'c'.repeat(32)}@a.example` };
    const request = template({ uri: `${'t'.repeat(16)}@a.example`, identity });
    stamp(request, randomHex);
    const headers = headersOf(request);
    assert.match(headers.get('from')?.[0] ?? '', /^<sip:c{32}@a\.example>;tag=[0-9a-f]{16}$/);
    assert.match(headers.get('call-id')?.[0] ?? '', /^[0-9a-f]{32}$/);
    assert.deepEqual(headers.get('user-agent'), ['c'.repeat(32)]);
    assert.deepEqual(headers.get('to'), [`<sip:${'t'.repeat(16)}@a.example>`]);
  });

  test('keeps its length', () => {
    const request = template({});
    const { length } = textOf(request);
    stamp(request, randomHex);
    assert.equal(textOf(request).length, length);
    assert.equal(scanned(request.bytes).ok, true);
  });
});

describe('a branch', () => {
  const branchText = (index: number) =>
    `z9hG4bK${index.toString(16).padStart(8, '0')}${'a'.repeat(32)}`;
  const indexOf = (text: string) => indexOfBranch(Buffer.from(`;${text};`), 1, 1 + text.length);

  test('names its target', () => {
    const roundTrips = (index: number) => {
      const request = template({ index });
      const { start, end } = scanned(request.bytes).branch;
      assert.equal(indexOfBranch(request.bytes, start, end), index);
      assert.ok(isBranchOf(request, request.bytes, end));
    };
    fc.assert(fc.property(fc.nat(2 ** 17), roundTrips));
    assert.equal(indexOf(branchText(2 ** 17 - 1)), 2 ** 17 - 1);
  });

  for (const [name, text] of [
    ['with nothing but the magic cookie', 'z9hG4bK'],
    ['that is empty', ''],
    ['that is too short', branchText(1).slice(0, -1)],
    ['that is too long', `${branchText(1)}0`],
    ['with a number in upper case', branchText(10).replace('0000000a', '0000000A')],
    ['with an invalid number', branchText(1).replace('00000001', '0000000g')],
    ['with a sign in its number', branchText(1).replace('00000001', '-0000001')],
    ['of another RFC', branchText(1).replace('z9hG4bK', 'zzzzzzz')],
  ] as const) {
    test(`${name} is not one of the exporter`, () => assert.equal(indexOf(text), -1));
  }

  test('differs between two pings of the same target', () => {
    const request = template({});
    const before = Uint8Array.from(branchOf(request));
    stamp(request, new RandomHex());
    const { end } = scanned(request.bytes).branch;
    assert.equal(isBranch(before, 0, request.bytes, end), false);
    assert.equal(isBranchOf(request, request.bytes, end), true);
  });
});

describe('the SIP identity of a ping', () => {
  const only = (request: PingTemplate, name: string) => {
    const values = headersOf(request).get(name) ?? [];
    assert.ok(values.length <= 1, `${name} once`);
    return values[0];
  };

  test('with via_host has that host in Via, From and Contact, and lets the peer reuse the connection', () => {
    const identity = { viaHost: 'sbc.example:5061' };
    const request = template({ identity, transport: 'tls', uri: 'sip:peer.example' });
    assert.match(
      only(request, 'via') ?? '',
      /^SIP\/2\.0\/TLS sbc\.example:5061;branch=z9hG4bK\w{40};rport;alias$/,
    );
    assert.match(only(request, 'from') ?? '', /^<sip:sbc\.example:5061>;tag=/);
    assert.equal(only(request, 'contact'), '<sip:sbc.example:5061;transport=tls>');
    assert.equal(Buffer.from(request.sentBy).toString(), 'sbc.example:5061');
    assert.doesNotMatch(only(template({ identity }), 'via') ?? '', /alias/);
  });

  for (const [transport, via, contact] of [
    ['udp', 'UDP', '<sip:keepalive@192.0.2.99:40000>'],
    ['tcp', 'TCP', '<sip:keepalive@192.0.2.99:40000;transport=tcp>'],
    ['tls', 'TLS', '<sip:keepalive@192.0.2.99:40000;transport=tls>'],
    ['ws', 'WS', '<sip:keepalive@192.0.2.99:40000;transport=ws>'],
    ['wss', 'WSS', '<sip:keepalive@192.0.2.99:40000;transport=ws>'],
  ] as const) {
    test(`has the transport ${transport} in Via and Contact`, () => {
      const request = template({ transport });
      assert.ok(only(request, 'via')?.startsWith(`SIP/2.0/${via} 192.0.2.99:40000;`));
      assert.equal(only(request, 'contact'), contact);
    });
  }

  test('has a sips URI in Contact if the Request-URI is one (RFC 3261 8.1.1.8)', () => {
    const request = template({ uri: 'sips:a.example', transport: 'tls' });
    assert.equal(only(request, 'contact'), '<sips:keepalive@192.0.2.99:40000>');
  });

  test('can be set header by header', () => {
    const identity = {
      ...{
        user: '+4930',
        to: 'sip:to@b.example',
        contact: 'sip:me@c.example',
        pingFrom: 'sip:f@d',
      },
      headers: [
        ['X-Own', 'as: it is'],
        ['P-Asserted-Identity', '<sip:x@y>'],
      ] as const,
    };
    const request = template({ uri: 'a.example', identity });
    assert.match(textOf(request), /^OPTIONS sip:\+4930@a\.example SIP\/2\.0\r\n/);
    assert.equal(only(request, 'to'), '<sip:to@b.example>');
    assert.equal(only(request, 'contact'), '<sip:me@c.example>');
    assert.match(textOf(request), /\r\nX-Own: as: it is\r\n/, 'with its upper and lower case');
    assert.match(textOf(request), /\r\nP-Asserted-Identity: <sip:x@y>\r\n/);
    assert.match(textOf(request), /\r\nContent-Length: 0\r\n/i);
    assert.match(textOf(request), /[^\r\n]\r\n\r\n$/, 'with the empty line at the end');
    assert.equal(scanned(request.bytes).ok, true);
  });

  test('does not replace the user part of the destination', () => {
    const request = template({ uri: 'alice@a.example', identity: { user: 'bob' } });
    assert.match(textOf(request), /^OPTIONS sip:alice@a\.example /);
  });

  for (const [route, header] of [
    ['sip:proxy.example', '<sip:proxy.example;lr>'],
    ['sip:proxy.example;lr', '<sip:proxy.example;lr>'],
    ['sip:proxy.example;transport=tcp', '<sip:proxy.example;transport=tcp;lr>'],
    ['sip:proxy.example;lr=on', '<sip:proxy.example;lr=on>'],
  ] as const) {
    test(`with the route ${route} has a Route header for a loose router`, () => {
      const request = template({ uri: 'a.example', identity: { route } });
      assert.equal(only(request, 'route'), header);
      assert.match(textOf(request), /^OPTIONS sip:a\.example /);
    });
  }

  test('has another method in the first line and in CSeq', () => {
    const request = template({ settings: { method: 'NOTIFY' }, cseq: 2 });
    assert.match(textOf(request), /^NOTIFY /);
    assert.equal(only(request, 'cseq'), '2 NOTIFY');
    assert.equal(Buffer.from(request.method).toString(), 'notify');
    assert.equal(only(template({ settings: { method: 'REGISTER' } }), 'contact'), undefined);
  });

  test('has credentials in additional headers, within the same call', () => {
    const first = template({});
    const randomHex = new RandomHex();
    stamp(first, randomHex);
    const credentials = [['Authorization', 'Digest username="a"']] as const;
    const second = template({ cseq: 2, credentials });
    stampAgain(second, first, randomHex);
    assert.equal(only(second, 'authorization'), 'Digest username="a"');
    for (const name of ['call-id', 'from']) assert.equal(only(first, name), only(second, name));
    assert.notEqual(only(first, 'via'), only(second, 'via'));
    assert.equal(scanned(second.bytes).ok, true);
  });

  test('has the bytes of a challenge unchanged, besides headers in UTF-8', () => {
    const request = template({
      credentials: [['Authorization', 'Digest realm="\xfc\x80"']],
      identity: { headers: [['X-City', 'Zürich']] },
    });
    const bytes = Buffer.from(request.bytes);
    assert.ok(bytes.includes(Buffer.from('Authorization: Digest realm="\xfc\x80"\r\n', 'latin1')));
    assert.ok(bytes.includes(Buffer.from('X-City: Zürich\r\n', 'utf8')));
    assert.equal(scanned(request.bytes).ok, true);
  });

  for (const [transport, isAlias] of [
    ['udp', false],
    ['tcp', true],
    ['tls', true],
    ['ws', false],
    ['wss', false],
  ] as const) {
    test(`${isAlias ? 'lets' : 'does not let'} the peer reuse a connection over ${transport} (RFC 5923)`, () => {
      const named = template({ transport, identity: { viaHost: 'sbc.example' } });
      const sentOver = transport.toUpperCase();
      const via = new RegExp(
        `^SIP/2\\.0/${sentOver} sbc\\.example${transport === 'udp' ? ':40000' : ''};branch=\\w+;rport${isAlias ? ';alias' : ''}$`,
      );
      assert.match(only(named, 'via') ?? '', via);
      assert.doesNotMatch(only(template({ transport }), 'via') ?? '', /alias/, 'without via_host');
    });
  }

  test('has the host of via_host in From and Contact, unless these are set', () => {
    const viaHost = 'sbc.example';
    const named = template({ identity: { viaHost } });
    assert.match(only(named, 'from') ?? '', /^<sip:sbc\.example>;tag=\w{16}$/);
    assert.equal(only(named, 'contact'), '<sip:sbc.example>');
    // RFC 3261 18.1.1: without a port, responses would go to port 5060.
    assert.equal(Buffer.from(named.sentBy).toString(), 'sbc.example:40000');
    for (const [transport, host, wanted] of [
      ['udp', 'sbc.example:5060', 'sbc.example:5060'],
      ['udp', '[2001:db8::1]', '[2001:db8::1]:40000'],
      ['udp', '[2001:db8::1]:5062', '[2001:db8::1]:5062'],
      ['tls', 'sbc.example', 'sbc.example'],
      ['tls', 'sbc.example:5061', 'sbc.example:5061'],
    ] as const) {
      const { sentBy } = template({ transport, identity: { viaHost: host } });
      assert.equal(Buffer.from(sentBy).toString(), wanted);
    }
    const set = { viaHost, pingFrom: 'sip:f@f.example', contact: 'sip:c@c.example' };
    const both = template({ identity: set });
    assert.match(only(both, 'from') ?? '', /^<sip:f@f\.example>;tag=\w{16}$/);
    assert.equal(only(both, 'contact'), '<sip:c@c.example>');
    const secure = template({ uri: 'sips:a.example', transport: 'tls', identity: { viaHost } });
    assert.equal(only(secure, 'contact'), '<sips:sbc.example>');
  });

  test('has an IPv6 address in brackets everywhere', () => {
    const request = template({ uri: '[2001:db8::1]', address: '2001:db8::9', transport: 'tcp' });
    assert.match(only(request, 'via') ?? '', /^SIP\/2\.0\/TCP \[2001:db8::9\]:40000;/);
    assert.match(only(request, 'from') ?? '', /^<sip:keepalive@\[2001:db8::9\]>;/);
    assert.equal(only(request, 'contact'), '<sip:keepalive@[2001:db8::9]:40000;transport=tcp>');
  });

  test('has a route whose user part looks like a parameter', () => {
    const request = template({ uri: 'a.example', identity: { route: 'sip:u;lr;x@proxy.example' } });
    assert.equal(only(request, 'route'), '<sip:u;lr;x@proxy.example;lr>');
  });

  test('has additional headers as they are written, whatever they contain', () => {
    const value = fc.string({
      maxLength: 30,
      unit: fc.constantFrom(
        'a',
        ' ',
        '$',
        '&',
        '`',
        "'",
        '1',
        '<',
        ':',
        '%',
        '"',
        '\\',
        '\u00e9',
        '\u{1f600}',
      ),
    });
    const name = fc.constantFrom('X-A', 'x-a', 'Event', 'P-Charge-Info', 'X%1');
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            name,
            value.map((text) => text.trim()),
          ),
          { maxLength: 4 },
        ),
        (own) => {
          const request = template({ identity: { headers: own } });
          const plain = textOf(template({}));
          const written = own.map(([header, text]) => `${header}: ${text}\r\n`).join('');
          const wanted = `${plain.slice(0, -2)}${Buffer.from(written).toString('latin1')}\r\n`;
          assert.equal(textOf(request), wanted);
          const found = scanned(request.bytes);
          assert.deepEqual([found.ok, found.bodyAt], [true, request.bytes.length]);
          const parsed = sip.parse(textOf(request));
          assert.ok(parsed !== undefined && 'method' in parsed);
          assert.deepEqual(headersOf(request).get('content-length'), ['0']);
        },
      ),
    );
  });

  test('is a valid request that stamping does not damage, whatever the settings are', () => {
    const host = fc.constantFrom(
      'sbc.example',
      'sbc.example:5061',
      '192.0.2.7',
      '[2001:db8::7]:5070',
    );
    const uri = fc.constantFrom(
      '',
      'sip:x@y.example',
      'sips:z.example:5071',
      'sip:u@[2001:db8::3]',
    );
    const identity = fc.record({
      ...{
        viaHost: fc.oneof(fc.constant(''), host),
        pingFrom: uri,
        to: uri,
        contact: uri,
        route: uri,
      },
      user: fc.constantFrom('', 'bob', '+4930', "a;b=c'd"),
      headers: fc.constantFrom([], [['Event', 'keep-alive']] as const),
    });
    const transport = fc.constantFrom('udp', 'tcp', 'tls', 'ws', 'wss');
    const method = fc.constantFrom('OPTIONS', 'REGISTER', 'NOTIFY', 'MESSAGE', 'X-1.2');
    fc.assert(
      fc.property(
        identity,
        transport,
        method,
        fc.boolean(),
        (chosen, transport, name, isSecure) => {
          const to = isSecure && transport !== 'udp' ? 'sips:a.example' : 'sip:a.example';
          const given = { identity: chosen, transport, settings: { method: name }, uri: to };
          const credentials = [['Authorization', 'Digest username="b, c", realm="\\""']] as const;
          const first = template(given);
          stamp(first, new RandomHex());
          const second = template({ ...given, cseq: 2, credentials });
          stampAgain(second, first, new RandomHex());
          for (const request of [first, second]) {
            const found = scanned(request.bytes);
            assert.deepEqual([found.ok, found.vias, found.bodyAt], [true, 1, request.bytes.length]);
            assert.equal(indexOfBranch(request.bytes, found.branch.start, found.branch.end), 5);
            const { start, end } = found.cseqMethod;
            assert.ok(is(request.bytes, start, end, request.method));
            assert.ok(isIgnoringBlanks(request.bytes, found.sentBy, request.sentBy));
            const parsed = sip.parse(textOf(request));
            assert.ok(parsed !== undefined && 'method' in parsed && parsed.method === name);
            assert.equal(only(request, 'contact') === undefined, name === 'REGISTER');
          }
          for (const same of ['call-id', 'from', 'to', 'contact', 'route']) {
            assert.equal(only(first, same), only(second, same), same);
          }
        },
      ),
    );
  });

  test('is stamped in the right places even if the destination looks like them', () => {
    const uri = `a.example;tag=${'t'.repeat(16)};x=${'c'.repeat(32)}`;
    const request = template({ uri });
    stamp(request, new RandomHex());
    assert.match(textOf(request), new RegExp(`^OPTIONS sip:${uri} SIP/2\\.0\r\n`));
    assert.match(only(request, 'from') ?? '', /;tag=[0-9a-f]{16}$/);
    assert.match(only(request, 'call-id') ?? '', /^[0-9a-f]{32}$/);
  });
});
