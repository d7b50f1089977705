import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nextRequest } from '../../../src/platform/redirects.js';

const from = (url: string, isTrusted = true, redirects = 0) => ({
  ...{ url: new URL(url), isTrusted, redirects },
});
const follow = (url: string, location: string, status = 302) =>
  nextRequest(from(url), { status, location });

describe('redirects', () => {
  for (const status of [301, 302, 303, 307, 308]) {
    test(`${status} is followed`, () => {
      assert.equal(
        follow('http://a.example/x?k=1', '/y?z', status)?.url.href,
        'http://a.example/y?z',
      );
    });
  }

  for (const [status, location] of [
    [200, '/y'],
    [300, '/y'],
    [304, '/y'],
    [302, ''],
    [404, '/y'],
  ] as const) {
    test(`${status} to ${JSON.stringify(location)} is not a redirect`, () => {
      assert.equal(follow('http://a.example/', location, status), undefined);
    });
  }

  for (const [url, location, isTrusted] of [
    ['http://a.example/x', 'y', true],
    ['http://a.example/x', 'http://A.example:80/y', true],
    ['http://a.example/x', 'https://a.example/y', true],
    ['https://a.example/x', 'http://a.example/y', false],
    ['http://a.example/x', 'http://b.example/y', false],
    ['http://a.example/x', '//b.example/y', false],
    ['http://a.example/x', 'http://x.a.example/y', false],
    ['http://a.example:8080/x', 'http://a.example:8081/y', false],
    ['http://a.example:8080/x', 'https://a.example:8080/y', true],
    ['http://127.0.0.1/x', 'http://[::1]/y', false],
  ] as const) {
    test(`from ${url} to ${location} credentials are ${isTrusted ? 'kept' : 'dropped'}`, () => {
      assert.equal(follow(url, location)?.isTrusted, isTrusted);
    });
  }

  test('credentials that were dropped once are not sent again, even to the first host', () => {
    const away = { status: 302, location: 'http://a.example/' };
    assert.equal(nextRequest(from('http://b.example/', false), away)?.isTrusted, false);
    assert.equal(nextRequest(from('http://a.example/', false), away)?.isTrusted, false);
  });

  test('a user in the URL of a redirect is dropped', () => {
    assert.equal(
      follow('http://a.example/', 'http://u:p@b.example/y')?.url.href,
      'http://b.example/y',
    );
  });

  for (const [location, why] of [
    ['file:///etc/passwd', /to file:, expected http: or https:/],
    ['ftp://a.example/', /to ftp:/],
    ['data:application/json,[]', /to data:/],
    ['http://', /to an invalid URL/],
  ] as const) {
    test(`to ${location} are rejected`, () => {
      assert.throws(() => follow('http://a.example/', location), why);
    });
  }

  test('are followed up to ten times', () => {
    const reply = { status: 307, location: '/again' };
    let hop = from('http://a.example/');
    for (let i = 0; i < 10; i++) hop = nextRequest(hop, reply) ?? assert.fail();
    assert.throws(() => nextRequest(hop, reply), /at most 10 redirects, got more/);
  });
});
