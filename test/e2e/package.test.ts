/** The tarballs and Debian packages of `npm run package`: their content, and that they run. */

import assert from 'node:assert/strict';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { hashSync } from 'bcryptjs';
import { flagsWithHelp } from '../../src/config/flags.js';
import { readVersion } from '../../src/platform/version.js';
import {
  ARCH,
  ARCHES,
  canMakePackages,
  debianPackage,
  madePackages,
  makePackages,
  tarballName,
} from '../support/package.js';
import { freePort } from '../support/ports.js';
import { eventually, folder, run, runToEnd } from '../support/process.js';
import { allOf, needs } from '../support/tools.js';

const MAX_BYTES = 60e6;
/** Memory of the process itself, with ten destinations. Pages of the program file, which the kernel can drop, are not in it. */
const MAX_OWN_BYTES = 60e6;
/** The machine in the header of an ELF file. */
const ELF_MACHINES = { amd64: 62, arm64: 183 } as const;

/** Runs a program. @throws when it fails. */
function ok(program: string, ...args: readonly string[]): string {
  const { status, output } = runToEnd(program, args);
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${output}`);
  return output;
}

describe('the packages', allOf(needs('dpkg-deb', 'flock', 'tar'), canMakePackages()), () => {
  let made = '';
  /** The unpacked tarballs. */
  let unpacked = '';
  const at = (arch: string, path = '') => join(unpacked, tarballName(arch), path);

  before(() => {
    made = madePackages();
    unpacked = mkdtempSync(join(tmpdir(), 'sip-keepalive-test-'));
    for (const arch of ARCHES)
      ok('tar', '-xzf', join(made, `${tarballName(arch)}.tar.gz`), '-C', unpacked);
  });

  after(() => rmSync(unpacked, { recursive: true, force: true }));

  test('are under 60 MB, and sha256sums.txt has their checksums', () => {
    const files = readdirSync(made).filter((file) => file !== 'sha256sums.txt');
    assert.equal(files.length, 4, files.join());
    for (const file of files) assert.ok(statSync(join(made, file)).size < MAX_BYTES, file);
    const check = ok('sh', '-c', `cd ${made} && sha256sum --check sha256sums.txt`);
    assert.equal(check.match(/: OK$/gm)?.length, 4);
  });

  test('are equal when they are made again, with another umask', (t) => {
    const again = folder(t);
    makePackages(again, ARCH, '077');
    const sums = readFileSync(join(made, 'sha256sums.txt'), 'utf8');
    for (const line of readFileSync(join(again, 'sha256sums.txt'), 'utf8').trim().split('\n'))
      assert.ok(sums.includes(line), line);
  });

  for (const arch of ARCHES) {
    test(`for ${arch} have its programs only, and nothing that only tests and builds need`, () => {
      const files = readdirSync(at(arch), { recursive: true, encoding: 'utf8' });
      const programs = files.filter((file) => /\.node$|^runtime\/node$/.test(file));
      assert.equal(programs.length, 2, programs.join());
      for (const file of programs)
        assert.equal(readFileSync(at(arch, file)).readUInt16LE(18), ELF_MACHINES[arch], file);
      const needless = files.filter((file) => /(^|\/)tests?(\/|$)|\.d\.ts$|\.map$/.test(file));
      assert.deepEqual(needless, []);
      const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
      for (const name of Object.keys(devDependencies))
        assert.ok(!existsSync(at(arch, `node_modules/${name}`)), name);
    });

    test(`for ${arch} name every package that they contain, with its licence`, () => {
      const { components } = JSON.parse(readFileSync(at(arch, 'sbom.cdx.json'), 'utf8')) as {
        components: { name: string; version: string }[];
      };
      const notice = readFileSync(at(arch, 'NOTICE'), 'utf8');
      const names = components.map(({ name }) => name);
      assert.ok(names.includes('node') && names.includes('express'), names.join());
      for (const { name, version } of components)
        if (name !== 'node') assert.ok(notice.includes(`\n${name} ${version} (`), name);
      // All others are part of the bundles.
      const kept = ['@koromix', 'iconv-lite', 'koffi', 'safer-buffer', 'uplot'];
      assert.deepEqual(readdirSync(at(arch, 'node_modules')).toSorted(), kept);
      assert.match(notice, /OpenSSL/);
    });
  }

  test('run without another Node.js, with kernel sockets, and in less than 60 MB of their own', async (t) => {
    const config = join(folder(t), 'config.yml');
    const uris = Array.from({ length: 10 }, (_, i) => `127.0.0.${i + 1}:9`);
    writeFileSync(
      config,
      JSON.stringify({ ping_interval: 5, ping_timeout: 1, destinations: uris }),
    );
    const port = await freePort();
    const args = [`--config.file=${config}`, `--web.listen-address=127.0.0.1:${port}`];
    const started = performance.now();
    const exporter = run(t, resolve(at(ARCH, 'sip-keepalive-exporter')), args, {
      env: { PATH: '/usr/bin:/bin' },
    });
    const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
    await eventually('it is ready', async () => (await get('/-/ready')).status === 200);
    t.diagnostic(`ready after ${Math.round(performance.now() - started)} ms`);
    const pings = async () =>
      /^sip_keepalive_pings_total\S+ [1-9]/m.test(await (await get('/metrics')).text());
    await eventually('it pings', pings);
    const status = readFileSync(`/proc/${exporter.child.pid}/status`, 'utf8');
    const bytes = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
    const own = bytes('RssAnon');
    t.diagnostic(`${own / 1e6} MB of its own, ${bytes('VmRSS') / 1e6} MB with the program file`);
    for (const path of ['/', '/page/uplot.js']) assert.equal((await get(path)).status, 200, path);
    assert.match(await (await get('/metrics')).text(), /udp_io_info\{[^}]*kernel[^}]*\} 1/);
    assert.equal(await exporter.stop('SIGTERM'), 0);
    assert.ok(own < MAX_OWN_BYTES, `${own} bytes`);
  });

  test('parse a kamailio.cfg and check a password, in threads of their own', async (t) => {
    const files = folder(t);
    const write = (name: string, text: string) => writeFileSync(join(files, name), text);
    write('kamailio.cfg', 'modparam("keepalive", "destination", "sip:127.0.0.1:9")\n');
    write('web.yml', `basic_auth_users: { user: "${hashSync('secret', 4)}" }\n`);
    const port = await freePort();
    const exporter = run(t, resolve(at(ARCH, 'sip-keepalive-exporter')), [
      `--discovery.kamailio-cfg=${join(files, 'kamailio.cfg')}`,
      `--web.config.file=${join(files, 'web.yml')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    const get = (password: string) => {
      const credentials = Buffer.from(`user:${password}`).toString('base64');
      const headers = { Authorization: `Basic ${credentials}` };
      return fetch(`http://127.0.0.1:${port}/api/v1/destinations`, { headers });
    };
    await exporter.logged(/listening/);
    await eventually('it is found', async () =>
      (await (await get('secret')).text()).includes('127.0.0.1:9'),
    );
    assert.equal((await get('wrong')).status, 401);
    assert.equal(await exporter.stop('SIGTERM'), 0);
  });

  test('start through a symbolic link, with the version of package.json', (t) => {
    const link = join(folder(t), 'link');
    ok('ln', '-s', resolve(at(ARCH, 'sip-keepalive-exporter')), link);
    assert.equal(ok(link, '--version'), `sip-keepalive-exporter ${readVersion()}\n`);
  });

  test('have an example configuration that is valid, commented and not', (t) => {
    const example = readFileSync(at(ARCH, 'config.yml'), 'utf8');
    const file = join(folder(t), 'config.yml');
    for (const [text, count] of [
      [example, 0],
      [example.replaceAll(/^#(?=\S| {2})/gm, ''), 3],
    ] as const) {
      writeFileSync(file, text);
      const checked = ok(
        at(ARCH, 'sip-keepalive-exporter'),
        `--config.file=${file}`,
        '--config.check',
      );
      assert.match(checked, new RegExp(`^configuration is valid: ${count} destinations`), text);
    }
  });

  test('have a man page with every flag, without warnings of groff', needs('groff'), () => {
    const page = at(ARCH, 'sip-keepalive-exporter.1');
    assert.equal(ok('groff', '-man', '-Tutf8', '-ww', '-z', page), '');
    const text = ok('groff', '-man', '-Tascii', '-P-c', '-P-b', '-P-u', page);
    for (const { name } of flagsWithHelp()) assert.ok(text.includes(name), name);
  });

  test('complete every flag in bash', needs('bash'), () => {
    const file = at(ARCH, 'sip-keepalive-exporter.bash');
    const complete = (word: string) =>
      ok(
        'bash',
        '-c',
        `compopt() { :; }; . "$0"; _sip_keepalive_exporter x "$1" x; printf '%s\\n' "\${COMPREPLY[@]}"`,
        file,
        word,
      ).trim();
    assert.equal(complete('--web.config'), '--web.config.file=');
    assert.equal(complete('--').split('\n').length, flagsWithHelp().length);
  });

  test('have no errors of lintian', needs('lintian'), () => {
    const { status, output } = runToEnd('lintian', ['--fail-on', 'error', debianPackage()]);
    assert.equal(status, 0, output);
  });
});
