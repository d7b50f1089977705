/** A fresh Debian 12 on which systemd runs, in namespaces of its own: a process tree that ends with the test. */

import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Ended, eventually, run, runToEnd } from './process.js';
import { skipUnless } from './tools.js';

/** In `dist/`, which `npm test` deletes first: debootstrap takes more than a minute. */
const ARCHIVE = 'dist/debian-12.tar';
const MAKE_ONCE = `
  [ -s "$0" ] && exit
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus bookworm "$folder/root" "$1"
  tar -cf "$0.new" -C "$folder/root" . && mv "$0.new" "$0"`;

/** Mounts what systemd expects, and becomes it. */
const BOOT = `
  set -e
  cd "$0"
  mount --bind . . && cd "$0"
  mount -t proc proc proc
  mount -t sysfs sysfs sys
  mount -t tmpfs tmpfs run
  mount -t tmpfs tmpfs tmp
  mount -t tmpfs cgroup sys/fs/cgroup
  mkdir sys/fs/cgroup/systemd
  if ! mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd; then
    umount sys/fs/cgroup
    mount -t cgroup2 cgroup sys/fs/cgroup
  fi
  ip link set lo up
  exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . /lib/systemd/systemd --system --log-target=null`;

/** The options of a test that boots Debian; its programs are another need. */
export function canBootDebian(): { readonly skip: string | false } {
  return skipUnless(process.getuid?.() === 0, 'to run as root');
}

export interface Debian {
  /** Runs a program there, with its standard error in the output. */
  run(program: string, ...args: readonly string[]): Ended;
  /** Runs a program there. Returns what it writes. @throws when it fails. */
  ok(program: string, ...args: readonly string[]): string;
  /** The arguments of `nsenter` for a program of this machine in the network of that one. */
  network(): readonly string[];
  /** The path here of a file there. */
  path(file: string): string;
}

/** Boots it, with copies of these files in `/root`. `systemctl` works when this resolves. */
export async function bootDebian(
  t: { after(cleanUp: () => void | Promise<void>): void },
  files: readonly string[],
): Promise<Debian> {
  const root = mkdtempSync(join(tmpdir(), 'sip-keepalive-debian-'));
  unpack(root);
  for (const file of files) copyFileSync(file, join(root, 'root', basename(file)));
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--uts', '--ipc', '--net'];
  const { child, output, stop } = run({ after: () => {} }, 'unshare', [
    ...namespaces,
    '--cgroup',
    ...['bash', '-c', BOOT, root],
  ]);
  t.after(async () => {
    await stop();
    rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });
  const pid = await eventually('systemd runs', () => childOf(child.pid ?? 0));
  const inside = ['-t', pid, '--mount', '--pid', '--uts', '--ipc', '--net', '--root', '--wd'];
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive' };
  const runInside = (...words: readonly string[]) =>
    runToEnd('nsenter', [...inside, ...words], { env });
  await eventually(`systemd has booted: ${output()}`, () =>
    /running|degraded/.test(runInside('systemctl', 'is-system-running').stdout),
  );
  return {
    run: runInside,
    ok: (...words) => {
      const { status, output } = runInside(...words);
      if (status !== 0) throw new Error(`${words.join(' ')}: ${output}`);
      return output;
    },
    network: () => ['-t', pid, '--net'],
    path: (file) => join(root, file),
  };
}

function unpack(root: string): void {
  const args = [`${ARCHIVE}.lock`, 'bash', '-ec', MAKE_ONCE, ARCHIVE, mirror()];
  for (const { status, output } of [
    runToEnd('flock', args),
    runToEnd('tar', ['-xf', ARCHIVE, '-C', root]),
  ])
    if (status !== 0) throw new Error(output);
}

/** The mirror of Debian that apt uses on this machine. */
function mirror(): string {
  const files = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'];
  const text = files.map((file) => (existsSync(file) ? readFileSync(file, 'utf8') : '')).join('\n');
  return (
    /https?:\/\/\S*\/debian\/?(?=\s)/.exec(text.replaceAll(/^#.*$/gm, ''))?.[0] ??
    'http://deb.debian.org/debian'
  );
}

/** The only child of a process. */
function childOf(pid: number): string | undefined {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? undefined : text;
}
