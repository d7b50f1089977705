import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { readConfig } from '../../../src/config/config.js';
import { keepFixed } from '../../../src/config/fixed-settings.js';
import { readFlags } from '../../../src/config/flags.js';
import { ConfigError } from '../../../src/config/formats.js';
import { showConfig } from '../../../src/config/show.js';

const folder = mkdtempSync(join(tmpdir(), 'sip-keepalive-upstream-'));
after(() => rmSync(folder, { recursive: true }));

function read(file: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const path = join(folder, 'sip.yml');
  writeFileSync(path, file);
  return readConfig({ flags: readFlags([`--config.file=${path}`, ...args]), env, version: '1' });
}

function problemsOf(file: string, args: readonly string[] = []): readonly string[] {
  try {
    read(file, args);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message.replaceAll(`${folder}/`, '').split('\n');
  }
  return assert.fail('no ConfigError');
}

const MAPPING = `web:
  prometheus_url:
    url: https://prometheus.example/prefix/
    timeout: 3
    authorization: { credentials_file: token }
    tls_config: { ca_file: ca.pem, insecure_skip_verify: true }
  alertmanager_url:
    url: http://alertmanager.example:9093
    basic_auth: { username: u, password: S3CRET }
  links:
    Grafana: https://grafana.example/d/sip?var-destination={destination}
    Runbook: http://wiki.example/{uri}
`;

describe('Prometheus and Alertmanager', () => {
  test('are not asked by default', () => {
    const { upstream, web } = read('');
    assert.deepEqual(upstream, { prometheus: undefined, alertmanager: undefined });
    assert.deepEqual(web.links, {});
  });

  test('are URLs in flags, in the environment and in the file', () => {
    const url = 'http://127.0.0.1:9090';
    for (const config of [
      read('', [`--web.prometheus_url=${url}`]),
      read('', [], { SIP_KEEPALIVE_WEB_PROMETHEUS_URL: url }),
      read(`web: { prometheus_url: "${url}" }`),
      read(`web: { prometheus_url: { url: "${url}" } }`),
    ]) {
      const { prometheus } = config.upstream;
      assert.deepEqual([prometheus?.url, prometheus?.timeoutMs], [url, 10_000]);
      assert.equal(prometheus?.basicAuth ?? prometheus?.authorization, undefined);
    }
  });

  test('have the settings of an HTTP source in the file, whose folder is that of file names', () => {
    const { prometheus, alertmanager } = read(MAPPING).upstream;
    assert.equal(prometheus?.timeoutMs, 3_000);
    assert.deepEqual(prometheus.authorization, {
      ...{ type: 'Bearer', credentials: '', credentialsFile: join(folder, 'token') },
    });
    assert.equal(prometheus.tls.caFile, join(folder, 'ca.pem'));
    assert.equal(alertmanager?.basicAuth?.username, 'u');
  });

  test('of a flag do not get the credentials of the file, which are for another server', () => {
    const url = 'http://127.0.0.1:9093';
    const { alertmanager } = read(MAPPING, [`--web.alertmanager_url=${url}`]).upstream;
    assert.deepEqual([alertmanager?.url, alertmanager?.basicAuth], [url, undefined]);
  });

  test('are shown without secrets, and what is shown loads again', () => {
    const shown = showConfig(read(MAPPING));
    assert.ok(!shown.includes('S3CRET'));
    const again = read(shown);
    assert.deepEqual(again.upstream.prometheus, read(MAPPING).upstream.prometheus);
    assert.deepEqual(again.web.links, read(MAPPING).web.links);
    assert.deepEqual(read(showConfig(read(''))).upstream, read('').upstream);
  });

  test('change with a reload', () => {
    const { config, ignored } = keepFixed(read(''), read(MAPPING));
    assert.deepEqual(ignored, []);
    assert.equal(config.upstream.prometheus?.timeoutMs, 3_000);
    assert.deepEqual(Object.keys(config.web.links), ['Grafana', 'Runbook']);
  });

  test('with problems are reported with the line, what was expected and what was given', () => {
    const file = `web:
  prometheus_url:
    url: http://prometheus.example/?tenant=S3CRET
    basic_auth: { username: u }
    authorization: { credentials: S3CRET, credentials_file: x, type: Ba sic }
    tls_config: { cafile: x }
    timeout: soon
  alertmanager_url:
    basic_auth: { username: u, password: S3CRET }
    urls: [x]
`;
    assert.deepEqual(problemsOf(file), [
      'sip.yml:3: web.prometheus_url.url: expected a URL without ? and #, got "<url>"',
      'sip.yml:7: web.prometheus_url.timeout: expected a duration from 0.1 s to 24h (seconds, or a number with ms, s, m or h), got "soon"',
      'sip.yml:2: web.prometheus_url: expected either basic_auth or authorization, got both',
      'sip.yml:6: web.prometheus_url.tls_config.cafile: unknown setting (nearest: "tls_config.ca_file")',
      'sip.yml:4: web.prometheus_url.basic_auth: expected either password or password_file, got neither',
      'sip.yml:5: web.prometheus_url.authorization.type: expected a type such as Bearer, got "Ba sic"',
      'sip.yml:5: web.prometheus_url.authorization: expected either credentials or credentials_file, got both',
      'sip.yml:10: web.alertmanager_url.urls: unknown setting (nearest: "url")',
      'sip.yml:8: web.alertmanager_url.url: expected a URL, got none',
    ]);
    const notHttp = 'expected an http:// or https:// URL without a user name, got "<url>"';
    assert.deepEqual(problemsOf('', ['--web.prometheus_url=localhost:9090']), [
      `--web.prometheus_url: ${notHttp}`,
    ]);
    assert.deepEqual(problemsOf('web:\n  alertmanager_url: http://u:S3CRET@x'), [
      `sip.yml:2: web.alertmanager_url: ${notHttp}`,
    ]);
    assert.deepEqual(problemsOf('web:\n  alertmanager_url: [http://x]'), [
      'sip.yml:2: web.alertmanager_url: expected a URL, or a mapping with url, got a list',
    ]);
    assert.match(
      problemsOf(
        'web:\n  prometheus_url: { url: http://x, authorization: { credentials: x, type: basic } }',
      ).join(),
      /^sip.yml:2: web.prometheus_url.authorization.type: expected basic_auth for the type Basic, got "basic"$/,
    );
  });
});

