/**
 * Docker's engine with folders and namespaces of its own: its processes, networks and mounts end with it, and
 * its containers reach only one another and the programs that a test starts in its network.
 */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { canMakePackages } from './package.js';
import { type Ended, eventually, run, runToEnd } from './process.js';
import { allOf, needs, skipUnless } from './tools.js';

/** Debian's own; another one that is first in the PATH may be unable to build. */
const CLI = existsSync('/usr/bin/docker') ? '/usr/bin/docker' : 'docker';

/** The address of the engine's network for its containers. */
export const GATEWAY = '172.17.0.1';

/** Hides the folders that the engine shares with others, keeps its data in memory, and becomes it. */
const BOOT = `
  set -e
  mkdir -p "$0" && mount -t tmpfs tmpfs "$0"
  for shared in /run/docker /etc/docker; do
    mkdir -p $shared && mount -t tmpfs tmpfs $shared
  done
  ip link set lo up
  exec dockerd "$@"`;

/** `outside` uses the network of this machine, for builds that download; its containers have no other. */
export type Network = 'own' | 'outside';

export interface Docker {
  /** Runs `docker`. */
  run(...args: readonly string[]): Ended;
  /** Runs `docker`. Returns what it writes to its standard output. @throws when it fails. */
  ok(...args: readonly string[]): string;
  /** Runs `docker-compose` with these files. @throws when it fails. */
  compose(files: readonly string[], ...args: readonly string[]): string;
  /** Where the processes of the engine are, as arguments of `nsenter`. */
  inside(...namespaces: readonly ('--mount' | '--pid' | '--net')[]): readonly string[];
  /** The answer to a request from the network of the engine: status and body. */
  request(url: string, body?: unknown): string;
}

/** The options of a test that runs the image. */
export function needsDocker(): { readonly skip: string | false } {
  return allOf(
    needs('docker-compose', 'dockerd', 'env', 'find', 'flock', 'ip', 'iptables', 'ldd', 'mkdir'),
    needs('nsenter', 'setpriv', 'sh', 'tar', 'unshare'),
    canMakePackages(),
    skipUnless(process.getuid?.() === 0, 'to run as root'),
  );
}

/** Starts an engine without images and containers. Its containers are killed when the test ends. */
export async function startDocker(
  t: { after(cleanUp: () => void | Promise<void>): void },
  network: Network = 'own',
): Promise<Docker> {
  const root = mkdtempSync(join(tmpdir(), 'sip-keepalive-docker-'));
  const host = `unix://${join(root, 'sock')}`;
  const folders = ['data', 'exec'].map((name) => `--${name}-root=${join(root, name)}`);
  const cgroup = `--cgroup-parent=/${basename(root)}`;
  const args = [...folders, `--pidfile=${join(root, 'pid')}`, `--host=${host}`, cgroup];
  const isolated = network === 'own' ? ['--net'] : [];
  // It ends with the test also when that is killed.
  const engine = run({ after: () => {} }, 'setpriv', [
    ...['--pdeathsig', 'KILL', 'unshare'],
    ...['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', ...isolated],
    ...['bash', '-c', BOOT, join(root, 'data'), ...args],
    ...(network === 'own' ? [`--bip=${GATEWAY}/16`] : ['--iptables=false', '--bridge=none']),
  ]);
  t.after(async () => {
    await engine.stop();
    rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    removeCgroups(basename(root));
  });
  const env = {
    ...process.env,
    DOCKER_HOST: host,
    DOCKER_CONFIG: join(root, 'client'),
    DOCKER_BUILDKIT: '1',
  };
  const docker = (...words: readonly string[]) => runToEnd(CLI, words, { env });
  await eventually('the engine answers', () => docker('version').status === 0).catch((error) => {
    throw new Error(engine.output(), { cause: error });
  });
  const pid = childOf(engine.child.pid ?? 0);
  const inside: Docker['inside'] = (...namespaces) => ['-t', pid, ...namespaces];
  return {
    run: docker,
    ok: (...words) => outputOf(docker(...words), words),
    compose: (files, ...words) => {
      const named = files.flatMap((file) => ['-f', file]);
      return outputOf(runToEnd('docker-compose', [...named, ...words], { env }), words);
    },
    inside,
    request: (url, body) => {
      const json = { method: 'POST', headers: { 'content-type': 'application/json' } };
      const options = body === undefined ? {} : { ...json, body: JSON.stringify(body) };
      const code = `fetch('${url}', ${JSON.stringify(options)}).then(async (r) => process.stdout.write(r.status + ' ' + await r.text()))`;
      return runToEnd('nsenter', [...inside('--net'), process.execPath, '-e', code]).stdout;
    },
  };
}

function outputOf({ status, stdout, output }: Ended, words: readonly string[]): string {
  if (status !== 0) throw new Error(`${words.join(' ')}: ${output}`);
  return stdout;
}

/** The engine removes those of its containers only when it ends by itself. */
function removeCgroups(name: string): void {
  runToEnd('find', [
    ...['/sys/fs/cgroup', '-depth', '-type', 'd', '-path', `*/${name}*`],
    ...['-exec', 'rmdir', '{}', '+'],
  ]);
}

/** The only child of a process. */
function childOf(pid: number): string {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
}
