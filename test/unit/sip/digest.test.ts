import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  DigestClient,
  type DigestInput,
  digestResponse,
  masked,
} from '../../../src/pinger/sip/digest.js';
import { isLinear } from '../../support/cost.js';

const response = (...headers: readonly string[]) =>
  Buffer.from(`SIP/2.0 401 Unauthorized\r\n${headers.map((h) => `${h}\r\n`).join('')}\r\n`);
const challenge = (params: string) => response(`WWW-Authenticate: Digest ${params}`);

const ACCOUNT = { username: 'bob', password: 'zanzibar' };
const client = () => new DigestClient(() => '0a4f113b');

/** The parameters of the one header that answers the challenge. */
function answerTo(challenged: Buffer, method = 'OPTIONS', uri = 'sip:a.example') {
  const digest = client();
  const verdict = digest.takeChallenge('server', challenged);
  assert.equal(verdict.kind, 'accepted', JSON.stringify(verdict));
  const [[name, value] = ['', ''], ...others] = digest.headers(ACCOUNT, method, uri);
  assert.deepEqual([name, others], ['Authorization', []]);
  return Object.fromEntries(
    [...value.matchAll(/(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^,]*))/g)].map(([, key, quoted, token]) => [
      key,
      quoted ?? token,
    ]),
  );
}

