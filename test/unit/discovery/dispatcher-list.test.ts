import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readDispatcherList } from '../../../src/discovery/dispatcher-list.js';
import { decodeText } from '../../../src/discovery/text.js';
import { isLinear } from '../../support/cost.js';

const LOCAL = ['192.168.0.125', '192.168.0.126', '2001:db8::1'];
const read = (text: string) => readDispatcherList(text, 'd', (a) => LOCAL.includes(a));
const entries = (text: string) => read(text).found.map(({ entry }) => entry);
const only = (text: string) => {
  const found = entries(text);
  assert.equal(found.length, 1, JSON.stringify(read(text)));
  return found[0] ?? {};
};
const reasons = (text: string) =>
  read(text).remarks.map(({ place, reason }) => `${place} ${reason}`);

test('a list with the whole grammar is read as Kamailio reads it', () => {
  const path = 'test/corpus/dispatcher/all.list';
  const { found, remarks } = readDispatcherList(readFileSync(path, 'utf8'), path, () => false);
  const rows = found.map(({ place, entry }) => [place.replace(`${path}:`, ''), entry]);
  assert.deepEqual(rows, [
    ['4', { uri: 'sip:192.0.2.1', labels: { setid: '1' } }],
    ['5', { uri: 'sip:192.0.2.2:5070', labels: { setid: '1,2', duid: 'a,b' } }],
    ['7', { uri: 'sip:192.0.2.3;transport=tcp', labels: { setid: '2', duid: 'c;d' } }],
    ['8', { uri: 'sip:192.0.2.4', labels: { setid: '3' } }],
    ['11', { uri: 'sip:gw.example.com', labels: { setid: '3' } }],
    ['12', { uri: 'sip:192.0.2.7', labels: { setid: '0', duid: 'zero' } }],
    ['13', { uri: 'sip:192.0.2.8', labels: { setid: '4' } }],
    [
      '14',
      {
        uri: 'sips:sip.example.com:5061',
        labels: { setid: '4' },
        name: 'sips:sip.example.com:5061 via sip:192.0.2.9 from sip:a@b.example',
        ...{ route: 'sip:192.0.2.9', ping_from: 'sip:a@b.example' },
      },
    ],
    ['17', { uri: 'sip:[2001:db8::1]', labels: { setid: '5' } }],
  ]);
  const texts = remarks.map(({ place, reason }) => `${place.replace(`${path}:`, '')} ${reason}`);
  assert.equal(texts.length, 6);
  for (const [index, wanted] of [
    /^9 sip:192\.0\.2\.5: disabled/,
    /^10 sip:192\.0\.2\.6: not to be pinged/,
    /^14 attributes end at a space, .*: "ignored" is ignored/,
    /^15 expected a set id and a SIP URI, got no URI/,
    /^16 expected a SIP URI/,
    /^17 ping_from: expected a SIP URI, got "http:\/\/x"/,
  ].entries()) {
    assert.match(texts[index] ?? '', wanted);
  }
});

