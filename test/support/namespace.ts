/** Tests in a network namespace of their own: nothing they send leaves it, and it ends with them. */

import { type Ended, runToEnd } from './process.js';
import { skipUnless } from './tools.js';

const INSIDE = 'SIP_KEEPALIVE_TEST_NAMESPACE';

/** This process is within a namespace that {@link runInNamespace} made. */
export const IS_INSIDE = process.env[INSIDE] === '1';

/** The options of a test that needs a namespace, beside the program that makes it. */
export function mayMakeNamespaces(): { readonly skip: string | false } {
  const isAllowed = runToEnd('unshare', ['-rn', 'true']).status === 0;
  return skipUnless(isAllowed, 'to be allowed network namespaces (unshare -rn)');
}

/** Runs a test file in a new network namespace whose loopback is up. */
export function runInNamespace(file: string): Ended {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  // Not a child of this test runner: it speaks for itself.
  const options = { env: { ...env, [INSIDE]: '1' } };
  return runToEnd('unshare', ['-rn', process.execPath, '--test-reporter=spec', file], options);
}

/** Sets up the loopback interface of the namespace that this process is in. */
export function raiseLoopback(): void {
  const { status, output } = runToEnd('ip', ['link', 'set', 'lo', 'up']);
  if (status !== 0) throw new Error(output);
}
