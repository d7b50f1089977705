/** The image of deploy/Dockerfile, built and run by a real engine. */

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Authority } from '../support/certificates.js';
import { type Docker, GATEWAY, needsDocker, startDocker } from '../support/docker.js';
import { builtImages, IMAGE, VERSION } from '../support/images.js';
import { eventually, folder, run, runToEnd } from '../support/process.js';
import { allOf, needs } from '../support/tools.js';

const ANSWERER = fileURLToPath(new URL('../support/answerer.js', import.meta.url));
const HARDENED = ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges'];
const CONFIG = '/etc/sip-keepalive-exporter/config.yml';
const STATE = '/var/lib/sip-keepalive-exporter';

describe('the image', allOf(needsDocker(), needs('openssl')), () => {
  let docker: Docker;
  const cleanUps: (() => void | Promise<void>)[] = [];
  const suite = { after: (cleanUp: () => void | Promise<void>) => cleanUps.unshift(cleanUp) };

  before(async () => {
    const { image } = builtImages();
    docker = await startDocker(suite);
    docker.ok('load', '-i', image);
    run(suite, 'nsenter', [...docker.inside('--net'), process.execPath, ANSWERER, 'gateway']);
  });
  after(async () => {
    for (const cleanUp of cleanUps) await cleanUp();
  });

  let started = 0;
  /** Starts a container with these options of docker and arguments of the exporter. Returns its name. */
  const start = (t: TestContext, options: readonly string[], ...args: readonly string[]) => {
    const name = `exporter-${++started}`;
    docker.ok('run', '-d', '--name', name, ...HARDENED, ...options, IMAGE, ...args);
    t.after(() => void docker.run('rm', '-f', name));
    return name;
  };
  const show = (name: string, format: string) => docker.ok('inspect', '-f', format, name).trim();
  const request = (name: string, path: string, body?: unknown) =>
    docker.request(`http://${show(name, '{{.NetworkSettings.IPAddress}}')}:10060${path}`, body);
  const isAlive = (name: string, destination: string) =>
    eventually(`${destination} is up`, () =>
      /^200 1\s*$/.test(request(name, `/alive?destination=${destination}`)),
    );
  /** A folder that every user may read. */
  const sharedFolder = (t: TestContext) => {
    const path = folder(t);
    chmodSync(path, 0o755);
    return path;
  };
  /** The command of the instruction HEALTHCHECK. */
  const healthCheck = () => {
    const format = '{{json .Config.Healthcheck.Test}}';
    const [, ...command] = JSON.parse(
      docker.ok('image', 'inspect', '-f', format, IMAGE),
    ) as string[];
    return command;
  };
  const isOfHealth = (name: string, health: string) =>
    eventually(`${name} is ${health}`, () =>
      show(name, '{{.State.Health.Status}}').startsWith(health),
    );

  test('has the program, its dependencies and labels, and is smaller than 200 MB', (t) => {
    const { Config: config, Size: size } = JSON.parse(
      docker.ok('image', 'inspect', '-f', '{{json .}}', IMAGE),
    ) as { Config: { User: string; Labels: Record<string, string> }; Size: number };
    assert.equal(config.User, '65532:65532', 'a number, which runAsNonRoot of Kubernetes wants');
    const label = (name: string) => config.Labels[`org.opencontainers.image.${name}`];
    assert.equal(label('version'), VERSION);
    assert.equal(label('licenses'), 'Apache-2.0');
    for (const name of ['title', 'description', 'source', 'documentation', 'revision'])
      assert.ok(label(name), name);
    const layers = docker.ok('history', '--human=false', '--format', '{{.Size}}', IMAGE);
    const own = layers
      .trim()
      .split('\n')
      .slice(0, -1)
      .reduce((sum, one) => sum + Number(one), 0);
    t.diagnostic(`${(size / 1e6).toFixed(1)} MB, without its base ${(own / 1e6).toFixed(1)} MB`);
    assert.ok(own > 1e6 && own < 25e6, `${own} bytes`);
    assert.ok(size < 200e6, `${size} bytes`);
  });

  test('is built for arm64 on any machine, with the native module of that architecture', () => {
    const { stdout } = runToEnd('tar', ['-tf', builtImages().arm64]);
    assert.match(stdout, /^app\/dist\/src\/main\.js$/m);
    assert.match(stdout, /koffi-linux-arm64\/.*\.node$/m);
    assert.doesNotMatch(stdout, /koffi-linux-x64|node_modules\/typescript\//);
  });

  test('pings without a shell, capabilities and a writable root, and stops at once', async (t) => {
    const begun = performance.now();
    const step = (text: string) =>
      t.diagnostic(`${((performance.now() - begun) / 1000).toFixed(1)} s: ${text}`);
    const name = start(t, [], `--destination=${GATEWAY}`);
    step('docker run has ended');
    await isAlive(name, `sip:${GATEWAY}`);
    step('/alive is 1');
    assert.notEqual(docker.run('exec', name, 'sh', '-c', 'true').status, 0);
    const inside = (code: string) => docker.run('exec', name, 'node', '-p', code).output;
    assert.equal(inside('process.getuid()').trim(), '65532');
    assert.match(inside('fs.readFileSync("/proc/1/status", "utf8")'), /^CapEff:\s+0+$/m);
    assert.match(inside('fs.writeFileSync("/app/x", "")'), /EROFS/);
    assert.match(docker.run('logs', name).output, /event=udp_io io=kernel/);
    // Docker kills after ten seconds, with exit code 137.
    docker.ok('stop', name);
    assert.equal(show(name, '{{.State.ExitCode}}'), '0');
  });

  test('is healthy with any port, socket, path, TLS and password, and with a file that is wrong by now', async (t) => {
    const path = sharedFolder(t);
    const authority = Authority.root(suite);
    const issued = authority.issue({ name: 'exporter', alternative: 'DNS:exporter.example' });
    const tls = { tls_server_config: { cert: issued.cert, key: issued.key } };
    const hash = '$2b$04$abcdefghijklmnopqrstuuz9M2V9c2p5u2c0y3oE1w2l1a7Jx0H1K';
    const users = { basic_auth_users: { prometheus: hash } };
    const mutual = {
      tls_server_config: {
        ...tls.tls_server_config,
        client_ca: authority.ca,
        client_auth_type: 'RequireAndVerifyClientCert',
      },
    };
    const mount = (name: string, content: unknown, target: string) => {
      writeFileSync(join(path, name), JSON.stringify(content), { mode: 0o644 });
      return ['-v', `${join(path, name)}:${target}`];
    };
    const web = (name: string, content: unknown) => ({
      options: mount(name, content, '/etc/web.yml'),
      args: ['--web.config.file=/etc/web.yml'],
    });
    const listen = (address: string, ...options: readonly string[]) => ({
      options,
      args: [`--web.listen-address=${address}`, '--web.route-prefix=/sip'],
    });
    const file = { web: { 'listen-address': [':9999'] }, destinations: [{ uri: '127.0.0.1' }] };
    const cases = [
      { ...listen(':9999'), answer: /^:9999: HTTP status 404/ },
      { ...listen('127.0.0.2:80', '--init'), answer: /^127\.0\.0\.2:80: HTTP status 404/ },
      {
        ...listen('unix:/run/web.sock', '--tmpfs=/run:mode=1777'),
        answer: /^unix:\/run\/web\.sock: HTTP status 404/,
      },
      { ...web('users.yml', users), answer: /^:10060: HTTP status 401/ },
      { ...web('tls.yml', { ...tls, ...users }), answer: /^:10060: TLS handshake/ },
      { ...web('mutual.yml', mutual), answer: /^:10060: TLS handshake/ },
      {
        options: mount('config.yml', file, CONFIG),
        args: [`--config.file=${CONFIG}`],
        answer: /^:9999: HTTP status 200/,
      },
    ];
    const running = cases.map(({ options, args, answer }) => ({
      name: start(t, options, ...args),
      answer,
    }));
    const check = (name: string) => docker.run('exec', name, ...healthCheck()).output;
    for (const { name, answer } of running) {
      const isRight = () => answer.test(check(name));
      await eventually(`${name} gives ${answer}`, isRight).catch((cause: unknown) => {
        throw new Error(`${check(name)}\n${docker.run('logs', name).output}`, { cause });
      });
    }
    writeFileSync(join(path, 'config.yml'), 'web: { listen-addres: :1 }');
    const last = running.at(-1)?.name ?? assert.fail();
    assert.match(check(last), /^:9999: HTTP status 200/);
  });

  test('is unhealthy when the exporter does not answer, until it does', async (t) => {
    const quick = ['--health-interval=1s', '--health-retries=1', '--health-timeout=30s'];
    const name = start(t, quick, '--destination=127.0.0.1');
    await isOfHealth(name, 'healthy');
    docker.ok('kill', '--signal=STOP', name);
    await isOfHealth(name, 'unhealthy');
    assert.match(show(name, '{{json .State.Health.Log}}'), /no answer within 3000 ms/);
    docker.ok('kill', '--signal=CONT', name);
    await isOfHealth(name, 'healthy');
  });

  test('keeps what was added at run time when the container is replaced', async (t) => {
    const state = ['-v', `state:${STATE}`, '-e', `SIP_KEEPALIVE_STATE_DIR=${STATE}`];
    const args = [`--destination=${GATEWAY}`, '--web.enable-admin-api'];
    const first = start(t, state, ...args);
    await isAlive(first, `sip:${GATEWAY}`);
    const params = { uri: `sip:${GATEWAY};transport=tcp`, owner: 'test', name: 'addition' };
    const call = { jsonrpc: '2.0', id: 1, method: 'keepalive.add', params };
    assert.match(request(first, '/rpc', call), /^200 .*"result"/);
    docker.ok('rm', '-f', first);
    await isAlive(start(t, state, ...args), 'addition');
  });

  test('says what is wrong with its configuration, its port and its folder of state', async (t) => {
    const path = sharedFolder(t);
    writeFileSync(join(path, 'config.yml'), 'ping_intervall: 1\n');
    mkdirSync(join(path, 'state'), { mode: 0o700 });
    const ends = (options: readonly string[], ...args: readonly string[]) => {
      const { status, output } = docker.run('run', '--rm', ...HARDENED, ...options, IMAGE, ...args);
      return `${status} ${output.trim()}`;
    };
    assert.match(ends([]), new RegExp(`^2 .*${CONFIG}: expected a readable file, got ENOENT`));
    const wrong = ends(['-v', `${join(path, 'config.yml')}:${CONFIG}:ro`]);
    assert.match(
      wrong,
      new RegExp(`^2 .*${CONFIG}:1: ping_intervall: unknown setting.*ping_interval`),
    );
    const running = start(t, [], `--destination=${GATEWAY}`);
    await isAlive(running, `sip:${GATEWAY}`);
    const beside = [`--network=container:${running}`];
    assert.match(ends(beside, '--destination=127.0.0.1'), /^1 .*EADDRINUSE.*10060$/);
    const folderOfRoot = ['-v', `${join(path, 'state')}:${STATE}`];
    const withState = ends(folderOfRoot, '--destination=127.0.0.1', `--state_dir=${STATE}`);
    assert.match(
      withState,
      new RegExp(`^2 .*state_dir: expected a writable directory, got EACCES.*${STATE}`),
    );
  });
});