describe('sockets', () => {
  for (const [attrs, socket, settings] of [
    [
      'socket=udp:192.168.0.125:5060',
      'udp:192.168.0.125',
      { source_address: '192.168.0.125', transport: 'udp' },
    ],
    [
      'Socket="tcp:192.168.0.125"',
      'tcp:192.168.0.125',
      { source_address: '192.168.0.125', transport: 'tcp' },
    ],
    ['socket=192.168.0.125', '192.168.0.125', { source_address: '192.168.0.125' }],
    [
      'ping_socket=tls:192.168.0.126:5061;socket=udp:192.168.0.125:5060',
      'tls:192.168.0.126',
      { source_address: '192.168.0.126', transport: 'tls' },
    ],
  ] as const) {
    test(`${attrs} is the source address of pings, without its port`, () => {
      const [uri, labels] = ['sip:gw.example.com', { setid: '1' }];
      const wanted = { uri, name: `${uri} via ${socket}`, labels, ...settings };
      assert.deepEqual(only(`1 sip:gw.example.com 0 0 ${attrs}`), wanted);
    });
  }

  for (const [attrs, why, socket, transport] of [
    ['socket=udp:10.0.0.1:5060', /not an address of this machine/, 'udp:10.0.0.1', 'udp'],
    ['socket=udp:gw.example.com:5060', /not an IP address/, 'udp:gw.example.com', 'udp'],
    ['socket=tls:MY_IP:5061', /not an IP address/, 'tls:my_ip', 'tls'],
    ['socket=tls:MY_IP:PORT', /expected an address/, 'tls', 'tls'],
    ['socket=tcp:192.168.0.125:x', /expected an address/, 'tcp', 'tcp'],
    ['socket=udp:[2001:db8::1]:5060', /its address family/, 'udp:[2001:db8::1]', 'udp'],
    ['socket=localhost:5060', /not an IP address/, 'localhost', undefined],
    ['sockname=internal;socket=udp:192.168.0.125:5060', /only Kamailio knows/, '', undefined],
  ] as const) {
    test(`${attrs} is reported, and the destination is pinged over its transport`, () => {
      const line = `1 sip:192.0.2.1 0 0 ${attrs}`;
      const { name = 'sip:192.0.2.1', ...entry } = only(line);
      const wanted = { uri: 'sip:192.0.2.1', labels: { setid: '1' } };
      assert.deepEqual(entry, transport === undefined ? wanted : { ...wanted, transport });
      assert.equal(name, socket === '' ? 'sip:192.0.2.1' : `sip:192.0.2.1 via ${socket}`);
      assert.match(reasons(line)[0] ?? '', why);
      assert.match(reasons(line)[0] ?? '', /the routing table chooses the source address$/);
    });
  }

  for (const attrs of [
    'socket=sctp:192.168.0.125:5060',
    'ping_socket=x:192.168.0.125',
    'socket=sctp:5060',
  ]) {
    test(`${attrs} has an unsupported transport: the line is skipped`, () => {
      const line = `1 sip:192.0.2.1 0 0 ${attrs}`;
      assert.deepEqual(entries(line), []);
      assert.match(
        reasons(line).join(),
        /^d:1 (?:ping_)?socket=\S+: expected one of udp, tcp, .* before the address$/,
      );
    });
  }

  test('a line with an invalid proxy is skipped', () => {
    const line = '1 sip:192.0.2.1 0 0 obproxy=http://x';
    assert.deepEqual(entries(line), []);
    assert.match(reasons(line).join(), /^d:1 obproxy: expected a SIP URI/);
  });

  test('an IPv6 socket is used for an IPv6 destination, in any spelling', () => {
    const { source_address } = only('1 sip:[2001:db8::2] 0 0 socket=tls:[2001:DB8:0::1]:5061');
    assert.equal(source_address, '2001:db8::1');
  });

  test('the transport of a URI overrides that of the socket', () => {
    assert.equal(
      only('1 sip:a.example;transport=tcp 0 0 socket=udp:10.0.0.1')['transport'],
      undefined,
    );
    assert.equal(only('1 sips:a.example 0 0 socket=udp:10.0.0.1')['transport'], undefined);
    const overTls = only('1 sip:192.0.2.1:5061 0 0 socket=tls:10.0.0.1');
    assert.deepEqual([overTls['uri'], overTls['transport']], ['sip:192.0.2.1', 'tls']);
  });
});

