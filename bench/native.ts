/** The programs in C, compiled on demand. */

import { join } from 'node:path';
import { which } from './machine.js';
import type { Stage } from './stage.js';

/** Compiles bench/native/NAME.c; undefined when there is no C compiler. */
export async function compiled(stage: Stage, name: string): Promise<string | undefined> {
  const cc = which('cc');
  if (cc === undefined) return undefined;
  const program = join(stage.directory, name);
  const source = join('bench', 'native', `${name}.c`);
  const compiler = stage.start([cc, '-O2', '-o', program, source]);
  await compiler.ended;
  if (which(program) === undefined && compiler.errorOutput !== '') {
    throw new Error(`${source}: ${compiler.errorOutput}`);
  }
  return program;
}
