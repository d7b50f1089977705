/** Tests in their own network namespace, which ends with them. None of their packets leave it. */

import { type Ended, runToEnd } from './process.js';
import { skipUnless } from './tools.js';

const INSIDE = 'SIP_KEEPALIVE_TEST_NAMESPACE';

/** This process runs in a namespace of {@link runInNamespace}. */
export const IS_INSIDE = process.env[INSIDE] === '1';

/** The options of a test that needs to create namespaces; the program `unshare` is another need. */
export function mayMakeNamespaces(): { readonly skip: string | false } {
  const isAllowed = runToEnd('unshare', ['-rn', 'true']).status === 0;
  return skipUnless(isAllowed, 'to be allowed network namespaces (unshare -rn)');
}

/** The options of a test that mounts file systems in a namespace of its own; `unshare` is another need. */
export function mayMakeMounts(): { readonly skip: string | false } {
  const isAllowed =
    runToEnd('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/tmp']).status === 0;
  return skipUnless(isAllowed, 'to be allowed mounts in a namespace (unshare -rm)');
}

/** Runs a test file in a new network namespace whose loopback is up. */
export function runInNamespace(file: string): Ended {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  // It must not report to this test runner.
  const options = { env: { ...env, [INSIDE]: '1' } };
  return runToEnd('unshare', ['-rn', process.execPath, '--test-reporter=spec', file], options);
}

/** Sets up the loopback interface of the namespace that this process is in. */
export function raiseLoopback(): void {
  const { status, output } = runToEnd('ip', ['link', 'set', 'lo', 'up']);
  if (status !== 0) throw new Error(output);
}
