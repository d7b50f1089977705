import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readDispatcherList } from '../../src/discovery/dispatcher-list.js';
import { readKamailioCfg } from '../../src/discovery/kamailio-cfg.js';
import { canonicalUri } from '../../src/shared/uri.js';
import { runKamailio } from '../support/kamailio.js';
import { freePort } from '../support/ports.js';
import { eventually, folder, runToEnd } from '../support/process.js';
import { needs } from '../support/tools.js';

/** Starts a Kamailio with these lines in its configuration. Returns how to run a command of kamcmd. */
async function started(t: TestContext, lines: readonly string[], ...args: readonly string[]) {
  const socket = join(folder(t), 'ctl');
  const start = [
    ...['debug=2', 'log_stderror=yes', 'children=1', 'auto_aliases=no', 'disable_tcp=yes'],
    ...['dns_try_ipv6=yes', 'loadmodule "ctl.so"', `modparam("ctl", "binrpc", "unix:${socket}")`],
  ];
  await runKamailio(t, [...start, ...lines, ''].join('\n'), ...args);
  return (command: string) => runToEnd('kamcmd', ['-s', `unix:${socket}`, command]).stdout;
}

/** The values of all fields with this name, in the output of kamcmd. */
const fields = (output: string, name: string) =>
  [...output.matchAll(new RegExp(`^\\s*${name}: (.*?)\\s*$`, 'gm'))].map(([, value = '']) => value);

test(
  'the destinations read from a kamailio.cfg are those that a real Kamailio pings',
  needs('kamailio', 'kamcmd'),
  async (t) => {
    const path = resolve('test/corpus/kamailio/kamailio.cfg');
    const command = await started(t, [
      `#!define LISTEN udp:127.0.0.1:${await freePort()}`,
      `include_file "${path}"`,
    ]);
    const list = () => fields(command('keepalive.list'), 'uri');
    const theirs = await eventually('it lists', () => list().length > 0 && list());
    const { found } = readKamailioCfg(
      path,
      (file) => readFileSync(file),
      () => false,
    );
    assert.deepEqual(
      theirs.map((uri) => canonicalUri(uri)).sort(),
      found.map(({ entry }) => entry['uri']).sort(),
    );
  },
);

test(
  'the destinations read from a dispatcher.list are those that a real Kamailio loads',
  needs('kamailio', 'kamcmd'),
  async (t) => {
    // Without the line that makes Kamailio load nothing, and without a name that it looks up.
    const text = readFileSync('test/corpus/dispatcher/all.list', 'utf8')
      .split('\n')
      .filter((line) => !/^5$|nobody|sips:|192\.0\.2\.[56]\b/.test(line))
      .join('\n');
    const path = join(folder(t), 'dispatcher.list');
    writeFileSync(path, text);
    // IPv6 destinations are left out while it listens on no IPv6 address.
    const port = await freePort();
    const command = await started(t, [
      ...['127.0.0.1', '[::1]'].map((host) => `listen=udp:${host}:${port}`),
      ...['tm', 'sl', 'dispatcher'].map((name) => `loadmodule "${name}.so"`),
      `modparam("dispatcher", "list_file", "${path}")`,
      'request_route { exit; }',
    ]);
    const list = () => command('dispatcher.list');
    const output = await eventually('it lists', () => fields(list(), 'URI').length > 0 && list());
    const { found } = readDispatcherList(text, path, () => false);
    assert.deepEqual(
      [...new Set(fields(output, 'URI').map((uri) => canonicalUri(uri)))].sort(),
      found.map(({ entry }) => entry['uri']).sort(),
    );
    const sets = found.flatMap(({ entry }) => {
      const labels = entry['labels'] as Readonly<Record<string, string>>;
      return (labels['setid'] ?? '').split(',');
    });
    assert.deepEqual(fields(output, 'ID').sort(), [...new Set(sets)].sort());
  },
);

test(
  'the destinations of both modules in a kamailio.cfg are those that a real Kamailio has',
  needs('kamailio', 'kamcmd'),
  async (t) => {
    const path = resolve('test/corpus/kamailio/dispatcher.cfg');
    const check = runToEnd('kamailio', ['-c', '-f', path]);
    assert.match(check.stderr, /config file ok/);
    const port = await freePort();
    // Its list is beside it.
    const command = await started(
      t,
      [`listen=udp:127.0.0.1:${port}`, `include_file "${path}"`],
      ...['-w', dirname(path)],
    );
    const list = () => command('dispatcher.list');
    const output = await eventually('it lists', () => fields(list(), 'URI').length > 0 && list());
    const flags = fields(output, 'FLAGS');
    const listed = fields(output, 'URI').filter((_uri, index) => !flags[index]?.startsWith('D'));
    const kept = fields(command('keepalive.list'), 'uri');
    assert.ok(listed.length > 0 && kept.length > 0);
    const { found } = readKamailioCfg(
      path,
      (file) => readFileSync(file),
      () => false,
    );
    assert.deepEqual(
      [...new Set([...listed, ...kept].map((uri) => canonicalUri(uri)))].sort(),
      found.map(({ entry }) => entry['uri']).sort(),
    );
    const duids = fields(output, 'DUID').filter((duid) => duid !== '<null string>');
    const labels = found.map(({ entry }) => entry['labels'] as Readonly<Record<string, string>>);
    assert.deepEqual(duids.sort(), labels.flatMap((one) => one?.['duid'] ?? []).sort());
  },
);
