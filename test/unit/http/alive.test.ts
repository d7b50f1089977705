import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { appRig } from '../../support/app-rig.js';

async function aliveRig(t: TestContext) {
  const rig = await appRig(t);
  const up = rig.add('up');
  up.ping();
  up.become('up');
  const down = rig.add('down', { uri: 'sip:+49@192.0.2.2' });
  down.ping({ reason: 'timeout' });
  down.become('down', 'timeout');
  rig.add('unknown');
  return rig;
}

describe('/alive', () => {
  for (const [query, status, body] of [
    ['destination=up', 200, '1\n'],
    ['destination=192.0.2.1', 200, '1\n'],
    ['destination=SIP:192.0.2.1:5060', 200, '1\n'],
    ['destination=up&fail_on_down=1', 200, '1\n'],
    ['destination=down', 200, '2\n'],
    ['destination=sip:+49@192.0.2.2', 200, '2\n'],
    ['destination=down&fail_on_down=true', 503, '2\n'],
    ['destination=down&fail_on_down=0', 200, '2\n'],
    ['destination=down&fail_on_down=maybe', 400, '-1\n'],
    ['destination=unknown', 503, '-1\n'],
    ['destination=nobody', 404, '-1\n'],
    ['destination=http://x', 400, '-1\n'],
    ['destination=', 400, '-1\n'],
    ['destination=up&destination=down', 400, '-1\n'],
    ['', 400, '-1\n'],
  ] as const) {
    test(`?${query} is ${body.trim()} with status ${status}`, async (t) => {
      const { text } = await aliveRig(t);
      assert.deepEqual(await text(`/alive?${query}`), [status, body]);
    });
  }

  test('is the destination, or an error, for a client that wants JSON', async (t) => {
    const { json, text } = await aliveRig(t);
    const headers = { accept: 'application/json' };
    const { status, body } = await json('/alive?destination=down', headers);
    assert.equal(status, 200);
    const { code, reason } = body as Record<string, unknown>;
    assert.deepEqual([code, reason], [2, 'timeout']);
    assert.deepEqual(await json('/alive?destination=nobody', headers), {
      ...{ status: 404, body: { code: -1, error: 'no such destination: nobody' } },
    });
    assert.deepEqual((await json('/alive', headers)).body, {
      ...{ code: -1, error: 'destination: expected a name or a URI, got none' },
    });
    const preferred = { accept: 'text/plain, application/json;q=0.5' };
    assert.deepEqual(await text('/alive?destination=up', preferred), [200, '1\n']);
  });

  test('of a URI of several destinations is up if one of them is', async (t) => {
    const { add, text } = await aliveRig(t);
    const other = add('other', { uri: 'sip:+49@192.0.2.2' });
    assert.deepEqual(await text('/alive?destination=sip:+49@192.0.2.2'), [503, '-1\n']);
    other.ping();
    other.become('up');
    assert.deepEqual(await text('/alive?destination=sip:+49@192.0.2.2'), [200, '1\n']);
  });
});
