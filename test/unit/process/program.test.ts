import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import * as net from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { LogOutput } from '../../../src/platform/log-output.js';
import { readVersion } from '../../../src/platform/version.js';
import { run } from '../../../src/program.js';
import { FakeClock } from '../../support/fake-clock.js';
import { eventually, folder } from '../../support/process.js';

/** The signals and events that the program listens to, in the process of the test. */
const EVENTS = ['uncaughtException', 'unhandledRejection', 'SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/** Runs the program with captured outputs. */
function start(t: TestContext, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const written = { stdout: '', stderr: '' };
  const output = (name: keyof typeof written) =>
    new LogOutput((text, done) => {
      written[name] += text;
      done();
    }, new FakeClock());
  const before = EVENTS.map((event) => process.listeners(event as 'SIGHUP'));
  const code = run(args, env, { stdout: output('stdout'), stderr: output('stderr') });
  let hasEnded = false;
  void code.then(() => {
    hasEnded = true;
  });
  t.after(async () => {
    if (!hasEnded) process.emit('SIGTERM');
    await code;
    for (const [i, event] of EVENTS.entries()) {
      for (const listener of process.listeners(event as 'SIGHUP')) {
        if (!before[i]?.includes(listener)) process.off(event, listener);
      }
    }
  });
  const lines = () =>
    written.stderr.split('\n').flatMap((line) => {
      return line.startsWith('{') ? [JSON.parse(line) as Readonly<Record<string, unknown>>] : [];
    });
  const logged = (event: string) =>
    eventually(event, () => lines().find((line) => line['event'] === event));
  return { code, written, logged };
}

/** A configuration file. */
function configFile(t: TestContext, content: object): string {
  const path = join(folder(t), 'config.yml');
  writeFileSync(path, JSON.stringify(content));
  return path;
}

const LOOPBACK = ['--web.listen-address=127.0.0.1:0', '--log.format=json', '--dns.hosts_file='];

describe('the program', () => {
  test('prints its version or its help, and exits', async (t) => {
    const version = start(t, ['--version']);
    assert.equal(await version.code, 0);
    assert.equal(version.written.stdout, `sip-keepalive-exporter ${readVersion()}\n`);
    const help = start(t, ['--help']);
    assert.equal(await help.code, 0);
    assert.match(help.written.stdout, /--config\.file/);
    assert.equal(help.written.stderr, '');
  });

  test('reports a valid configuration', async (t) => {
    const path = configFile(t, { destinations: ['192.0.2.1', '192.0.2.2'], modules: { a: {} } });
    const { code, written } = start(t, [`--config.file=${path}`, '--config.check']);
    assert.equal(await code, 0);
    assert.equal(written.stdout, 'configuration is valid: 2 destinations, 1 modules\n');
  });

  test('exits with code 2 when a source cannot be read, after the result of every source', async (t) => {
    const at = folder(t);
    writeFileSync(join(at, 'd.list'), '1 sip:192.0.2.1\n5\n');
    const discovery = {
      ...{ dispatcher_list: [{ file: 'd.list' }], file_sd: [{ files: ['none.json'] }] },
      http_sd: [{ url: 'http://127.0.0.1:9/' }],
    };
    const path = join(at, 'config.yml');
    writeFileSync(path, JSON.stringify({ discovery }));
    const { code, written } = start(t, [`--config.file=${path}`, '--config.check']);
    assert.equal(await code, 2);
    const lines = written.stdout.replaceAll(`${at}/`, '').split('\n');
    assert.equal(lines[0], 'configuration is valid: 0 destinations, 0 modules');
    assert.match(
      lines[1] ?? '',
      /^file_sd none\.json: 0 destinations, cannot be read: none\.json: /,
    );
    assert.match(lines[2] ?? '', /^http_sd .*: not read; --config\.check=full reads servers too$/);
    assert.equal(lines[3], 'dispatcher_list d.list: 1 destinations');
    assert.match(lines[4] ?? '', /^ {2}d\.list:2: skipped: expected a set id and a SIP URI/);
    assert.equal(written.stderr, 'sip-keepalive-exporter: 1 of 3 sources cannot be read\n');
  });

  test('exits with code 0 when entries of a source are skipped', async (t) => {
    const path = join(folder(t), 'd.list');
    writeFileSync(path, '5\n');
    const { code, written } = start(t, [
      `--discovery.dispatcher-list=${path}`,
      '--config.check=full',
    ]);
    assert.equal(await code, 0);
    assert.match(written.stdout, /: 0 destinations\n {2}\S+:1: skipped: /);
  });

  for (const [title, args, message] of [
    ['an unknown flag', ['--nonsense'], /nonsense/],
    ['a file that does not exist', ['--config.file=/nowhere/config.yml'], /\/nowhere\/config\.yml/],
    ['an invalid destination', ['--destination=http://x'], /expected a SIP URI/],
  ] as const) {
    test(`exits with code 2 for ${title}, with the reason and without a stack`, async (t) => {
      const { code, written } = start(t, args);
      assert.equal(await code, 2);
      assert.match(written.stderr, /^sip-keepalive-exporter: /);
      assert.match(written.stderr, message);
      assert.doesNotMatch(written.stderr, /\n\s+at /);
    });
  }

  test('exits with code 1 when its address is in use, without a stack', async (t) => {
    const other = net.createServer().listen(0, '127.0.0.1');
    t.after(() => other.close());
    await once(other, 'listening');
    const { port } = other.address() as net.AddressInfo;
    const { code, written } = start(t, [`--web.listen-address=127.0.0.1:${port}`]);
    assert.equal(await code, 1);
    assert.match(written.stderr, /EADDRINUSE/);
    assert.doesNotMatch(written.stderr, /\n\s+at /);
  });

  test('serves until a signal, reloads on SIGHUP, and logs both', async (t) => {
    const path = configFile(t, {});
    const { code, logged, written } = start(t, [
      ...[...LOOPBACK, '--web.enable-admin-api'],
      `--config.file=${path}`,
    ]);
    const { url } = await logged('server_listening');
    assert.equal((await fetch(`${url}-/healthy`)).status, 200);
    assert.match(
      await (await fetch(`${url}metrics`)).text(),
      /^sip_keepalive_exporter_build_info/m,
    );
    await logged('state_dir_missing');
    await logged('destinations_missing');
    writeFileSync(path, JSON.stringify({ destinations: [{ uri: '127.0.0.1:9', name: 'added' }] }));
    process.emit('SIGHUP');
    await logged('config_reloaded');
    process.emit('SIGTERM');
    assert.equal(await code, 0);
    await logged('process_stopping');
    await assert.rejects(fetch(`${url}metrics`));
    assert.equal(written.stdout, '');
  });

  test('keeps its last valid web configuration, and logs why', async (t) => {
    const path = join(folder(t), 'web.yml');
    writeFileSync(path, '{}');
    const { logged } = start(t, [...LOOPBACK, `--web.config.file=${path}`]);
    const { url } = await logged('server_listening');
    writeFileSync(path, 'nonsense: 1');
    assert.equal((await fetch(`${url}metrics`)).status, 200);
    const { error } = await logged('http_server_error');
    assert.match(String(error), /web\.yml.*nonsense/);
  });

  test('continues after an uncaught error, and counts it', async (t) => {
    const { code, logged } = start(t, LOOPBACK);
    const { url } = await logged('server_listening');
    const listeners = process.listeners('unhandledRejection');
    const listener = listeners.at(-1) ?? assert.fail('nothing listens');
    listener(new RangeError('a bug'), Promise.resolve());
    const { place } = await logged('internal_error');
    assert.equal(place, 'promise');
    assert.match(await (await fetch(`${url}metrics`)).text(), /_faults_total\S* 1$/m);
    process.emit('SIGINT');
    assert.equal(await code, 0);
  });
});
