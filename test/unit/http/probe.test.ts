import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { ProbeSettings } from '../../../src/http/routes/probe-parameters.js';
import type { ProbeReport } from '../../../src/shared/probe-report.js';
import type { ProbeRequest } from '../../../src/shared/protocol.js';
import { appRig } from '../../support/app-rig.js';
import { IDLE_SETTINGS } from '../../support/idle-app.js';
import { probeReport } from '../../support/probe-report.js';
import { settings } from '../../support/settings.js';

type Request = Omit<ProbeRequest, 'id'>;

async function probeRig(
  t: TestContext,
  more: {
    readonly settings?: Partial<ProbeSettings>;
    readonly probe?: (request: Request, signal: AbortSignal) => Promise<ProbeReport>;
  } = {},
) {
  const requests: Request[] = [];
  const modules = {
    default: settings({ timeoutMs: 3_000 }),
    slow: settings({ timeoutMs: 30_000 }),
    routed: settings({ identity: { route: 'sip:proxy.example' } }),
  };
  const rig = await appRig(t, {
    settings: () => ({
      ...IDLE_SETTINGS,
      probe: { isEnabled: true, allow: [], modules, ...more.settings },
    }),
    pinger: {
      isReady: true,
      explanation: () => Promise.reject(new Error('unused')),
      probe: (request, signal) => {
        requests.push(request);
        return more.probe?.(request, signal) ?? Promise.resolve(probeReport());
      },
    },
    moduleText: (module) => `settings of ${module}`,
  });
  const probe = (
    query: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ) => rig.text(`/probe?${new URLSearchParams(query)}`, headers);
  return { ...rig, requests, probe };
}

describe('a probe', () => {
  test('pings a URI with the settings of a module, and answers with metrics', async (t) => {
    const { get, requests } = await probeRig(t);
    const answer = await get('/probe?target=192.0.2.1');
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    const text = await answer.text();
    assert.match(text, /^probe_success 1$/m);
    assert.match(text, /^probe_timeout_seconds 3$/m);
    const [{ uri, timeoutMs, allow } = {}] = requests;
    assert.deepEqual([uri, timeoutMs, allow], ['sip:192.0.2.1', 3_000, []]);
  });

  test('that fails is an answer, not an error', async (t) => {
    const { probe } = await probeRig(t, {
      probe: async () => probeReport({ isAlive: false, reason: 'timeout', code: undefined }),
    });
    const [status, text] = await probe({ target: 'a.example' });
    assert.equal(status, 200);
    assert.match(text, /^probe_success 0$/m);
  });

  test('pings a configured destination with its own settings, wherever it is', async (t) => {
    const { add, probe, requests } = await probeRig(t, { settings: { allow: ['192.0.2.0/24'] } });
    add('gw', { uri: 'sip:10.0.0.1', settings: settings({ timeoutMs: 777 }) });
    assert.equal((await probe({ destination: 'gw' }))[0], 200);
    const [{ uri, timeoutMs, allow } = {}] = requests;
    assert.deepEqual([uri, timeoutMs, allow], ['sip:10.0.0.1', 777, []]);
    assert.deepEqual(await probe({ destination: 'x' }), [404, 'no such destination: x\n']);
    for (const other of ['target', 'module']) {
      const [status, text] = await probe({ destination: 'gw', [other]: 'x' });
      assert.deepEqual(
        [status, text],
        [400, `${other}: not allowed with destination, which has its own\n`],
      );
    }
  });

  for (const [what, header, module, timeoutMs] of [
    ['of the module where Prometheus gives more', '60', 'default', 3_000],
    ['of Prometheus less half a second where that is less', '10', 'slow', 9_500],
    ['of half of what Prometheus gives where that is very little', '0.6', 'slow', 300],
  ] as const) {
    test(`has the timeout ${what}`, async (t) => {
      const { probe, requests } = await probeRig(t);
      const headers = { 'x-prometheus-scrape-timeout-seconds': header };
      assert.equal((await probe({ target: 'a.example', module }, headers))[0], 200);
      assert.equal(requests[0]?.timeoutMs, timeoutMs);
    });
  }

  for (const seconds of ['0', '-1', 'soon', '']) {
    test(`is refused with a timeout of ${JSON.stringify(seconds)}`, async (t) => {
      const { probe } = await probeRig(t);
      const headers = { 'x-prometheus-scrape-timeout-seconds': seconds };
      const [status, text] = await probe({ target: 'a.example' }, headers);
      assert.equal(status, 400);
      assert.match(text, /expected seconds above 0/);
    });
  }

  for (const [query, message] of [
    ['', 'Target parameter is missing: expected target=URI or destination=NAME'],
    ['target=', 'Target parameter is missing: expected target=URI or destination=NAME'],
    ['target=a&module=none', 'Unknown module "none": expected one of default, slow, routed'],
    [
      'target=a&module=slo',
      'Unknown module "slo": expected one of default, slow, routed (nearest: "slow")',
    ],
    [
      'target=a&module=toString',
      'Unknown module "toString": expected one of default, slow, routed',
    ],
    ['target=a&target=b', 'target: expected one value, got several'],
    ['target=a&host=b', 'host: expected one of target, module, destination, debug, got host'],
    ['target=a&debug=maybe', 'debug: expected true or false, got "maybe"'],
  ] as const) {
    test(`with ?${query} is refused: ${message}`, async (t) => {
      const { text, requests } = await probeRig(t);
      assert.deepEqual(await text(`/probe?${query}`), [400, `${message}\n`]);
      assert.deepEqual(requests, []);
    });
  }

  test('of an invalid SIP URI is refused', async (t) => {
    const { probe } = await probeRig(t);
    const [status, text] = await probe({ target: 'http://x' });
    assert.equal(status, 400);
    assert.match(text, /^target: expected a SIP URI/);
  });

  test('ends when its client leaves', async (t) => {
    let ended = (_reason: unknown) => {};
    const aborted = new Promise((resolve) => (ended = resolve));
    const { url, errors, requests } = await probeRig(t, {
      probe: (_request, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            ended(signal.reason);
            reject(signal.reason);
          });
        }),
    });
    const stop = new AbortController();
    const answer = fetch(`${url}/probe?target=a.example`, { signal: stop.signal });
    while (requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    await assert.rejects(answer);
    await aborted;
    assert.deepEqual(errors, []);
  });
});

