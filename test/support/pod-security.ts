/** Kubernetes' own judgement of pods, a program that Go builds. */

import type { Node } from './helm.js';
import { runToEnd } from './process.js';
import { skipUnless } from './tools.js';

/**
 * What the Pod Security level `restricted` forbids in each pod: an empty text if nothing. The test must
 * declare that it needs `go`.
 *
 * @param pods objects with `metadata` and `spec`.
 * @returns also why the test is skipped if Go cannot build the program. @throws then in CI.
 */
export function forbiddenInRestricted(pods: readonly Node[]): {
  readonly forbidden: readonly string[];
  readonly skip: string | false;
} {
  const { status, stdout, stderr } = runToEnd(
    'go',
    ['-C', 'test/support/pod-security', 'run', '.'],
    {
      input: JSON.stringify(pods),
      env: { ...process.env, GOTOOLCHAIN: 'auto' },
    },
  );
  const isBuilt = status === 0;
  const forbidden = isBuilt ? (JSON.parse(stdout) as string[]) : [];
  return { forbidden, ...skipUnless(isBuilt, `modules of Kubernetes: ${stderr}`) };
}