describe('lines that name one URI', () => {
  test('are one destination as long as they agree, with the sets in their order', () => {
    const text =
      '2 sip:192.0.2.1 0 0 duid=x\n1 192.0.2.1:5060 0 9 duid=x\n2 sip:192.0.2.1 0 0 duid=y';
    assert.deepEqual(only(text)['labels'], { setid: '2,1', duid: 'x,y' });
  });

  test('are separate destinations when they are pinged differently', () => {
    const line = (socket: string) => `1 sip:192.0.2.1 0 0 socket=udp:${socket}:5060`;
    const names = entries([...LOCAL.slice(0, 2).map(line), '1 sip:192.0.2.1'].join('\n'));
    assert.deepEqual(
      names.map(({ name }) => name),
      ['sip:192.0.2.1 via udp:192.168.0.125', 'sip:192.0.2.1 via udp:192.168.0.126', undefined],
    );
  });

  test('have names that depend only on their own line', () => {
    const uri = fc.constantFrom('sip:192.0.2.1', 'sip:gw.example', 'sip:gw.example;transport=tcp');
    const some = (name: string, ...values: readonly string[]) =>
      fc.constantFrom('', ...values.map((value) => `;${name}=${value}`));
    const attrs = fc.tuple(
      some('socket', 'udp:192.168.0.125:5060', 'udp:192.168.0.126', 'tls:192.168.0.125', 'x:PORT'),
      some('obproxy', 'sip:a.example', 'sip:b.example'),
      some('ping_from', 'sip:a.example', 'sip:b.example'),
    );
    const line = fc.tuple(uri, attrs).map(([to, parts]) => `1 ${to} 0 0 duid=a${parts.join('')}`);
    const namesIn = (lines: readonly string[]) =>
      entries(lines.join('\n')).map((entry) => entry['name'] ?? entry['uri']);
    fc.assert(
      fc.property(fc.uniqueArray(line, { minLength: 1, maxLength: 12 }), (lines) => {
        const alone = lines.flatMap((one) => namesIn([one]));
        assert.deepEqual(namesIn(lines).sort(), [...new Set(alone)].sort());
        assert.deepEqual(namesIn(lines.toReversed()).sort(), namesIn(lines).sort());
      }),
    );
  });

  test('have names that do not depend on the addresses that this machine has', () => {
    const line = '1 sip:192.0.2.1 0 0 socket=udp:10.0.0.1:5060';
    const nameWhere = (isLocal: boolean) =>
      readDispatcherList(line, 'd', () => isLocal).found[0]?.entry['name'];
    assert.equal(nameWhere(true), 'sip:192.0.2.1 via udp:10.0.0.1');
    assert.equal(nameWhere(false), nameWhere(true));
  });

  test('have different names for a proxy and a From with the same URI, and a digest when they are long', () => {
    const same =
      '1 sip:192.0.2.1 0 0 obproxy=sip:a.example\n1 sip:192.0.2.1 0 0 ping_from=sip:a.example';
    assert.deepEqual(
      entries(same).map(({ name }) => name),
      ['sip:192.0.2.1 via sip:a.example', 'sip:192.0.2.1 from sip:a.example'],
    );
    const from = (user: string) =>
      `1 sip:192.0.2.1 0 0 ping_from=sip:${user.repeat(250)}@a.example`;
    const [one, other] = [only(from('a'))['name'], only(from('b'))['name']];
    assert.match(String(one), /^sip:192\.0\.2\.1 via [0-9a-f]{16}$/);
    assert.notEqual(one, other);
  });
});

describe('traps of the format', () => {
  test('a line that Kamailio would split is reported and skipped as a whole', () => {
    const long = `1 sip:192.0.2.1 0 0 note=${'x'.repeat(1000)} 1 sip:192.0.2.2`;
    assert.deepEqual(
      entries(`${long}\n1 sip:192.0.2.3`).map(({ uri }) => uri),
      ['sip:192.0.2.3'],
    );
    assert.match(reasons(long)[0] ?? '', /^d:1 expected a line of at most 1023 bytes/);
    const longest = '1 sip:192.0.2.1 0 0 note='.padEnd(1023, 'x');
    assert.equal(entries(longest).length, 1);
    assert.equal(entries(`${longest}x`).length, 0);
    assert.equal(entries(longest.slice(0, 1022).concat('ü')).length, 0);
  });

  for (const [text, setid] of [
    ['sip:192.0.2.1', '0'],
    ['007 sip:192.0.2.1', '7'],
    ['4294967297 sip:192.0.2.1', '1'],
  ] as const) {
    test(`${text} is of set ${setid}`, () => {
      assert.deepEqual(only(text)['labels'], { setid });
    });
  }

  for (const [text, count] of [
    ['1 sip:192.0.2.1 0x4', 0],
    ['1 sip:192.0.2.1 0X4', 1],
    ['1 sip:192.0.2.1 36 0', 0],
    ['1 sip:192.0.2.1 -4', 1],
    ['1 sip:192.0.2.1 19', 1],
    ['1 sip:192.0.2.1 4294967300', 0],
    ['1 sip:192.0.2.1 #4', 1],
    ['1 sip:192.0.2.1 0 #0 4', 1],
    ['1 sip:192.0.2.1\r', 1],
    ['1', 0],
    ['1 # sip:192.0.2.1', 0],
    ['1 192.0.2.1 0 0 weight', 1],
    ['1 192.0.2.1:5070', 1],
    ['1 [2001:db8::2]:5070;transport=tcp', 1],
    ['setid destination flags priority attrs', 0],
    ['SETID URI FLAGS', 0],
    ['1 GATEWAY_IP 0 0', 0],
    ['1 gw.example.com:5070', 0],
    ['1 destination', 0],
    ['1 <sip:192.0.2.1>', 0],
    ['1\tsip:192.0.2.1\t0\t0\tweight=1 \t\r', 1],
    ['1 sip:192.0.2.1;maddr=192.0.2.2', 0],
    [`1 sip:192.0.2.1;x=${'y'.repeat(300)}`, 0],
  ] as const) {
    test(`${JSON.stringify(text.slice(0, 40))} is ${count === 1 ? 'monitored' : 'not monitored'}`, () => {
      assert.equal(entries(text).length, count);
      if (count === 0) assert.equal(reasons(text).length, 1);
    });
  }

  test('invalid attributes are reported, and those before them are used', () => {
    const text = '1 sip:192.0.2.1 0 0 duid=a;note="x;ping_from=sip:b.example';
    assert.deepEqual(only(text)['labels'], { setid: '1', duid: 'a' });
    assert.match(reasons(text)[0] ?? '', /expected attributes name=value/);
  });
});

