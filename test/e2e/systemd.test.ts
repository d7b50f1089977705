/** The Debian package on a fresh Debian 12 without Node.js, under a real systemd. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readVersion } from '../../src/platform/version.js';
import { bootDebian, canBootDebian, type Debian } from '../support/debian.js';
import { canMakePackages, debianPackage, madePackages } from '../support/package.js';
import { eventually, folder, run, runToEnd } from '../support/process.js';
import { allOf, needs } from '../support/tools.js';

const NAME = 'sip-keepalive-exporter';
const CONFIG = `/etc/${NAME}/config.yml`;
const DEFAULTS = `/etc/default/${NAME}`;
const STATE = `/var/lib/${NAME}`;
const ANSWERER = fileURLToPath(new URL('../support/answerer.js', import.meta.url));
const GOOD = 'ping_interval: 1\ndestinations: [{ uri: "127.0.0.1:5060", name: gateway }]\n';
const BAD = 'ping_intervall: 1\n';

describe(
  'the Debian package on a fresh Debian 12',
  allOf(
    needs('debootstrap', 'dpkg-deb', 'flock', 'ip', 'nsenter', 'tar', 'unshare'),
    canMakePackages(),
    canBootDebian(),
  ),
  () => {
    let debian: Debian;
    const cleanUps: (() => void | Promise<void>)[] = [];
    const suite = { after: (cleanUp: () => void | Promise<void>) => cleanUps.unshift(cleanUp) };

    before(async () => {
      madePackages();
      const files = [debianPackage(), newerPackage(folder(suite))];
      debian = await bootDebian(suite, files);
      run(suite, 'nsenter', [...debian.network(), process.execPath, ANSWERER, 'gateway']);
    });
    after(async () => {
      for (const cleanUp of cleanUps) await cleanUp();
    });

    const show = (property: string) =>
      debian.ok('systemctl', 'show', '--value', '-p', property, NAME).trim();
    const configure = (text: string) => writeFileSync(debian.path(CONFIG), text);
    const log = () => debian.ok('journalctl', '--no-pager', '-o', 'cat', '-u', NAME);
    /** A request from the machine itself: status and body. */
    const request = (path: string, body?: unknown) => {
      const options =
        body === undefined
          ? {}
          : {
              method: 'POST',
              body: JSON.stringify(body),
              headers: { 'content-type': 'application/json' },
            };
      const code = `fetch('http://127.0.0.1:10060${path}', ${JSON.stringify(options)}).then(async (r) => process.stdout.write(r.status + ' ' + await r.text()))`;
      return runToEnd('nsenter', [...debian.network(), process.execPath, '-e', code]).stdout;
    };
    const isReady = () => eventually('it is ready', () => request('/-/ready').startsWith('200'));
    const isAlive = (name: string) =>
      eventually(`${name} is up`, () => /^200 1\s*$/.test(request(`/alive?destination=${name}`)));
    const hasFailed = () =>
      eventually('the service has failed', () => show('ActiveState') === 'failed');

    const install = () =>
      debian.run('apt-get', 'install', '-y', `/root/${basename(debianPackage())}`);

    test('says that the disk is full, and is installed when it no longer is', () => {
      const library = `/usr/lib/${NAME}`;
      debian.ok('mkdir', library);
      debian.ok('mount', '-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', library);
      const { status, output } = install();
      debian.ok('umount', library);
      assert.equal(status, 100);
      assert.match(output, /runtime\/node.*\(No space left on device\)/);
      assert.notEqual(debian.run('systemctl', 'cat', NAME).status, 0);
    });

    test('is installed by apt, starts, and pings what is configured after a reload', async (t) => {
      assert.notEqual(debian.run('sh', '-c', 'command -v node').status, 0);
      const started = performance.now();
      const step = (text: string) =>
        t.diagnostic(`${((performance.now() - started) / 1000).toFixed(1)} s: ${text}`);
      const { status, output } = install();
      assert.equal(status, 0, output);
      step('apt-get install has ended');
      await isReady();
      step('/-/ready is 200');
      configure(GOOD);
      debian.ok('systemctl', 'reload', NAME);
      await isAlive('gateway');
      step('is_alive is 1');
      assert.equal(debian.ok(NAME, '--version').trim(), `${NAME} ${readVersion()}`);
      assert.equal(show('UnitFileState'), 'enabled');
    });

    test('keeps its configuration from other users', () => {
      assert.equal(debian.ok('stat', '-c', '%U %G %a', `/etc/${NAME}`).trim(), `root ${NAME} 750`);
    });

    test('keeps the configuration in force when a reload finds a wrong one', async () => {
      const pid = show('MainPID');
      configure(BAD);
      debian.ok('systemctl', 'reload', NAME);
      await eventually('the log says why', () => log().includes('ping_intervall: unknown setting'));
      assert.equal(show('MainPID'), pid);
      await isAlive('gateway');
    });

    test('exits with code 2 on a wrong configuration, and is not restarted', async () => {
      debian.run('systemctl', 'restart', NAME);
      await hasFailed();
      assert.equal(show('ExecMainStatus'), '2');
      debian.ok('sleep', '3');
      assert.equal(show('ActiveState'), 'failed');
      assert.equal(show('NRestarts'), '0');
    });

    test('has the flags of /etc/default, and keeps additions over kill -9 and a stop', async (t) => {
      configure(GOOD);
      writeFileSync(debian.path(DEFAULTS), 'ARGS="--web.enable-admin-api"\n');
      debian.ok('systemctl', 'restart', NAME);
      await isReady();
      const addition = { uri: 'sip:127.0.0.2:5060', owner: 'test' };
      const call = { jsonrpc: '2.0', id: 1, method: 'keepalive.add', params: addition };
      const answer = request('/rpc', call);
      assert.match(answer, /^200 .*"result"/);
      const isKept = () =>
        eventually('the addition is up', () => request('/metrics').includes('127.0.0.2'));
      const pid = show('MainPID');
      debian.ok('sh', '-c', `kill -9 ${pid}`);
      await eventually('it is restarted', () => !['0', pid].includes(show('MainPID')));
      await isKept();
      const stopping = performance.now();
      debian.ok('systemctl', 'stop', NAME);
      t.diagnostic(`systemctl stop: ${Math.round(performance.now() - stopping)} ms`);
      assert.equal(show('Result'), 'success');
      assert.equal(show('ExecMainStatus'), '0');
      debian.ok('systemctl', 'start', NAME);
      await isKept();
    });

    test('waits for its port while another program has it', async () => {
      debian.ok('systemctl', 'stop', NAME);
      const code = "require('net').createServer().listen(10060, () => console.log('listens'))";
      const holder = run(suite, 'nsenter', [...debian.network(), process.execPath, '-e', code]);
      await holder.logged(/listens/);
      debian.run('systemctl', 'start', NAME);
      const inUse = /listen EADDRINUSE: address already in use :::10060/;
      await eventually('the log says why', () => inUse.test(log()));
      await holder.stop();
      await isAlive('gateway');
    });

    test('gets its state directory back from another user, and says when it may not write to one', async () => {
      debian.ok('chown', '-R', 'root:root', STATE);
      debian.ok('systemctl', 'restart', NAME);
      await isAlive('gateway');
      assert.equal(debian.ok('stat', '-c', '%U', STATE).trim(), NAME);
      await eventually('the addition is kept', () => request('/metrics').includes('127.0.0.2'));
      const defaults = readFileSync(debian.path(DEFAULTS), 'utf8');
      debian.ok('install', '-d', '-m', '0700', '/srv/state');
      writeFileSync(debian.path(DEFAULTS), 'ARGS="--state_dir=/srv/state"\n');
      debian.run('systemctl', 'restart', NAME);
      await hasFailed();
      assert.equal(show('ExecMainStatus'), '2');
      assert.match(log(), /state_dir.*\/srv\/state/);
      writeFileSync(debian.path(DEFAULTS), defaults);
      debian.ok('systemctl', 'start', NAME);
      await isAlive('gateway');
    });

    test('serves on a socket that systemd opens', async () => {
      const defaults = readFileSync(debian.path(DEFAULTS), 'utf8');
      assert.equal(debian.run('systemctl', 'is-enabled', `${NAME}.socket`).stdout, 'disabled\n');
      writeFileSync(debian.path(DEFAULTS), 'ARGS="--web.systemd-socket"\n');
      debian.ok('systemctl', 'stop', NAME);
      debian.ok('systemctl', 'enable', '--now', `${NAME}.socket`);
      // The first request starts it.
      await isAlive('gateway');
      assert.equal(show('TriggeredBy'), `${NAME}.socket`);
      const pid = show('MainPID');
      debian.ok('systemctl', 'restart', NAME);
      await isAlive('gateway');
      assert.notEqual(show('MainPID'), pid);
      writeFileSync(debian.path(DEFAULTS), defaults);
      debian.ok('systemctl', 'disable', '--now', `${NAME}.socket`);
      debian.ok('systemctl', 'restart', NAME);
      await isAlive('gateway');
    });

    test('may write to its state directory alone, without privileges', () => {
      const pid = show('MainPID');
      const touch = (folder: string) =>
        debian.run('nsenter', '-t', pid, '--mount', '--root', 'touch', `${folder}/x`);
      for (const path of ['/', '/etc', `/etc/${NAME}`, '/usr/lib', '/var/lib', '/var/log']) {
        // It is root who tries: the file system itself is read-only.
        assert.match(touch(path).output, /Read-only file system/, path);
      }
      assert.equal(touch(STATE).status, 0);
      debian.ok('rm', `${STATE}/x`);
      const status = debian.ok('cat', `/proc/${pid}/status`);
      assert.match(status, /^CapBnd:\s+0+$/m);
      assert.match(status, /^NoNewPrivs:\s+1$/m);
      assert.match(status, /^Seccomp:\s+2$/m);
      assert.doesNotMatch(status, /^Uid:\s+0\s/m);
    });

    test('is upgraded while it runs: configuration and state are kept, and it is restarted', async () => {
      const pid = show('MainPID');
      debian.ok('apt-get', 'install', '-y', '/root/newer.deb');
      await eventually('it is restarted', () => !['0', pid].includes(show('MainPID')));
      await isAlive('gateway');
      await eventually('the addition is kept', () => request('/metrics').includes('127.0.0.2'));
      assert.equal(readFileSync(debian.path(CONFIG), 'utf8'), GOOD);
    });

    test('is installed also with a configuration that it rejects; the log says what is wrong', async () => {
      configure(BAD);
      debian.ok('apt-get', 'install', '-y', '--reinstall', '/root/newer.deb');
      await hasFailed();
      assert.equal(show('ExecMainStatus'), '2');
      assert.match(log(), /ping_intervall: unknown setting/);
      assert.match(debian.ok('dpkg-query', '-W', NAME), /\+newer/);
      configure(GOOD);
      debian.ok('systemctl', 'start', NAME);
      await isAlive('gateway');
    });

    test('leaves nothing when it is purged', () => {
      debian.ok('apt-get', 'purge', '-y', NAME);
      const left = debian.ok(
        'find',
        '/etc',
        '/usr',
        '/var/lib',
        '-name',
        `*${NAME}*`,
        '-not',
        '-path',
        '/var/lib/dpkg/*',
      );
      assert.equal(left, '');
      assert.notEqual(debian.run('id', NAME).status, 0);
      assert.notEqual(debian.run('systemctl', 'cat', NAME).status, 0);
    });
  },
);

/** The same package with a higher version. */
function newerPackage(work: string): string {
  const root = join(work, 'root');
  const file = join(work, 'newer.deb');
  const ok = (...args: string[]) => {
    const { status, output } = runToEnd('dpkg-deb', args);
    assert.equal(status, 0, output);
  };
  ok('-R', debianPackage(), root);
  const control = join(root, 'DEBIAN/control');
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, '$&+newer'));
  ok('-Znone', '--root-owner-group', '-b', root, file);
  return file;
}
