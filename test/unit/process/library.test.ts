import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  createKeepAlive,
  type KeepAliveConfig,
  type KeepAliveOptions,
} from '../../../src/library.js';
import type { LogLine } from '../../../src/shared/protocol.js';

/** An address for documentation (RFC 5737), from which there is no answer. */
const URI = 'sip:192.0.2.1';

/** A library whose pings are too rare for a test. */
function open(t: TestContext, config: KeepAliveOptions['config'] = {}) {
  const logged: LogLine[] = [];
  const keepAlive = createKeepAlive({
    config: { ping_interval: 3600, dns: { hosts_file: '' }, ...config },
    log: (line) => logged.push(line),
  });
  t.after(() => keepAlive.close());
  return keepAlive;
}

test('a destination is unknown until its first result, in any spelling', (t) => {
  const keepAlive = open(t);
  assert.equal(keepAlive.add(URI, { owner: 'a', name: 'trunk' }), true);
  for (const spelling of ['trunk', URI, 'SIP:192.0.2.1:5060', '192.0.2.99', 'no URI at all', '']) {
    assert.equal(keepAlive.isAlive(spelling), -1, spelling);
  }
});

test('owners share a destination, which is removed with the last of them', (t) => {
  const keepAlive = open(t);
  assert.equal(keepAlive.add(URI, { owner: 'a' }), true);
  assert.equal(keepAlive.add(URI, { owner: 'a' }), false, 'that owner has it already');
  assert.equal(keepAlive.add(URI, { owner: 'b', pingInterval: 60 }), true);
  const [shared] = keepAlive.list();
  assert.deepEqual([shared?.uri, shared?.owners, shared?.ping_interval], [URI, ['a', 'b'], 60]);
  assert.equal(keepAlive.remove(URI, 'nobody'), false);
  assert.equal(keepAlive.remove('no URI at all', 'a'), false);
  assert.equal(keepAlive.remove(URI, 'a'), true);
  assert.deepEqual(keepAlive.list()[0]?.owners, ['b']);
  assert.equal(keepAlive.remove(URI, 'b'), true);
  assert.deepEqual(keepAlive.list(), []);
});

test('a configured destination stays', (t) => {
  const keepAlive = open(t, { destinations: [{ uri: URI, name: 'trunk' }] });
  assert.equal(keepAlive.remove('trunk', 'config'), false);
  assert.deepEqual(
    keepAlive.list().map(({ destination }) => destination),
    ['trunk'],
  );
});

test('invalid input is an error that says what was expected', (t) => {
  const keepAlive = open(t, { destinations: [{ uri: URI, name: 'trunk' }] });
  assert.throws(() => keepAlive.add('http://x', { owner: 'a' }), /uri: expected a SIP URI/);
  assert.throws(() => keepAlive.add(URI, { owner: '' }), /^KeepAliveError: owner: expected /);
  assert.throws(
    () => keepAlive.add('192.0.2.2', { owner: 'a', name: 'trunk' }),
    /^KeepAliveError: trunk: the name is already used by sip:192\.0\.2\.1$/,
  );
  assert.throws(
    () => createKeepAlive({ config: { nonsense: 1 } as KeepAliveConfig }),
    /nonsense: unknown setting/,
  );
});

test('the metrics are those of pings, without those of the exporter', async (t) => {
  const { register } = open(t, { destinations: [{ uri: URI, name: 'trunk' }] });
  const text = await register.metrics();
  assert.match(register.contentType, /^text\/plain; version=0\.0\.4/);
  assert.match(text, /^# HELP sip_keepalive_/);
  assert.match(text, /^sip_keepalive_pinger_lateness_seconds_count \d+$/m);
  assert.doesNotMatch(text, /_build_info|_http_/);
});

test('after close, add throws, and close may be called again', async (t) => {
  const keepAlive = open(t);
  await keepAlive.close();
  await keepAlive.close();
  assert.throws(
    () => keepAlive.add(URI, { owner: 'a' }),
    /^KeepAliveError: KeepAlive is already closed$/,
  );
});

test('without options, added destinations are pinged', async (t) => {
  const keepAlive = createKeepAlive();
  t.after(() => keepAlive.close());
  assert.deepEqual(keepAlive.list(), []);
});
