import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { configuredHeaders } from '../../../src/http/guards/headers.js';
import { NO_EXPORTER_METRICS } from '../../../src/metrics/renderer.js';
import { appRig } from '../../support/app-rig.js';
import { IDLE_SETTINGS } from '../../support/idle-app.js';
import { eventually } from '../../support/process.js';

describe('the routes', () => {
  test('answer unknown paths with 404, and other methods with 405 and the allowed ones', async (t) => {
    const { url, text, json } = await appRig(t);
    assert.deepEqual(await text('/nothing'), [404, 'Not found. See /\n']);
    assert.deepEqual(await json('/api/v1/nothing'), {
      ...{ status: 404, body: { error: 'Not found. See /' } },
    });
    const put = await fetch(`${url}/api/v1/silences`, { method: 'PUT' });
    assert.deepEqual(
      [put.status, await put.json()],
      [405, { error: 'Method not allowed; use GET, HEAD, POST' }],
    );
    for (const [method, path, allowed] of [
      ['POST', '/metrics', 'GET, HEAD'],
      ['DELETE', '/alive', 'GET, HEAD'],
      ['GET', '/rpc', 'POST'],
      ['GET', '/-/reload', 'POST'],
    ] as const) {
      const answer = await fetch(`${url}${path}`, { method });
      assert.equal(answer.status, 405, path);
      assert.equal(answer.headers.get('allow'), allowed);
      assert.equal(await answer.text(), `Method not allowed; use ${allowed}\n`);
    }
  });

  test('forbid browsers to guess the type of an answer', async (t) => {
    const { get } = await appRig(t);
    for (const path of ['/', '/metrics', '/nothing', '/config']) {
      assert.equal((await get(path)).headers.get('x-content-type-options'), 'nosniff', path);
    }
  });

  test('run their guard first', async (t) => {
    const { text } = await appRig(t, {
      guards: [
        (_request, response) => {
          response.status(401).send('no');
        },
      ],
    });
    for (const path of ['/', '/metrics', '/nothing', '/-/healthy'])
      assert.deepEqual(await text(path), [401, 'no']);
  });

  test('report an internal error with its path, and do not show it', async (t) => {
    const { text, errors } = await appRig(t, {
      configText: () => {
        throw new Error('a secret');
      },
    });
    assert.deepEqual(await text('/config'), [500, 'Internal error; see the log\n']);
    assert.deepEqual(errors, ['/config: Error: a secret']);
  });

  test('send a readable error to a client that accepts gzip', async (t) => {
    const { text, errors } = await appRig(t, {
      exporterMetrics: {
        ...NO_EXPORTER_METRICS,
        text: async () => {
          throw new Error('broken');
        },
      },
    });
    const headers = { 'accept-encoding': 'gzip' };
    assert.deepEqual(await text('/metrics', headers), [500, 'Internal error; see the log\n']);
    assert.deepEqual(errors, ['/metrics: Error: broken']);
  });

  test('abort a response that fails in the middle', async (t) => {
    const { add, get, errors } = await appRig(t);
    for (let i = 0; i < 500; i++) add(`gw ${i}`);
    add('broken', {
      labels: {
        get x(): string {
          throw new Error('broken');
        },
      },
    });
    const answer = await get('/api/v1/destinations');
    assert.equal(answer.status, 200);
    await assert.rejects(answer.text());
    assert.deepEqual(errors, ['/api/v1/destinations: Error: broken']);
  });

  test('show the configuration in force', async (t) => {
    const { text } = await appRig(t, { configText: () => '{"ping_interval":"30s"}' });
    assert.deepEqual(await text('/config'), [200, '{"ping_interval":"30s"}']);
  });
});

describe('health', () => {
  test('is good while the process serves requests', async (t) => {
    const { text } = await appRig(t);
    assert.deepEqual(await text('/-/healthy'), [200, 'Healthy\n']);
    assert.deepEqual(await text('/-/ready'), [200, 'Ready\n']);
  });

  test('is not ready without the pinger thread', async (t) => {
    const reject = () => Promise.reject(new Error('unused'));
    const { text } = await appRig(t, {
      pinger: { isReady: false, probe: reject, explanation: reject },
    });
    assert.deepEqual(await text('/-/ready'), [503, 'The pinger thread is not running\n']);
    assert.deepEqual(await text('/-/healthy'), [200, 'Healthy\n']);
  });

  test('is not ready after three pings in a row with a local error, until one has another result', async (t) => {
    const { add, text } = await appRig(t);
    const gw = add('gw');
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await text('/-/ready'), [200, 'Ready\n']);
      gw.ping({ reason: 'local' });
    }
    const [status, reason] = await text('/-/ready');
    assert.equal(status, 503);
    assert.match(reason, /its last 3 pings failed with a local error/);
    gw.ping({ reason: 'timeout' });
    assert.deepEqual(await text('/-/ready'), [200, 'Ready\n']);
  });
});