for (const [attrs, duid] of [
  ['duid=a"b;weight=5', 'a"b'],
  ['duid=a,weight=5', 'a'],
  [';=x;weight;DUID="a,b=c"', 'a,b=c'],
  ['duid=a;duid=b', 'b'],
] as const) {
  test(`the duid in ${attrs} is ${duid}`, () => {
    assert.deepEqual(only(`1 sip:192.0.2.1 0 0 ${attrs}`)['labels'], { setid: '1', duid });
  });
}

describe('any text', () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      ' ',
      '\t',
      '\n',
      '#',
      '1',
      '0x',
      ';',
      '="',
      "'",
      'socket=udp:',
      'sip:192.0.2.1',
    ),
  );

  test('it is read without an error, and every place is one of its lines', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        const text = parts.join('');
        const { found, remarks } = read(text);
        const last = text.split('\n').length;
        for (const { place } of [...found, ...remarks]) {
          const line = Number(place.slice(2));
          assert.ok(line >= 1 && line <= last, place);
        }
        const names = found.map(({ entry }) => entry['name'] ?? entry['uri']);
        assert.equal(new Set(names).size, names.length);
      }),
      { numRuns: 1000 },
    );
  });

  test('a list that is written is read back', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
    const entry = fc.record({
      setid: fc.nat(1e6),
      host: fc.ipV4().filter((host) => /^[1-9]\d?\./.test(host)),
      port: fc.integer({ min: 6000, max: 65535 }),
      flags: fc.constantFrom('0', '1', '2', '8', '0x10', '19'),
      duid: word,
      from: word,
      quote: fc.constantFrom('', '"', "'"),
      blank: fc.constantFrom(' ', '\t', '  '),
    });
    const isSame = (e: typeof entry extends fc.Arbitrary<infer T> ? T : never) => {
      const attrs = `duid=${e.quote}${e.duid}${e.quote};ping_from=${e.quote}sip:${e.from}@a.example${e.quote}`;
      const line = [e.setid, `sip:${e.host}:${e.port}`, e.flags, '0', attrs].join(e.blank);
      assert.deepEqual(only(line), {
        uri: `sip:${e.host}:${e.port}`,
        labels: { setid: String(e.setid), duid: e.duid },
        name: `sip:${e.host}:${e.port} from sip:${e.from}@a.example`,
        ping_from: `sip:${e.from}@a.example`,
      });
    };
    fc.assert(fc.property(entry, isSame));
  });

  for (const [what, line] of [
    ['lines', (n) => `${n % 7} sip:10.0.${n >> 8}.${n & 255}:5070 0 0 duid=d${n};weight=50`],
    ['lines of one URI', (n) => `${n} sip:192.0.2.1 0 0 ping_from=sip:u${n}@a.example`],
  ] as const satisfies readonly (readonly [string, (n: number) => string])[]) {
    test(`many ${what} cost no more than their number`, () => {
      const read = (size: number) => {
        const text = Array.from({ length: size }, (_, n) => line(n)).join('\n');
        assert.equal(entries(text).length, size);
      };
      assert.ok(isLinear(500, read));
    });
  }
});

