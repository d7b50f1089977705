/**
 * `npm run package -- [--out FOLDER] [--arch amd64,arm64]`: makes the tarballs, the Debian packages and
 * `sha256sums.txt`. Requires npm, GNU tar, gzip and dpkg-deb. Two runs for one commit make equal files.
 */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeChecksums, writeTarball } from './archives.js';
import { writeDebianPackage } from './debian.js';
import { readRelease } from './release.js';
import { ARCHITECTURES, compile, stage } from './stage.js';

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'dist/package' },
    arch: { type: 'string', default: Object.keys(ARCHITECTURES).join() },
  },
});
const out = values.out;
const release = readRelease();
const work = mkdtempSync(join(tmpdir(), 'sip-keepalive-package-'));
try {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const program = await compile(work);
  for (const arch of values.arch.split(',')) {
    const folder = stage(release, arch, program, work);
    writeTarball(release, folder, out);
    writeDebianPackage(release, arch, folder, out);
  }
  writeChecksums(out);
} finally {
  rmSync(work, { recursive: true, force: true });
}