describe('/-/reload', () => {
  test('is refused unless it is enabled', async (t) => {
    const settings = () => ({ ...IDLE_SETTINGS, isLifecycleEnabled: false });
    const { post } = await appRig(t, { settings, reload: () => assert.fail() });
    const answer = await post('/-/reload');
    assert.equal(answer.status, 403);
    assert.match(await answer.text(), /^Lifecycle API is not enabled; set web\.enable-lifecycle/);
  });

  test('answers once the configuration is in use, or with its error', async (t) => {
    let error: string | undefined;
    const { post } = await appRig(t, { reload: async () => error });
    const reload = async () => {
      const answer = await post('/-/reload');
      return [answer.status, await answer.text()] as const;
    };
    assert.deepEqual(await reload(), [200, 'Reloaded\n']);
    error = 'ping_interval: expected a duration';
    assert.deepEqual(await reload(), [
      500,
      'Reload failed; keeping the current configuration:\nping_interval: expected a duration\n',
    ]);
  });

  test('continues when its client disconnects', async (t) => {
    const answers: ((error: string | undefined) => void)[] = [];
    const { url, post, errors } = await appRig(t, {
      reload: () => new Promise((answer) => answers.push(answer)),
    });
    const stop = new AbortController();
    const gone = fetch(`${url}/-/reload`, { method: 'POST', signal: stop.signal });
    const waiting = post('/-/reload');
    await eventually('both requests have arrived', () => answers.length === 2);
    stop.abort();
    await assert.rejects(gone);
    for (const answer of answers) answer(undefined);
    assert.equal((await waiting).status, 200);
    assert.deepEqual(errors, []);
  });
});

describe('the status page', () => {
  test('is HTML that loads scripts and styles only from this server', async (t) => {
    const { get } = await appRig(t);
    const page = await get('/');
    assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/);
    assert.equal(page.headers.get('referrer-policy'), 'no-referrer');
    assert.equal(page.headers.get('cache-control'), 'no-cache');
    const files = [...(await page.text()).matchAll(/(?:src|href)="(page\/[^"]+)"/g)];
    assert.ok(files.length >= 2);
    for (const [, file] of files) {
      const answer = await get(`/${file}`);
      assert.equal(answer.status, 200, file);
      assert.match(answer.headers.get('content-type') ?? '', /^text\/(css|javascript); /);
    }
  });

  test('has each script and style of its folder, compressed for a client that accepts gzip', async (t) => {
    const { get } = await appRig(t);
    const files = readdirSync('page', { recursive: true, encoding: 'utf8' });
    const served = files.filter((path) => /\.(js|css)$/.test(path));
    assert.ok(served.length > 2);
    for (const path of served) {
      const text = readFileSync(`page/${path}`, 'utf8');
      for (const encoding of ['gzip', 'identity']) {
        // Twice, because what was compressed is kept.
        for (let i = 0; i < 2; i++) {
          const answer = await get(`/page/${path}`, { 'accept-encoding': encoding });
          assert.equal(answer.headers.get('content-encoding') ?? 'identity', encoding, path);
          assert.equal(answer.headers.get('vary'), 'Accept-Encoding');
          assert.equal(await answer.text(), text, path);
        }
      }
    }
  });

  test('has the package that draws the charts, as a module', async (t) => {
    const { get } = await appRig(t);
    const script = await get('/page/uplot.js');
    assert.equal(script.headers.get('content-type'), 'text/javascript; charset=utf-8');
    const url = `data:text/javascript,${encodeURIComponent(await script.text())}`;
    const { default: uPlot } = (await import(url)) as { default: unknown };
    assert.equal(typeof uPlot, 'function');
    const style = await get('/page/uplot.css');
    assert.equal(style.headers.get('content-type'), 'text/css; charset=utf-8');
    assert.match(await style.text(), /\.uplot/);
  });

  test('serves no other files', async (t) => {
    const { get } = await appRig(t);
    for (const path of [
      ...['tsconfig.json', 'nothing.js', '__proto__', 'uplot.d.ts', 'list/', 'main.js/'],
      ...[
        '..%2Fpackage.json',
        '..%2F..%2Fpage%2Findex.html',
        'list/..%2f../dom.js',
        '%2Fetc%2Fpasswd',
      ],
    ]) {
      assert.equal((await get(`/page/${path}`)).status, 404, path);
    }
  });
});

describe('a route prefix', () => {
  const paths = { routePrefix: '/sip', telemetry: '/own' };

  test('has every route below it, and nothing beside it', async (t) => {
    const { text, get } = await appRig(t, { paths });
    assert.deepEqual(await text('/sip/-/healthy'), [200, 'Healthy\n']);
    assert.deepEqual(await text('/-/healthy'), [404, 'Not found. See /sip/\n']);
    assert.equal((await get('/sip/own')).status, 200);
    assert.equal((await get('/sip/metrics')).status, 404);
    const openapi = (await (await get('/sip/api/v1/openapi.json')).json()) as { servers: unknown };
    assert.deepEqual(openapi.servers, [{ url: '/sip/' }]);
  });

  test('is where / and the prefix without its slash lead to', async (t) => {
    const { url } = await appRig(t, { paths });
    for (const path of ['/', '/sip']) {
      const answer = await fetch(`${url}${path}`, { redirect: 'manual' });
      assert.deepEqual([answer.status, answer.headers.get('location')], [302, '/sip/'], path);
    }
    const page = await (await fetch(`${url}/`)).text();
    assert.match(page, /<a href="own">metrics<\/a>/);
  });
});

test('configured headers replace those that every answer has', async (t) => {
  const headers = [
    ['X-Frame-Options', 'sameorigin'],
    ['Content-Security-Policy', "default-src 'self'"],
  ] as const;
  const { get } = await appRig(t, { guards: [configuredHeaders(() => ({ headers }))] });
  const { headers: got } = await get('/');
  assert.equal(got.get('x-frame-options'), 'sameorigin');
  assert.equal(got.get('content-security-policy'), "default-src 'self'");
  assert.equal(got.get('referrer-policy'), 'no-referrer');
});