describe('the response', () => {
  const rfc7616: Omit<DigestInput, 'hash'> = {
    ...{ username: 'Mufasa', password: 'Circle of Life', realm: 'http-auth@example.org' },
    ...{ nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v', isSession: false, qop: 'auth' },
    ...{ method: 'GET', uri: '/dir/index.html', nc: '00000001' },
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  };
  for (const [name, input, wanted] of [
    ['RFC 7616 3.9.1, MD5', { ...rfc7616, hash: 'md5' }, '8ca523f5e9506fed4657c9700eebdbec'],
    [
      'RFC 7616 3.9.1, SHA-256',
      { ...rfc7616, hash: 'sha256' },
      '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    ],
    [
      'RFC 2617 3.5',
      {
        ...{ ...rfc7616, hash: 'md5', password: 'Circle Of Life', realm: 'testrealm@host.com' },
        ...{ nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093', cnonce: '0a4f113b' },
      },
      '6629fae49393a05397450978507c4ef1',
    ],
    [
      // RFC 2069 2.4 as its erratum has it.
      'RFC 2069 2.4',
      {
        ...{ ...rfc7616, hash: 'md5', password: 'CircleOfLife', realm: 'testrealm@host.com' },
        ...{ nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093', qop: undefined },
      },
      '1949323746fe6a43ef61f9606e7febea',
    ],
  ] as const) {
    test(`is the one in ${name}`, () => assert.equal(digestResponse(input), wanted));
  }

  test('to the challenge of RFC 7616 3.9.2 uses SHA-512/256, and UTF-8 for user names and realms', () => {
    const response = digestResponse({
      ...{ hash: 'sha512-256', isSession: false, qop: 'auth', method: 'GET', nc: '00000001' },
      ...{ username: 'J\u00e4s\u00f8n Doe', password: 'Secret, or not?', realm: 'api@example.org' },
      ...{ nonce: '5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK', uri: '/doe.json' },
      cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm',
    });
    const h = (text: string) => createHash('sha512-256').update(text, 'utf8').digest('hex');
    const a1 = h('J\u00e4s\u00f8n Doe:api@example.org:Secret, or not?');
    const middle =
      '5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK:00000001:NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm:auth';
    assert.equal(response, h(`${a1}:${middle}:${h('GET:/doe.json')}`));
  });

  test('with auth-int includes the hash of the empty body', () => {
    const params = answerTo(challenge('realm="r", nonce="n", qop="auth-int"'), 'NOTIFY', 'sip:b');
    const h = (text: string) => createHash('md5').update(text).digest('hex');
    const a2 = h(`NOTIFY:sip:b:${h('')}`);
    const wanted = h(`${h('bob:r:zanzibar')}:n:00000001:0a4f113b:auth-int:${a2}`);
    assert.deepEqual([params['response'], params['uri']], [wanted, 'sip:b']);
  });

  for (const [algorithm, hash] of [
    ['MD5', 'md5'],
    ['MD5-sess', 'md5'],
    ['SHA-256', 'sha256'],
    ['SHA-256-sess', 'sha256'],
    ['SHA-512-256', 'sha512-256'],
    ['SHA-512-256-sess', 'sha512-256'],
  ] as const) {
    test(`with ${algorithm} follows RFC 7616 3.4.2`, () => {
      const params = answerTo(
        challenge(`realm="r", nonce="n", algorithm=${algorithm}, qop="auth"`),
      );
      const h = (text: string) => createHash(hash).update(text).digest('hex');
      const secret = h('bob:r:zanzibar');
      const a1 = algorithm.endsWith('-sess') ? h(`${secret}:n:0a4f113b`) : secret;
      const a2 = h('OPTIONS:sip:a.example');
      assert.equal(params['response'], h(`${a1}:n:00000001:0a4f113b:auth:${a2}`));
      assert.equal(params['algorithm'], algorithm);
    });
  }
});

describe('a challenge', () => {
  for (const [name, headers, algorithm] of [
    [
      'the first of several',
      [
        'Digest realm="a", nonce="1", algorithm=SHA-256',
        'Digest realm="a", nonce="2", algorithm=MD5',
      ],
      'SHA-256',
    ],
    [
      'one after an unsupported scheme',
      ['Basic realm="a"', 'Digest realm="a", nonce="2"'],
      undefined,
    ],
    [
      'one after an unsupported algorithm',
      [
        'Digest realm="a", nonce="1", algorithm=WHIRLPOOL',
        'Digest realm="a", nonce="2", algorithm=sha-256',
      ],
      'sha-256',
    ],
    [
      'the second of two schemes in one header',
      ['Negotiate abc=, Digest realm="a, b", nonce="1", algorithm=MD5'],
      'MD5',
    ],
    [
      'one after a scheme without parameters',
      ['NTLM', 'Digest realm="a", nonce="2", algorithm=MD5'],
      'MD5',
    ],
    [
      'the second Digest challenge in one header',
      ['Digest realm="a", nonce="1", algorithm=X, Digest realm="a", nonce="2", algorithm=SHA-256'],
      'SHA-256',
    ],
    [
      'one after another scheme in one header',
      ['Basic realm="Digest", Digest realm="a", nonce="2", algorithm=MD5'],
      'MD5',
    ],
    [
      'one after one without a nonce',
      ['Digest realm="a", algorithm=SHA-256', 'Digest realm="a", nonce="2", algorithm=MD5'],
      'MD5',
    ],
    [
      'one after one that is too long',
      [
        `Digest realm="${'r'.repeat(1025)}", nonce="1"`,
        'Digest realm="a", nonce="2", algorithm=MD5',
      ],
      'MD5',
    ],
    ['one in mixed case', ['dIGEST REALM="a", Nonce="1", ALGORITHM=md5'], 'md5'],
    ['one whose algorithm is quoted', ['Digest realm="a", nonce="1", algorithm="MD5"'], 'MD5'],
    [
      'one with values of the maximum length',
      [
        `Digest realm="${'r'.repeat(1024)}", nonce="${'n'.repeat(1024)}", opaque="${'o'.repeat(1024)}", algorithm=MD5`,
      ],
      'MD5',
    ],
    [
      'one with unknown parameters',
      [
        'Digest realm="a", domain="sip:a, b", charset=UTF-8, nonce="1", userhash=false, algorithm=MD5',
      ],
      'MD5',
    ],
    ['a folded one', ['Digest realm="a",\r\n nonce="1",\r\n\talgorithm=SHA-256'], 'SHA-256'],
    ['one with spaces everywhere', ['Digest   realm = "a" ,nonce= "1" , algorithm =MD5 '], 'MD5'],
  ] as const) {
    test(`is answered: ${name}`, () => {
      const params = answerTo(response(...headers.map((header) => `WWW-Authenticate: ${header}`)));
      assert.equal(params['algorithm'], algorithm);
    });
  }

  for (const [qop, wanted] of [
    ['qop="auth-int, auth"', 'auth'],
    ['qop="auth,auth-int"', 'auth'],
    ['qop=" auth "', 'auth'],
    ['qop=auth', 'auth'],
    ['qop="AUTH"', 'auth'],
    ['qop="auth-int"', 'auth-int'],
    ['qop="token, auth-int"', 'auth-int'],
    ['qop="auth-int ,\tauth"', 'auth'],
    ['qop=",auth,"', 'auth'],
  ] as const) {
    test(`with ${qop} is answered with qop=${wanted}`, () => {
      assert.equal(answerTo(challenge(`realm="r", nonce="n", ${qop}`))['qop'], wanted);
    });
  }

  test('without qop is answered without cnonce and nonce count', () => {
    const params = answerTo(challenge('realm="r", nonce="n"'));
    assert.deepEqual(Object.keys(params), ['username', 'realm', 'nonce', 'uri', 'response']);
  });

  test('is echoed with its escapes, and hashed without them', () => {
    const params = answerTo(
      challenge('realm="a \\"b\\" \\\\", nonce="n", opaque="o\\"p", qop="auth"'),
    );
    assert.deepEqual([params['realm'], params['opaque']], ['a \\"b\\" \\\\', 'o\\"p']);
    const h = (text: string) => createHash('md5').update(text).digest('hex');
    const a1 = h('bob:a "b" \\:zanzibar');
    const wanted = h(`${a1}:n:00000001:0a4f113b:auth:${h('OPTIONS:sip:a.example')}`);
    assert.equal(params['response'], wanted);
  });

  for (const [name, headers, why] of [
    ['none at all', [], /has no challenge/],
    ['one of another scheme', ['WWW-Authenticate: Bearer x=y'], /scheme "Bearer"/],
    ['one without realm', ['WWW-Authenticate: Digest nonce="n"'], /no realm/],
    ['one without nonce', ['WWW-Authenticate: Digest realm="r"'], /no nonce/],
    [
      'an unsupported algorithm',
      ['WWW-Authenticate: Digest realm="r", nonce="n", algorithm=X'],
      /algorithm "X"/,
    ],
    ['an unsupported qop', ['WWW-Authenticate: Digest realm="r", nonce="n", qop="z"'], /qop "z"/],
    [
      'a session without qop',
      ['WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5-sess'],
      /without qop/,
    ],
    ...['realm', 'nonce', 'opaque'].map((name) => {
      const given = { realm: 'r', nonce: 'n', opaque: 'o', [name]: 'x'.repeat(1025) };
      const params = Object.entries(given).map(([key, value]) => `${key}="${value}"`);
      return [
        `a value of more than a kilobyte as ${name}`,
        [`WWW-Authenticate: Digest ${params.join(', ')}`],
        /longer than/,
      ] as const;
    }),
    [
      'an algorithm that begins like a supported one',
      ['WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5-sess-sess'],
      /algorithm "MD5-sess-sess"/,
    ],
    [
      'an algorithm named like a property of objects',
      ['WWW-Authenticate: Digest realm="r", nonce="n", algorithm=constructor'],
      /algorithm "constructor"/,
    ],
    [
      'an empty algorithm',
      ['WWW-Authenticate: Digest realm="r", nonce="n", algorithm='],
      /algorithm/,
    ],
    ['an empty qop', ['WWW-Authenticate: Digest realm="r", nonce="n", qop=""'], /qop ""/],
    [
      'a challenge in the header of the other kind (proxy or server)',
      ['Proxy-Authenticate: Digest realm="r", nonce="n"'],
      /has no challenge/,
    ],
    [
      'an algorithm with control characters',
      ['WWW-Authenticate: Digest realm="r", nonce="n", algorithm="X\x1b[2J"'],
      /^[ -~]*$/,
    ],
    [
      'a nonce of 2 kB',
      [`WWW-Authenticate: Digest realm="r", nonce="${'n'.repeat(2048)}"`],
      /longer than/,
    ],
    ['nonsense', ['WWW-Authenticate: ,,,="'], /has no challenge/],
  ] as const) {
    test(`is not supported: ${name}`, () => {
      const result = client().takeChallenge('server', response(...headers));
      assert.ok(result.kind === 'unsupported' && why.test(result.detail), JSON.stringify(result));
    });
  }

  for (const [stale, isStale] of [
    ['stale=true', true],
    ['stale=TRUE', true],
    ['Stale="True"', true],
    ['stale=false', false],
    ['stale=', false],
    ['realm="stale=true"', false],
  ] as const) {
    test(`with ${stale} is ${isStale ? '' : 'not '}stale`, () => {
      const verdict = client().takeChallenge('server', challenge(`realm="r", nonce="n", ${stale}`));
      assert.deepEqual(verdict, { kind: 'accepted', isStale });
    });
  }

  test('in the body does not count', () => {
    const body = '\r\nWWW-Authenticate: Digest realm="r", nonce="n"\r\n';
    const message = Buffer.concat([response('Server: x'), Buffer.from(body)]);
    assert.equal(client().takeChallenge('server', message).kind, 'unsupported');
  });

  test('that is not supported keeps the previous one', () => {
    const digest = client();
    digest.takeChallenge('server', challenge('realm="r", nonce="1"'));
    digest.takeChallenge('server', challenge('realm="r", nonce="2", algorithm=X'));
    assert.match(digest.headers(ACCOUNT, 'OPTIONS', 'sip:a')[0]?.[1] ?? '', /nonce="1"/);
  });

  test('with any text throws nothing', () => {
    const piece = fc.constantFrom('Digest', ' ', ',', '=', '"', '\\', 'realm', 'nonce', 'x', '\t');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        client().takeChallenge('server', response(`WWW-Authenticate: ${pieces.join('')}`));
      }),
    );
  });

  test('with any bytes throws nothing, and its answer is one line', () => {
    const value = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.string({ maxLength: 200, unit: 'binary' }).map((text) => Buffer.from(text)),
      fc
        .string({
          maxLength: 50,
          unit: fc.constantFrom('a', '\\"', '\\\\', ' ', ',', '\r\n ', '\x01', '\xff'),
        })
        .map((text) => Buffer.from(`Digest realm="${text}", nonce="${text}", opaque="${text}"`)),
    );
    fc.assert(
      fc.property(value, (bytes) => {
        const [before, after] = ['SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: ', '\r\n\r\n'];
        const digest = client();
        digest.takeChallenge(
          'server',
          Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]),
        );
        for (const [, header] of digest.headers(ACCOUNT, 'OPTIONS', 'sip:a')) {
          assert.doesNotMatch(header, /[\r\n\0]/);
        }
      }),
    );
  });

  test('of 15 kB is read in linear time', () => {
    const pieces = ['a="', ',', ' \t', 'Digest ', '\\"', 'x=,', '="', 'a ', '"', '\\', 'a', '='];
    const folds = ['\r\n ', 'a=b, ', 'Digest a="b", ', 'a= "'];
    for (const piece of [...pieces, ...folds]) {
      const take = (length: number) => {
        const text = response(`WWW-Authenticate: Digest ${piece.repeat(length / piece.length)}`);
        for (let i = 0; i < 20; i++) client().takeChallenge('server', text);
      };
      assert.ok(isLinear(1_900, take), piece);
    }
  });
});

