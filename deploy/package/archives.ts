/** The tarball of a folder, and the checksums of all files. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { output, type Release } from './release.js';

/** Files of a tarball are in this order, without the user who made it. */
const REPRODUCIBLE = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];

/** Writes `FOLDER.tar.gz` to `out`. */
export function writeTarball({ epoch }: Release, folder: string, out: string): void {
  const file = resolve(out, `${basename(folder)}.tar.gz`);
  const args = [...REPRODUCIBLE, `--mtime=@${epoch}`, '--use-compress-program=gzip -n'];
  output('tar', [...args, '-cf', file, '-C', dirname(folder), basename(folder)]);
}

/** Writes `sha256sums.txt`, in the format of sha256sum. */
export function writeChecksums(out: string): void {
  const lines = readdirSync(out)
    .sort()
    .map((file) => {
      const hash = createHash('sha256').update(readFileSync(join(out, file)));
      return `${hash.digest('hex')}  ${file}\n`;
    });
  writeFileSync(join(out, 'sha256sums.txt'), lines.join(''));
}

/** Writes a text compressed, without a time. */
export function writeGzip(file: string, text: string): void {
  writeFileSync(file, gzipSync(text, { level: 9 }));
}
