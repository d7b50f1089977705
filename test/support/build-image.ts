/** Builds the image of the exporter as a user does, and saves it: `build-image.js FOLDER`. See images.ts. */

import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { startDocker } from './docker.js';
import { IMAGE, importBases, VERSION } from './images.js';

const [, , folder = ''] = process.argv;
const cleanUps: (() => void | Promise<void>)[] = [];
const t = { after: (cleanUp: () => void | Promise<void>) => void cleanUps.unshift(cleanUp) };

try {
  const docker = await startDocker(t, 'outside');
  importBases(t, docker);
  const build = ['build', '--network=host', '-f', 'deploy/Dockerfile'];
  docker.ok(...build, '--build-arg', `VERSION=${VERSION}`, '-t', IMAGE, '.');
  const arm64 = ['--platform=linux/arm64', '--build-arg', 'RUNTIME=scratch'];
  const archive = join(folder, 'arm64.tar');
  docker.ok(...build, ...arm64, '--output', `type=tar,dest=${archive}`, '.');
  const saved = join(folder, 'image.tar');
  docker.ok('save', '-o', `${saved}.new`, IMAGE);
  renameSync(`${saved}.new`, saved);
} finally {
  for (const cleanUp of cleanUps) await cleanUp();
}