describe('a digest client', () => {
  test('reuses a nonce with a rising count, and answers a proxy and a server at the same time', () => {
    const digest = client();
    digest.takeChallenge(
      'proxy',
      response('Proxy-Authenticate: Digest realm="p", nonce="1", qop="auth"'),
    );
    const first = digest.headers(ACCOUNT, 'OPTIONS', 'sip:a');
    digest.takeChallenge('server', challenge('realm="s", nonce="2", qop="auth"'));
    const second = digest.headers(ACCOUNT, 'OPTIONS', 'sip:a');
    assert.deepEqual(
      second.map(([name]) => name),
      ['Proxy-Authorization', 'Authorization'],
    );
    assert.match(first[0]?.[1] ?? '', /nc=00000001/);
    assert.match(second[0]?.[1] ?? '', /nc=00000002/);
    assert.match(second[1]?.[1] ?? '', /nc=00000001/);
    digest.forget();
    assert.deepEqual(digest.headers(ACCOUNT, 'OPTIONS', 'sip:a'), []);
  });

  test('quotes the user name', () => {
    const digest = client();
    digest.takeChallenge('server', challenge('realm="r", nonce="n"'));
    const account = { username: 'a"b\\c', password: 'x' };
    assert.match(
      digest.headers(account, 'OPTIONS', 'sip:a')[0]?.[1] ?? '',
      /username="a\\"b\\\\c"/,
    );
  });
});