describe('a probe without a result', () => {
  for (const [what, report, status, message] of [
    [
      'by a local error',
      { reason: 'local', detail: 'send: EPERM' },
      503,
      'the exporter cannot ping: send: EPERM',
    ],
    [
      'by a stall',
      { isObserved: false },
      503,
      'the exporter was stalled during the probe; try again',
    ],
    ['by probe.allow', { isAllowed: false }, 403, 'a.example may not be probed (probe.allow)'],
  ] as const) {
    test(`${what} is ${status}`, async (t) => {
      const { probe } = await probeRig(t, {
        probe: async () => probeReport({ isAlive: false, ...report }),
      });
      assert.deepEqual(await probe({ target: 'a.example' }), [status, `${message}\n`]);
    });
  }

  test('by the pinger is 503 with its reason', async (t) => {
    const { probe } = await probeRig(t, {
      probe: () => Promise.reject(new Error('the pinger thread is restarting')),
    });
    const expected = [503, 'the pinger thread is restarting\n'];
    assert.deepEqual(await probe({ target: 'a.example' }), expected);
  });
});

describe('probe.allow', () => {
  const allow = ['192.0.2.0/24', 'example.com'];
  for (const [target, module, blocks] of [
    ['192.0.2.1', 'default', ['192.0.2.0/24']],
    ['example.com', 'default', []],
    ['sbc.example.com', 'default', []],
    ['other.example', 'default', ['192.0.2.0/24']],
    ['192.0.2.1', 'routed', []],
    ['example.com', 'routed', []],
  ] as const) {
    test(`lets ${target} be probed by module ${module}`, async (t) => {
      const { probe, requests } = await probeRig(t, { settings: { allow } });
      assert.equal((await probe({ target, module }))[0], 200);
      assert.deepEqual(requests[0]?.allow, blocks);
    });
  }
  for (const [target, module, list] of [
    ['198.51.100.1', 'default', allow],
    ['198.51.100.1', 'routed', allow],
    ['other.example', 'routed', allow],
    ['notexample.com', 'default', ['example.com']],
  ] as const) {
    test(`${list} does not let ${target} be probed by module ${module}`, async (t) => {
      const { probe, requests } = await probeRig(t, { settings: { allow: list } });
      const expected = [403, `${target} may not be probed (probe.allow)\n`];
      assert.deepEqual(await probe({ target, module }), expected);
      assert.deepEqual(requests, []);
    });
  }
});

