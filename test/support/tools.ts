/** Programs that tests need beside Node. */

import { spawnSync } from 'node:child_process';

/** Set in CI, where a program that is missing is a failure and not a reason to skip. */
export const ARE_REQUIRED = process.env['SIP_KEEPALIVE_REQUIRE_PEERS'] === '1';

/** The options of a test that needs these programs: it is skipped, loudly, where one is missing. */
export function needs(...programs: readonly string[]): { readonly skip: string | false } {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length === 0) return { skip: false };
  const text = `needs ${missing.join(', ')} (Debian: apt-get install ${missing.map(packageOf).join(' ')})`;
  if (ARE_REQUIRED) throw new Error(text);
  process.stderr.write(`SKIPPED: a test ${text}\n`);
  return { skip: text };
}

const PACKAGES: Readonly<Record<string, string>> = {
  sipp: 'sip-tester',
  promtool: 'prometheus',
  dnsmasq: 'dnsmasq-base',
  prlimit: 'util-linux',
  kamcmd: 'kamailio',
  amtool: 'prometheus-alertmanager',
  'prometheus-alertmanager': 'prometheus-alertmanager',
  'systemd-analyze': 'systemd',
};

function packageOf(program: string): string {
  return PACKAGES[program] ?? program;
}

function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}