describe('a message that is shown', () => {
  const shownOf = (...headers: readonly string[]) =>
    masked(['OPTIONS sip:a SIP/2.0', ...headers, '', ''].join('\r\n'));

  test('has no digest response', () => {
    const shown = shownOf(
      'Authorization: Digest username="u", response="abc", nc=1',
      'proxy-authorization: Digest response="def"',
      'X: response="kept"',
    );
    assert.doesNotMatch(shown, /abc|def/);
    assert.match(shown, /username="u", response="<secret>", nc=1/);
    assert.match(shown, /X: response="kept"/);
  });

  test('is otherwise unchanged', () => {
    for (const text of [
      'WWW-Authenticate: Digest realm="response=", nonce="n"',
      'X-Authorization: Digest response="kept"',
      'Subject: Authorization: Digest response="kept"',
      'Authorization: Digest username="u", xresponse="kept"',
    ]) {
      assert.ok(shownOf(text).includes(text), text);
    }
    const text = 'Authorization: Digest username="u", response="abc", nc=1';
    assert.equal(shownOf(text).replace('<secret>', 'abc'), shownOf('X').replace('X', text));
  });

  test('has no part of the digest response, wherever it is cut off', () => {
    const response = '0123456789abcdef';
    const text = `OPTIONS sip:a SIP/2.0\r\nAuthorization: Digest username="u", response="${response}", nc=1`;
    for (let end = text.indexOf(response) + 1; end <= text.length; end++) {
      assert.doesNotMatch(masked(text.slice(0, end)), /response="0/, text.slice(0, end));
    }
  });

  test('has no digest response, whatever user name, realm and nonce contain', () => {
    const name = fc.string({
      maxLength: 12,
      unit: fc.constantFrom('a', ' ', ',', '"', '\\', '=', 'response=', ', response="'),
    });
    const quotedName = (text: string) => text.replace(/["\\]/g, '\\$&');
    fc.assert(
      fc.property(name, name, name, fc.boolean(), (username, realm, nonce, isProxy) => {
        const digest = client();
        const params = [`realm="${quotedName(realm)}"`, `nonce="${quotedName(nonce)}"`].join(', ');
        const [asker, header] = isProxy
          ? (['proxy', 'Proxy'] as const)
          : (['server', 'WWW'] as const);
        digest.takeChallenge(asker, response(`${header}-Authenticate: Digest ${params}`));
        const [[field, value] = ['', '']] = digest.headers(
          { ...ACCOUNT, username },
          'OPTIONS',
          'sip:a',
        );
        const [secret] = /(?<=, response=")[0-9a-f]{32}(?=")/.exec(value) ?? [];
        assert.ok(secret !== undefined, value);
        const shown = shownOf(`${field}: ${value}`);
        assert.ok(!shown.includes(secret), shown);
        assert.ok(shown.replace('<secret>', secret).includes(`${field}: ${value}`), shown);
      }),
    );
  });
});

describe('a challenge in another encoding', () => {
  const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest('hex');
  const latin1 = (text: string) => Buffer.from(text, 'latin1');

  for (const [encoding, realm, nonce] of [
    ['ISO 8859-1', latin1('Büro \xa0'), latin1('n\xe9')],
    ['UTF-8', Buffer.from('Büro à'), Buffer.from('né')],
    ['neither', Buffer.from([0x80, 0xff, 0xc0]), Buffer.from([0xfe])],
  ] as const) {
    test(`(${encoding}) is hashed and sent back byte for byte`, () => {
      const header = Buffer.concat([
        latin1('SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm="'),
        ...[realm, latin1('", nonce="'), nonce, latin1('"\r\n\r\n')],
      ]);
      const digest = client();
      assert.equal(digest.takeChallenge('server', header).kind, 'accepted');
      const account = { username: 'jörg', password: 'schön' };
      const [[, value] = ['', '']] = digest.headers(account, 'OPTIONS', 'sip:a.example');
      const sent = latin1(value);
      const parts = [latin1('realm="'), realm, latin1('", nonce="'), nonce, latin1('"')];
      assert.ok(sent.includes(Buffer.concat(parts)), value);
      assert.ok(sent.includes(Buffer.from('username="jörg"', 'utf8')), value);
      const secret = Buffer.concat([Buffer.from('jörg:'), realm, Buffer.from(':schön')]);
      const wanted = [latin1(`${md5(secret)}:`), nonce, latin1(':')];
      const wantedHash = md5(
        Buffer.concat([...wanted, latin1(md5(latin1('OPTIONS:sip:a.example')))]),
      );
      assert.ok(value.includes(`response="${wantedHash}"`), value);
    });
  }

  test('is quoted in errors as printable text', () => {
    const said = (params: string) =>
      client().takeChallenge(
        'server',
        Buffer.from(`SIP/2.0 401 No\r\nWWW-Authenticate: ${params}\r\n\r\n`),
      );
    for (const [params, why] of [
      ['Digest realm="a", nonce="b", algorithm="é\u202e"', 'unsupported digest algorithm "é?"'],
      ['Digest realm="a", nonce="b", qop="日本"', 'unsupported qop "日本"'],
    ] as const) {
      assert.deepEqual(said(params), { kind: 'unsupported', detail: why });
    }
  });
});
