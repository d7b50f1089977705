import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { DigestClient } from '../../../src/pinger/sip/digest.js';
import { isFor } from '../../../src/pinger/transport/certificate.js';
import { bytesOf, readCorpus } from '../../support/corpus.js';

const ACCOUNT = { username: 'user', password: 'password' };

/** The algorithm with which the challenge is answered. */
function answerTo(challenge: Buffer): string {
  const client = new DigestClient(() => 'cnonce');
  if (client.takeChallenge('server', challenge).kind === 'unsupported') return 'unsupported';
  const [[, value = ''] = []] = client.headers(ACCOUNT, 'OPTIONS', 'sip:example.com');
  const [, algorithm = 'MD5'] = /algorithm=([\w-]+)/.exec(value) ?? [];
  return `answered ${algorithm}`;
}

describe('a digest challenge', () => {
  for (const one of readCorpus('digest')) {
    test(`${one.file}: ${one.why}`, () => {
      assert.equal(answerTo(bytesOf(one)).toLowerCase(), one.verdict[0]?.toLowerCase());
    });
  }
});

function isForName(pem: Buffer, isStrict: boolean): string {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return 'unreadable';
  }
  return isFor(certificate, 'sip.example.com', isStrict) ? 'yes' : 'no';
}

describe('a certificate', () => {
  for (const one of readCorpus('certificates')) {
    test(`${one.file}: ${one.why}`, () => {
      const pem = bytesOf(one);
      assert.deepEqual([isForName(pem, false), isForName(pem, true)], one.verdict);
    });
  }
});
