import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { INTERVAL_MS, located, PingerRig, SLOT } from '../../support/pinger-rig.js';

const FULL = '503 Service Unavailable\r\nRetry-After: 300';
const BROKEN = '503 Service Unavailable';

/** The state of the destination and why it is down. */
function verdict(it: PingerRig) {
  const row = it.ledger.destination(SLOT);
  return [row?.state, row?.reason];
}

describe('a destination', () => {
  for (const [status, settings, wanted] of [
    [FULL, {}, ['down', 'draining']],
    [BROKEN, {}, ['down', 'code']],
    ['503 Service Unavailable\r\nRetry-After: soon', {}, ['down', 'code']],
    ['480 Temporarily Unavailable\r\nRetry-After: 300', {}, ['down', 'code']],
    ['480 Temporarily Unavailable', { drainingCodes: '480' }, ['down', 'draining']],
    ['404 Not Found', { drainingCodes: '480' }, ['down', 'code']],
    ['401 Unauthorized', { drainingCodes: '401' }, ['down', 'draining']],
    [FULL, { aliveCodes: 'any' }, ['up', undefined]],
    [FULL, { aliveCodes: 'any,!503' }, ['down', 'draining']],
  ] as const) {
    const [code] = wanted;
    const shown = status.replace('\r\n', ', ');
    test(`that answers ${shown} with ${JSON.stringify(settings)} is ${code} ${wanted[1] ?? ''}`, async () => {
      const it = new PingerRig();
      it.script.respond = () => status;
      it.monitor(settings);
      await it.pass(INTERVAL_MS);
      assert.deepEqual(verdict(it), wanted);
      it.pinger.close();
    });
  }

  test('that is draining and then silent is down with timeout, and the state does not change', async () => {
    const it = new PingerRig();
    it.script.respond = () => FULL;
    it.monitor({ timeoutMs: 100 });
    await it.pass(INTERVAL_MS);
    it.script.respond = () => undefined;
    await it.pass(2 * INTERVAL_MS);
    assert.deepEqual(verdict(it), ['down', 'timeout']);
    assert.equal(it.ledger.destination(SLOT)?.changes, 0);
    it.pinger.close();
  });

  test('is draining only if all of its addresses are', async () => {
    const it = new PingerRig();
    const result = located('192.0.2.1', '192.0.2.2');
    assert.equal(result.kind, 'located');
    const locations = result.locations.map((location) => ({ ...location, priority: 10 }));
    it.script.locate = () => ({ ...result, locations });
    it.script.respond = () => FULL;
    it.monitor({}, { uri: 'sip:d.test' });
    await it.pass(INTERVAL_MS);
    assert.deepEqual(verdict(it), ['down', 'draining']);
    for (const broken of ['192.0.2.1', '192.0.2.2']) {
      it.script.respond = (_request, { address }) => (address === broken ? BROKEN : FULL);
      await it.pass(2 * INTERVAL_MS);
      assert.deepEqual(verdict(it), ['down', 'code'], broken);
    }
    it.script.respond = () => FULL;
    await it.pass(2 * INTERVAL_MS);
    assert.deepEqual(verdict(it), ['down', 'draining']);
    it.pinger.close();
  });

  test('is draining if its addresses of the best priority are, whatever the others answer', async () => {
    const it = new PingerRig();
    it.script.locate = () => located('192.0.2.1', '192.0.2.2');
    it.script.respond = (_request, { address }) => (address === '192.0.2.1' ? FULL : BROKEN);
    it.monitor({}, { uri: 'sip:d.test' });
    await it.pass(INTERVAL_MS);
    assert.deepEqual(verdict(it), ['down', 'draining']);
    it.pinger.close();
  });

  test('with respect_retry_after is not pinged before its Retry-After, and then as usual', async () => {
    const it = new PingerRig();
    it.script.respond = () => '503 Service Unavailable\r\nRetry-After: 20';
    it.monitor({ respectRetryAfter: true, timeoutMs: 500, maxBackoffMs: 60_000 });
    await it.pass(INTERVAL_MS);
    assert.equal(it.sent.length, 1);
    await it.pass(19_000);
    assert.equal(it.sent.length, 1);
    it.script.respond = () => '200 OK';
    await it.pass(2 * INTERVAL_MS);
    assert.equal(it.ledger.destination(SLOT)?.state, 'up');
    const { length } = it.sent;
    await it.pass(10 * INTERVAL_MS);
    assert.ok(it.sent.length >= length + 9, `${it.sent.length - length} pings`);
    it.pinger.close();
  });
});