describe('links', () => {
  test('are NAME=URL in flags and in the environment', () => {
    const flags = ['--web.links=My runbook=https://wiki/{uri}', '--web.links=G=http://g/?a=b'];
    assert.deepEqual(read('', flags).web.links, {
      'My runbook': 'https://wiki/{uri}',
      G: 'http://g/?a=b',
    });
    const env = { SIP_KEEPALIVE_WEB_LINKS: 'A=http://a B=http://b' };
    assert.deepEqual(read('', [], env).web.links, { A: 'http://a', B: 'http://b' });
  });

  for (const [what, link, problem] of [
    [
      'with another placeholder',
      'A: http://x/{destnation}',
      'expected {destination} or {uri} (nearest: "{destination}"), with %7B for another brace, got "{destnation}"',
    ],
    [
      'with a brace',
      'A: "http://x/{"',
      'expected {destination} or {uri}, with %7B for another brace, got "{"',
    ],
    [
      'to a script',
      'A: "javascript:alert(1)"',
      'expected an http:// or https:// URL with a fixed host, got "javascript:alert(1)"',
    ],
    [
      'to a host that a destination decides',
      'A: http://{destination}/',
      'expected an http:// or https:// URL with a fixed host, got "http://{destination}/"',
    ],
    [
      'that is a list',
      'A: [http://x]',
      'expected an http:// or https:// URL with a fixed host, got a list',
    ],
    [
      'without a name',
      '"": http://x',
      'expected links as a mapping, or as NAME=URL, each name once, got a list',
    ],
  ] as const) {
    test(`a link ${what} is refused`, () => {
      assert.deepEqual(problemsOf(`web:\n  links:\n    ${link}`), [
        `sip.yml:2: web.links: ${problem}`,
      ]);
    });
  }

  test('a flag that is no link, or a second one of its name, is refused', () => {
    const expected = 'expected links as a mapping, or as NAME=URL, each name once, got';
    assert.deepEqual(problemsOf('', ['--web.links=http://x']), [
      `--web.links: ${expected} "http://x"`,
    ]);
    assert.deepEqual(problemsOf('', ['--web.links=A=http://x', '--web.links=A=http://y']), [
      `--web.links: ${expected} "A=http://y"`,
    ]);
  });
});
