/** The packages of `npm run package`, made once for all tests that need them. */

import { join } from 'node:path';
import { readVersion } from '../../src/platform/version.js';
import { runToEnd } from './process.js';
import { skipUnless } from './tools.js';

const MAKER = 'dist/deploy/package/main.js';
/** In `dist/`, which `npm test` deletes first. */
const FOLDER = 'dist/package-test';
/** Makes them unless they are newer than all that they are made of. */
const MAKE_ONCE = `
  sums=${FOLDER}/sha256sums.txt
  newer=$(find deploy docs page rules package-lock.json dist/.tsbuildinfo -newer $sums 2>&1 | head -n 1)
  [ -z "$newer" ] || exec "$0" ${MAKER} --out ${FOLDER}`;

/** The architecture of this machine, as Debian calls it. */
export const ARCH = process.arch === 'x64' ? 'amd64' : process.arch;
export const ARCHES = ['amd64', 'arm64'] as const;

/** The options of a test that makes packages. */
export function canMakePackages(): { readonly skip: string | false } {
  return skipUnless(
    ARCHES.some((arch) => arch === ARCH),
    'an amd64 or arm64 machine',
  );
}

/** The folder with the packages of both architectures. Test files that run at once share it. */
export function madePackages(): string {
  const args = [`${FOLDER}.lock`, 'sh', '-c', MAKE_ONCE, process.execPath];
  const { status, output } = runToEnd('flock', args);
  if (status !== 0) throw new Error(`npm run package: ${output}`);
  return FOLDER;
}

/** Makes them again, for one architecture and with another umask. */
export function makePackages(out: string, arch: string, umask: string): void {
  const command = `umask ${umask} && exec "$0" ${MAKER} --out "$1" --arch "$2"`;
  const args = ['-c', command, process.execPath, out, arch];
  const { status, output } = runToEnd('sh', args);
  if (status !== 0) throw new Error(`npm run package: ${output}`);
}

/** The path of a Debian package. */
export function debianPackage(arch = ARCH): string {
  return join(FOLDER, `sip-keepalive-exporter_${readVersion()}_${arch}.deb`);
}

/** The name of a tarball without its extension, which is that of the folder in it. */
export function tarballName(arch = ARCH): string {
  return `sip-keepalive-exporter-${readVersion()}.linux-${arch}`;
}