describe('files in other encodings and forms', () => {
  const decodedOf = (...parts: readonly (string | number[])[]) =>
    decodeText(Buffer.concat(parts.map((part) => Buffer.from(part as string))));
  const readBytes = (...parts: readonly (string | number[])[]) =>
    readDispatcherList(decodedOf(...parts), 'd', () => false);

  test('a byte order mark is ignored', () => {
    for (const content of ['\ufeff1 sip:192.0.2.1\n', decodedOf('\ufeff1 sip:192.0.2.1\r\n')]) {
      const { found, remarks } = readDispatcherList(content, 'd', () => false);
      assert.deepEqual([found.map(({ entry }) => entry['uri']), remarks], [['sip:192.0.2.1'], []]);
    }
    const utf16 = decodeText(Buffer.from('\ufeff1 sip:192.0.2.1 0 0 duid=ü', 'utf16le'));
    assert.deepEqual(readDispatcherList(utf16, 'd', () => false).found[0]?.entry['labels'], {
      ...{ setid: '1', duid: 'ü' },
    });
  });

  test('a line in ISO-8859-1 is decoded and reported; the other lines are UTF-8', () => {
    const { found, remarks } = readBytes(
      '# na\u00efve\n1 sip:192.0.2.1 0 0 duid=M\u00fcnchen\n# M',
      [0xfc],
      'nchen\n1 sip:192.0.2.2 0 0 duid=M',
      [0xfc],
      'nchen\n',
    );
    const duids = found.map(({ entry }) => (entry['labels'] as { duid: string }).duid);
    assert.deepEqual(duids, ['M\u00fcnchen', 'M\u00fcnchen']);
    assert.deepEqual(remarks, [
      {
        ...{ kind: 'adjusted', place: 'd:4' },
        reason: 'the line is not UTF-8; it is read as ISO-8859-1',
      },
    ]);
  });

  test('the length of a line is its number of bytes in the file', () => {
    const bytes = [...Buffer.from('1 sip:192.0.2.1 0 0 note=')];
    const line = [...bytes, ...Array(1023 - bytes.length).fill(0xfc)];
    assert.equal(readBytes(line).found.length, 1);
    assert.equal(readBytes([...line, 0xfc]).found.length, 0);
  });

  test('text after a blank in the attributes is reported, comments are not', () => {
    const text = '1 sip:192.0.2.1 0 0 weight=5; duid=a ping_from=sip:x';
    assert.deepEqual(only(text)['labels'], { setid: '1' });
    assert.match(
      reasons(text).join(),
      /^d:1 attributes end at a space, .*: "duid=a ping_from=sip:x" is ignored/,
    );
    for (const quiet of ['weight=5 # duid=a', 'weight=5\t \r', '# 5']) {
      assert.deepEqual(reasons(`1 sip:192.0.2.1 0 0 ${quiet}`), [], quiet);
    }
  });

  test('a destination has the different values of its attributes, and the comments of its lines as its description', () => {
    const text = `1 sip:192.0.2.1 0 0 duid=a;Carrier=x # Carrier A
2 sip:192.0.2.1 0 0 duid=b;carrier=x;description=own #ignored
3 sip:192.0.2.2 0 # Carrier C
4 sip:192.0.2.3`;
    assert.deepEqual(
      read(text).found.map(({ attributes }) => attributes),
      [
        new Map([
          ['duid', new Set(['a', 'b'])],
          ['carrier', new Set(['x'])],
          ['description', new Set(['Carrier A', 'own'])],
        ]),
        new Map([['description', new Set(['Carrier C'])]]),
        new Map(),
      ],
    );
  });

  test('CR line ends: the first destination is read, and the rest is reported', () => {
    const text = '1 sip:192.0.2.1 0 0 weight=5\r1 sip:192.0.2.2 0 0 weight=5\r';
    assert.equal(entries(text).length, 1);
    assert.match(reasons(text).join(), /attributes end at a space, .*: "1 sip:192\.0\.2\.2/);
  });
});

test('remarks have a limited length, whatever the file contains', () => {
  const long = '\u0001'.repeat(2000);
  for (const text of [`1 sip;${long}`, `1 sip:192.0.2.1${long} 4`, `1 sip:192.0.2.1 ${long}`]) {
    const lengths = read(text).remarks.map(({ reason }) => reason.length);
    assert.ok(lengths.length > 0 && Math.max(...lengths) < 600, text.slice(0, 40));
  }
});
