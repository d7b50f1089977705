/** Tests in a network namespace of their own: nothing they send leaves it, and it ends with them. */

import { spawnSync } from 'node:child_process';
import { needs, pathOf, skipUnless } from './tools.js';

const INSIDE = 'SIP_KEEPALIVE_TEST_NAMESPACE';

/** This process is within a namespace that {@link runInNamespace} made. */
export const IS_INSIDE = process.env[INSIDE] === '1';

/** The options of a test that needs a namespace, and these programs in it. */
export function needsNamespace(...programs: readonly string[]): { readonly skip: string | false } {
  const missing = needs('unshare', 'ip', ...programs);
  if (missing.skip !== false) return missing;
  const isAllowed = spawnSync(pathOf('unshare'), ['-rn', 'true']).status === 0;
  return skipUnless(isAllowed, 'to be allowed network namespaces (unshare -rn)');
}

/** Runs a test file's tests in a new network namespace whose loopback is up; returns what they print. */
export function runInNamespace(file: string): { readonly status: number | null; output: string } {
  const script = `${pathOf('ip')} link set lo up && exec "$0" --test-reporter=spec "$1"`;
  const { status, stdout, stderr } = spawnSync(
    pathOf('unshare'),
    ['-rn', 'sh', '-c', script, process.execPath, file],
    // Not a child of this test runner: it speaks for itself.
    { encoding: 'utf8', env: { ...process.env, [INSIDE]: '1', NODE_TEST_CONTEXT: undefined } },
  );
  return { status, output: `${stdout}${stderr}` };
}
