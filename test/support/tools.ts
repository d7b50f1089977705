/** Programs that tests need besides Node.js: where they are, and how tests without them are skipped. */

import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** Set in CI, where a missing program is a failure, not a reason to skip. */
const ARE_REQUIRED = process.env['SIP_KEEPALIVE_REQUIRE_PEERS'] === '1';

/** Every program and module of Kamailio that a test may use, with its Debian package. */
const PACKAGES: Readonly<Record<string, string>> = {
  amtool: 'prometheus-alertmanager',
  baresip: 'baresip-core',
  bash: 'bash',
  cc: 'gcc',
  chromium: 'chromium',
  debootstrap: 'debootstrap',
  dnsmasq: 'dnsmasq-base',
  'docker-compose': 'docker-compose',
  dockerd: 'docker.io',
  'dpkg-deb': 'dpkg',
  env: 'coreutils',
  find: 'findutils',
  flock: 'util-linux',
  go: 'golang-go',
  groff: 'groff-base',
  iptables: 'iptables',
  kamailio: 'kamailio',
  'kamailio/auth': 'kamailio',
  'kamailio/db_text': 'kamailio',
  'kamailio/dispatcher': 'kamailio',
  'kamailio/http_client': 'kamailio-utils-modules',
  'kamailio/jsonrpcs': 'kamailio',
  'kamailio/keepalive': 'kamailio',
  'kamailio/maxfwd': 'kamailio',
  'kamailio/pv': 'kamailio',
  'kamailio/registrar': 'kamailio',
  'kamailio/sl': 'kamailio',
  'kamailio/textops': 'kamailio',
  'kamailio/tls': 'kamailio-tls-modules',
  'kamailio/tm': 'kamailio',
  'kamailio/uac': 'kamailio',
  'kamailio/usrloc': 'kamailio',
  'kamailio/websocket': 'kamailio-websocket-modules',
  'kamailio/xhttp': 'kamailio',
  ip: 'iproute2',
  kamcmd: 'kamailio',
  nft: 'nftables',
  nsenter: 'util-linux',
  linphonec: 'linphone-cli',
  lintian: 'lintian',
  ldd: 'libc-bin',
  ln: 'coreutils',
  mkdir: 'coreutils',
  mkfifo: 'coreutils',
  openssl: 'openssl',
  pip3: 'python3-pip',
  prlimit: 'util-linux',
  prometheus: 'prometheus',
  'prometheus-alertmanager': 'prometheus-alertmanager',
  promtool: 'prometheus',
  python3: 'python3',
  setpriv: 'util-linux',
  sh: 'dash',
  sipp: 'sip-tester',
  sysctl: 'procps',
  'systemd-analyze': 'systemd',
  tar: 'tar',
  tc: 'iproute2',
  unshare: 'util-linux',
};

/** The folders of servers in Debian, which are not in the PATH of ordinary users. */
const SERVER_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The folders of Kamailio's modules in Debian and other distributions. */
const MODULE_FOLDERS = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
].map((path) => join(path, 'kamailio/modules'));

/**
 * The options of a test that needs these programs, or modules of Kamailio such as `kamailio/tls`. If
 * one is missing, the test is skipped and says so.
 *
 * @throws when one is missing and `SIP_KEEPALIVE_REQUIRE_PEERS` is 1.
 */
export function needs(...wanted: readonly string[]): { readonly skip: string | false } {
  const missing = wanted.filter((name) => !isInstalled(name));
  const packages = [...new Set(missing.map(packageOf))];
  return skipUnless(
    missing.length === 0,
    `${missing.join(', ')} (Debian: apt-get install ${packages.join(' ')})`,
  );
}

/**
 * The options of a test that needs something else. Without it, the test is skipped and says so.
 *
 * @throws without it, when `SIP_KEEPALIVE_REQUIRE_PEERS` is 1.
 */
export function skipUnless(isThere: boolean, needed: string): { readonly skip: string | false } {
  if (isThere) return { skip: false };
  const text = `needs ${needed}`;
  if (ARE_REQUIRED) throw new Error(text);
  process.stderr.write(`SKIPPED: a test ${text}\n`);
  return { skip: text };
}

/** The options of a test that has several needs. */
export function allOf(...needs: readonly { readonly skip: string | false }[]): {
  readonly skip: string | false;
} {
  return needs.find(({ skip }) => skip !== false) ?? { skip: false };
}

/** Whether a program is installed; it need not be in a Debian package. */
export function isOnPath(program: string): boolean {
  return find(program) !== undefined;
}

/** The path of a program; a path is returned unchanged. @throws when it is not installed. */
export function pathOf(program: string): string {
  if (isAbsolute(program)) return program;
  const found = find(program);
  if (found !== undefined) return found;
  throw new Error(
    `${program} is not installed (Debian: apt-get install ${packageOf(program)}), and the test that runs it does not declare that it needs it`,
  );
}

function packageOf(name: string): string {
  const known = PACKAGES[name];
  if (known === undefined) throw new Error(`${name} is not in test/support/tools.ts`);
  return known;
}

function isInstalled(name: string): boolean {
  const [program = '', module] = name.split('/');
  packageOf(name);
  if (find(program) === undefined) return false;
  if (module === undefined) return true;
  const folder = MODULE_FOLDERS.find(existsSync);
  return folder !== undefined && readdirSync(folder).includes(`${module}.so`);
}

function find(program: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((path) => path !== '');
  return [...folders, ...SERVER_FOLDERS].map((path) => join(path, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
