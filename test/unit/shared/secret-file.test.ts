import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { WebhookSettings } from '../../../src/config/source-settings.js';
import { Authenticator } from '../../../src/pinger/sip/authenticator.js';
import { TlsContexts } from '../../../src/pinger/transport/tls-context.js';
import type { HttpSettings } from '../../../src/platform/http.js';
import { requester } from '../../../src/platform/http-client.js';
import { systemClock } from '../../../src/shared/clock.js';
import type { Credentials } from '../../../src/shared/destination.js';
import { Files } from '../../../src/shared/file-contents.js';
import { secretIn } from '../../../src/shared/secret-file.js';
import { secureContextOptions } from '../../../src/shared/tls-options.js';
import { Webhooks } from '../../../src/webhooks/webhooks.js';
import { settings } from '../../support/settings.js';

test('one line break at the end of a file is not part of the secret', () => {
  for (const [text, secret] of [
    ['open', 'open'],
    ['open\n', 'open'],
    ['open\r\n', 'open'],
    ['open \n', 'open '],
    ['\topen\t', '\topen\t'],
    [' \n', ' '],
    ['open\n\n', 'open\n'],
    ['open\r', 'open\r'],
    ['', ''],
  ] as const) {
    assert.equal(secretIn(text), secret, JSON.stringify(text));
  }
});

const CHALLENGE = 'SIP/2.0 401 X\r\nWWW-Authenticate: Digest realm="r", nonce="1"\r\n\r\n';

/** The header that answers a challenge. */
function answerTo(challenge: string, credentials: Credentials, files: Files): string {
  const authenticator = new Authenticator(credentials, files, () => 'cnonce');
  authenticator.startPing();
  authenticator.headers('OPTIONS', 'sip:a.example');
  assert.equal(authenticator.takeChallenge('server', Buffer.from(challenge)), undefined);
  return authenticator.headers('OPTIONS', 'sip:a.example').join();
}

/** Secrets that end in a space. */
const SECRETS = ['open ', 'open\t', ' open'] as const;

for (const secret of SECRETS) {
  const inFile = new Map([['/secret', `${secret}\n`]]);

  test(`the passphrase of a key for SIP over TLS: ${JSON.stringify(secret)}`, () => {
    const key = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({
      ...{ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: secret },
    });
    const { tls } = settings({ tls: { keyFile: '/key', keyPassphraseFile: '/secret' } });
    const files = new Files();
    files.set(new Map([...inFile, ['/key', String(key)]]));
    assert.ok(new TlsContexts(files, () => {}).of(tls));
    const options = secureContextOptions(tls, (path) => files.text(path));
    assert.equal(options.passphrase, secret);
    files.set(new Map([...inFile, ['/key', String(key)], ['/secret', secret.trim()]]));
    assert.throws(() => new TlsContexts(files, () => {}).of(tls));
  });

  test(`the password of digest authentication: ${JSON.stringify(secret)}`, () => {
    const files = new Files();
    files.set(inFile);
    const given = { username: 'bob', password: secret, passwordFile: '' };
    const named = { username: 'bob', password: '', passwordFile: '/secret' };
    const wanted = answerTo(CHALLENGE, given, files);
    assert.match(wanted, /response="[0-9a-f]{32}"/);
    assert.equal(answerTo(CHALLENGE, named, files), wanted);
  });

  test(`the password of basic authentication, and the key of a webhook: ${JSON.stringify(secret)}`, async (t) => {
    const requests: http.IncomingHttpHeaders[] = [];
    let answered = () => {};
    const isAnswered = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const server = http.createServer((request, response) => {
      requests.push(request.headers);
      response.end(answered);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const basicAuth = { username: 'bob', password: '', passwordFile: '/secret' };
    const server_: HttpSettings = {
      ...{
        url,
        timeoutMs: 5_000,
        tls: settings().tls,
        basicAuth,
        authorization: undefined,
        followRedirects: false,
      },
    };
    const webhook: WebhookSettings = {
      ...{ name: 'w', http: server_, events: ['dst-up'], secretFile: '/secret' },
    };
    const webhooks = new Webhooks({
      request: requester({ userAgent: 'test', files: () => inFile, clock: systemClock }),
      file: (path) => inFile.get(path) ?? '',
      log: ({ message }) => assert.fail(message),
      clock: systemClock,
    });
    t.after(() => webhooks.close());
    webhooks.configure([webhook]);
    webhooks.notify({ id: '1', event: 'dst-up', atMs: 0, body: '{}' });
    await isAnswered;
    const [headers] = requests;
    const basic = Buffer.from(`bob:${secret}`).toString('base64');
    assert.equal(headers?.authorization, `Basic ${basic}`);
    const signature = createHmac('sha256', secret).update('{}').digest('hex');
    assert.equal(headers?.['x-sip-keepalive-signature-256'], `sha256=${signature}`);
  });
}

test('requests to HTTP servers use the same TLS options as pings', async () => {
  const { tls } = settings({ tls: { caFile: '/ca' } });
  const files = () => new Map([['/ca', 'nothing']]);
  const request = requester({ userAgent: 'test', files, clock: systemClock });
  const server: HttpSettings = {
    ...{
      url: 'https://127.0.0.1:1/',
      timeoutMs: 1_000,
      tls,
      basicAuth: undefined,
      authorization: undefined,
    },
    followRedirects: true,
  };
  const signal = new AbortController().signal;
  await assert.rejects(request(server, { method: 'GET', headers: {} }, signal), {
    message: '/ca: no certificate',
  });
  const old = settings({ tls: { minVersion: 'TLS10' } }).tls;
  assert.match(secureContextOptions(old, () => '').ciphers ?? '', /SECLEVEL=0/);
});
