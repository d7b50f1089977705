import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import express from 'express';
import { logsHandler, logText, ProbeHistory } from '../../../src/http/routes/probe-history.js';
import type { ProbeReport } from '../../../src/shared/probe-report.js';
import { appRig } from '../../support/app-rig.js';

function report(isAlive: boolean, log: ProbeReport['log'] = []): ProbeReport {
  return {
    ...{
      isAlive,
      reason: isAlive ? undefined : 'timeout',
      detail: '',
      isAllowed: true,
      isObserved: true,
    },
    ...{ transport: 'udp', address: '192.0.2.1', code: undefined, retransmissions: 0 },
    durations: {
      ...{ total: 1, resolve: undefined, connect: undefined },
      tls: undefined,
      request: 1,
    },
    ...{ tls: undefined, log },
  };
}

function historyOf(...probes: readonly boolean[]): ProbeHistory {
  const history = new ProbeHistory();
  for (const isAlive of probes)
    history.add({ endedAtMs: 0, target: 'x', module: 'm', report: report(isAlive) });
  return history;
}

const many = (count: number, isAlive: boolean) => Array.from({ length: count }, () => isAlive);
const idsOf = (history: ProbeHistory) => history.all().map(({ id }) => id);
/** From the first down to the last. */
const down = (first: number, last: number) =>
  Array.from({ length: first - last + 1 }, (_, i) => first - i);

describe('the history of probes', () => {
  test('is empty before the first probe', () => {
    const history = historyOf();
    assert.deepEqual(history.all(), []);
    assert.equal(history.find(1), undefined);
  });

  test('has the newest first, each of them once', () => {
    const history = historyOf(true, false, true);
    assert.deepEqual(idsOf(history), [3, 2, 1]);
    assert.deepEqual(
      history.all().map((probed) => probed.report.isAlive),
      [true, false, true],
    );
    assert.deepEqual(
      { ...history.find(2), report: undefined },
      { id: 2, endedAtMs: 0, target: 'x', module: 'm', report: undefined },
    );
  });

  test('keeps 100 probes, and 100 that failed', () => {
    assert.deepEqual(idsOf(historyOf(...many(100, true))), down(100, 1));
    assert.deepEqual(idsOf(historyOf(...many(101, true))), down(101, 2));
    const history = historyOf(...many(150, false), ...many(120, true));
    assert.deepEqual(idsOf(history), [...down(270, 171), ...down(150, 51)]);
    assert.equal(history.find(50), undefined);
    assert.equal(history.find(170), undefined);
    assert.equal(history.find(51)?.report.isAlive, false);
    assert.equal(history.find(171)?.report.isAlive, true);
  });

  test('has 100 probes if all failed', () => {
    assert.deepEqual(idsOf(historyOf(...many(250, false))), down(250, 151));
  });

  test('finds nothing by a number that no probe has', () => {
    const history = historyOf(true);
    for (const id of [0, 2, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.equal(history.find(id), undefined, String(id));
    }
  });
});

test('the log of a probe has a line for each step, with messages indented below', () => {
  const log = [
    [0, 'probing sip:a', ''],
    [1500, 'sent 9 bytes', 'OPTIONS\nVia: x\n\n'],
  ] as const;
  assert.equal(
    logText(report(true, log)),
    [
      '1970-01-01T00:00:00.000Z probing sip:a',
      '1970-01-01T00:00:01.500Z sent 9 bytes',
      '    OPTIONS',
      '    Via: x',
      '',
    ].join('\n'),
  );
  assert.equal(logText(report(true)), '');
});

describe('GET /logs', () => {
  async function get(t: TestContext, query: string) {
    const history = new ProbeHistory();
    const log = [[0, '<b>alive</b>', '']] as const;
    history.add({ endedAtMs: 0, target: '<i>a</i>', module: 'm', report: report(true, log) });
    const server = createServer(express().get('/logs', logsHandler(history)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const answer = await fetch(`http://127.0.0.1:${address.port}/logs${query}`);
    return {
      status: answer.status,
      type: answer.headers.get('content-type'),
      text: await answer.text(),
    };
  }

  test('shows the log of a probe that is kept, as text and not as HTML', async (t) => {
    const { status, type, text } = await get(t, '?id=1');
    assert.equal(status, 200);
    assert.match(type ?? '', /^text\/plain/);
    assert.equal(text, '<i>a</i> m\n1970-01-01T00:00:00.000Z <b>alive</b>\n');
  });

  for (const [query, status, message] of [
    ['', 400, 'id: expected that of a probe, got none; see /api/v1/probes'],
    ['?id=', 400, 'id: expected that of a probe, got none; see /api/v1/probes'],
    ['?id[a]=1', 400, 'id: expected that of a probe, got none; see /api/v1/probes'],
    ['?id=2', 404, 'no such probe: 2; see /api/v1/probes'],
    ['?id=x', 400, 'id: expected an integer from 1 to 9007199254740991, got "x"'],
    ['?id=1&id=1', 400, 'id: expected one value, got several'],
  ] as const) {
    test(`with ${JSON.stringify(query)} is ${status}`, async (t) => {
      const { get, text } = await appRig(t);
      assert.deepEqual(await text(`/logs${query}`), [status, `${message}\n`]);
      const answer = await get(`/logs${query}`);
      assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/);
    });
  }
});