test('probes can be disabled', async (t) => {
  const { probe } = await probeRig(t, { settings: { isEnabled: false } });
  const expected = [403, 'probes are disabled (probe.enabled)\n'];
  assert.deepEqual(await probe({ target: 'a.example' }), expected);
});

test('with debug the answer has the log, the metrics and the settings of the module', async (t) => {
  const { probe } = await probeRig(t, {
    probe: async () =>
      probeReport({
        ...{ isAlive: false, reason: 'local', detail: 'send: EPERM', code: undefined },
        log: [[0, 'sending', 'OPTIONS sip:a SIP/2.0\r\n']],
      }),
  });
  const [status, text] = await probe({ target: 'a.example', module: 'slow', debug: 'true' });
  assert.equal(status, 503, 'a local error has a status of its own');
  assert.match(text, /^Logs for the probe:\n1970-01-01T00:00:00\.000Z sending\n {4}OPTIONS sip:a/);
  assert.match(text, /\nMetrics that would have been returned:\n[\s\S]*\nprobe_success 0\n/);
  assert.match(text, /\nModule configuration:\nsettings of slow$/);
});

test('with debug the answer is JSON for a client that prefers it', async (t) => {
  const { json, get } = await probeRig(t, {
    probe: async () =>
      probeReport({
        log: [
          [0, 'sent 22 bytes', 'OPTIONS'],
          [1_500, 'alive', ''],
        ],
      }),
  });
  const accept = { accept: 'application/json' };
  const { status, body } = await json('/probe?target=192.0.2.1&debug=true', accept);
  assert.equal(status, 200);
  const { probes } = (await json('/api/v1/probes')).body as { probes: readonly object[] };
  assert.deepEqual(body, {
    ...probes[0],
    steps: [
      { at: '1970-01-01T00:00:00.000Z', text: 'sent 22 bytes', message: 'OPTIONS' },
      { at: '1970-01-01T00:00:01.500Z', text: 'alive', message: null },
    ],
  });
  const wrong = await json('/probe?target=http://x&debug=1', accept);
  assert.equal(wrong.status, 400);
  assert.match((wrong.body as { error: string }).error, /http:\/\/x/);
  const metrics = await get('/probe?target=192.0.2.1', accept);
  assert.match(metrics.headers.get('content-type') ?? '', /^text\/plain/);
});

test('probes are listed with their results, the newest first', async (t) => {
  const results = [
    probeReport(),
    probeReport({ isAlive: false, reason: 'code', detail: 'answered with 503', code: 503 }),
    probeReport({
      ...{ isAlive: false, reason: 'timeout', code: undefined },
      durations: { total: 3, resolve: 0, connect: 0, tls: 0, request: 3 },
    }),
    probeReport({ isAlive: false, reason: 'local', detail: 'EPERM', code: undefined }),
    probeReport({
      durations: { total: 3, resolve: 0, connect: 0, tls: 0, request: Number.NaN },
    }),
  ];
  const { probe, json, clock } = await probeRig(t, {
    probe: async () => results.shift() ?? assert.fail(),
  });
  for (let i = 1; i <= 5; i++) {
    await probe({ target: `host${i}.example` });
    clock.advance(1_000);
  }
  const { probes } = (await json('/api/v1/probes')).body as {
    probes: readonly Readonly<Record<string, unknown>>[];
  };
  assert.deepEqual(
    probes.map((p) => [p['id'], p['target'], p['code'], p['state'], p['sip_code'], p['rtt']]),
    [
      [5, 'host5.example', 1, 'up', 200, null],
      [4, 'host4.example', -1, 'unknown', null, null],
      [3, 'host3.example', 2, 'down', null, null],
      [2, 'host2.example', 2, 'down', 503, 0.5],
      [1, 'host1.example', 1, 'up', 200, 0.5],
    ],
  );
  assert.deepEqual(
    probes.map((p) => [p['reason'], p['detail']]),
    [
      [null, null],
      ['local', 'EPERM'],
      ['timeout', null],
      ['code', 'answered with 503'],
      [null, null],
    ],
  );
  assert.equal(probes[4]?.['at'], '2023-11-14T22:13:20.000Z');
});
