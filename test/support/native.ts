/** Programs in C, compiled on demand. */

import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { folder, runToEnd } from './process.js';

/** Compiles test/support/NAME.c. The test must say that it needs `cc`. */
export function compiled(t: Pick<TestContext, 'after'>, name: string): string {
  const program = join(folder(t), name);
  const { status, output } = runToEnd('cc', ['-o', program, join('test/support', `${name}.c`)]);
  if (status !== 0) throw new Error(output);
  return program;
}
