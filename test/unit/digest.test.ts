import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DigestClient, type DigestInput, digestResponse, masked } from '../../src/pinger/digest.js';

const response = (...headers: readonly string[]) =>
  Buffer.from(`SIP/2.0 401 Unauthorized\r\n${headers.map((h) => `${h}\r\n`).join('')}\r\n`);
const challenge = (params: string) => response(`WWW-Authenticate: Digest ${params}`);

const ACCOUNT = { username: 'bob', password: 'zanzibar' };
const client = () => new DigestClient(() => '0a4f113b');

/** The parameters of the one header that meets the challenge. */
function met(challenged: Buffer, method = 'OPTIONS', uri = 'sip:a.example') {
  const digest = client();
  const verdict = digest.take('server', challenged);
  assert.equal(verdict.kind, 'met', JSON.stringify(verdict));
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
    test(`is that of ${name}`, () => assert.equal(digestResponse(input), wanted));
  }

  for (const [algorithm, hash] of [
    ['MD5', 'md5'],
    ['MD5-sess', 'md5'],
    ['SHA-256', 'sha256'],
    ['SHA-256-sess', 'sha256'],
    ['SHA-512-256', 'sha512-256'],
    ['SHA-512-256-sess', 'sha512-256'],
  ] as const) {
    test(`by ${algorithm} is made as RFC 7616 3.4.2 says`, () => {
      const params = met(challenge(`realm="r", nonce="n", algorithm=${algorithm}, qop="auth"`));
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
      'the topmost of several',
      [
        'Digest realm="a", nonce="1", algorithm=SHA-256',
        'Digest realm="a", nonce="2", algorithm=MD5',
      ],
      'SHA-256',
    ],
    [
      'one below a scheme that we lack',
      ['Basic realm="a"', 'Digest realm="a", nonce="2"'],
      undefined,
    ],
    [
      'one below an algorithm that we lack',
      [
        'Digest realm="a", nonce="1", algorithm=WHIRLPOOL',
        'Digest realm="a", nonce="2", algorithm=sha-256',
      ],
      'sha-256',
    ],
    [
      'the second in one header',
      ['Negotiate abc=, Digest realm="a, b", nonce="1", algorithm=MD5'],
      'MD5',
    ],
    ['a folded one', ['Digest realm="a",\r\n nonce="1",\r\n\talgorithm=SHA-256'], 'SHA-256'],
    ['one with blanks everywhere', ['Digest   realm = "a" ,nonce= "1" , algorithm =MD5 '], 'MD5'],
  ] as const) {
    test(`is met: ${name}`, () => {
      const params = met(response(...headers.map((header) => `WWW-Authenticate: ${header}`)));
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
  ] as const) {
    test(`with ${qop} is met by ${wanted}`, () => {
      assert.equal(met(challenge(`realm="r", nonce="n", ${qop}`))['qop'], wanted);
    });
  }

  test('without qop is met without cnonce and count', () => {
    const params = met(challenge('realm="r", nonce="n"'));
    assert.deepEqual(Object.keys(params), ['username', 'realm', 'nonce', 'uri', 'response']);
  });

  test('gets back what it said, escapes included, and hashes it without them', () => {
    const params = met(challenge('realm="a \\"b\\" \\\\", nonce="n", opaque="o\\"p", qop="auth"'));
    assert.deepEqual([params['realm'], params['opaque']], ['a \\"b\\" \\\\', 'o\\"p']);
    const h = (text: string) => createHash('md5').update(text).digest('hex');
    const a1 = h('bob:a "b" \\:zanzibar');
    const wanted = h(`${a1}:n:00000001:0a4f113b:auth:${h('OPTIONS:sip:a.example')}`);
    assert.equal(params['response'], wanted);
  });

  for (const [name, headers, why] of [
    ['none at all', [], /without a challenge/],
    ['one of another scheme', ['WWW-Authenticate: Bearer x=y'], /scheme "Bearer"/],
    ['one without realm', ['WWW-Authenticate: Digest nonce="n"'], /no realm/],
    ['one without nonce', ['WWW-Authenticate: Digest realm="r"'], /no nonce/],
    [
      'an algorithm that we lack',
      ['WWW-Authenticate: Digest realm="r", nonce="n", algorithm=X'],
      /algorithm "X"/,
    ],
    ['a qop that we lack', ['WWW-Authenticate: Digest realm="r", nonce="n", qop="z"'], /qop "z"/],
    [
      'a session without qop',
      ['WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5-sess'],
      /without qop/,
    ],
    [
      'a nonce of 2 kB',
      [`WWW-Authenticate: Digest realm="r", nonce="${'n'.repeat(2048)}"`],
      /longer than/,
    ],
    ['nonsense', ['WWW-Authenticate: ,,,="'], /without a challenge/],
  ] as const) {
    test(`cannot be met: ${name}`, () => {
      const verdict = client().take('server', response(...headers));
      assert.ok(verdict.kind === 'unmet' && why.test(verdict.why), JSON.stringify(verdict));
    });
  }

  test('that is stale says so, whatever its case', () => {
    const verdict = client().take('server', challenge('realm="r", nonce="n", stale=TRUE'));
    assert.deepEqual(verdict, { kind: 'met', isStale: true });
  });

  test('of any text is taken without an exception', () => {
    const piece = fc.constantFrom('Digest', ' ', ',', '=', '"', '\\', 'realm', 'nonce', 'x', '\t');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        client().take('server', response(`WWW-Authenticate: ${pieces.join('')}`));
      }),
    );
  });

  test('of 15 kB costs no more than a few times one of 5 kB', () => {
    for (const piece of ['a="', ',', ' \t', 'Digest ', '\\"', 'x=,', '="', 'a ']) {
      const took = (length: number) => {
        const text = response(`WWW-Authenticate: Digest ${piece.repeat(length / piece.length)}`);
        const beganAt = performance.now();
        for (let i = 0; i < 20; i++) client().take('server', text);
        return performance.now() - beganAt;
      };
      took(5_000);
      // Quadratic cost would be nine times as much; a pause of the machine is not what is meant.
      assert.ok(took(15_000) < 8 * took(5_000) + 50, piece);
    }
  });
});

describe('the client', () => {
  test('uses a nonce again with a rising count, and both askers at once', () => {
    const digest = client();
    digest.take('proxy', response('Proxy-Authenticate: Digest realm="p", nonce="1", qop="auth"'));
    const first = digest.headers(ACCOUNT, 'OPTIONS', 'sip:a');
    digest.take('server', challenge('realm="s", nonce="2", qop="auth"'));
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

  test('quotes a user name as it must be', () => {
    const digest = client();
    digest.take('server', challenge('realm="r", nonce="n"'));
    const account = { username: 'a"b\\c', password: 'x' };
    assert.match(
      digest.headers(account, 'OPTIONS', 'sip:a')[0]?.[1] ?? '',
      /username="a\\"b\\\\c"/,
    );
  });
});

test('what is shown of a message has no response to a challenge', () => {
  const text =
    'OPTIONS sip:a SIP/2.0\r\nAuthorization: Digest username="u", response="abc", nc=1\r\nproxy-authorization: Digest response="def"\r\nX: response="kept"\r\n\r\n';
  const shown = masked(text);
  assert.doesNotMatch(shown, /abc|def/);
  assert.match(shown, /username="u", response="<secret>", nc=1/);
  assert.match(shown, /X: response="kept"/);
});
