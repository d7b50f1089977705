/**
 * Images without a registry: small roots with programs of this machine, imported under the names of the images
 * that the Dockerfile and compose.yml want, and the image of the exporter that is built on them.
 */

import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { output } from '../../deploy/package/release.js';
import { ARCHITECTURES, addRuntime } from '../../deploy/package/stage.js';
import type { Docker } from './docker.js';
import { ARCH } from './package.js';
import { type CleanUps, folder, runToEnd } from './process.js';
import { pathOf } from './tools.js';

export const IMAGE = 'sip-keepalive-exporter';
/** The version that the label of the image has. */
export const VERSION = '1.2.3';
const MAKER = 'dist/test/support/build-image.js';
/** In `dist/`, which `npm test` deletes first. */
const FOLDER = 'dist/image-test';
/** Builds it unless it is newer than all that it is made of. */
const BUILD_ONCE = `
  mkdir -p ${FOLDER}
  made=${FOLDER}/image.tar
  newer=$(find deploy/Dockerfile deploy/package .dockerignore src page package-lock.json -newer $made 2>&1 | head -n 1)
  [ -z "$newer" ] || exec "$0" ${MAKER} ${FOLDER}`;

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

export interface Root {
  /** Files and folders by their paths in the root. */
  readonly files: Readonly<Record<string, string>>;
  /** As in a Dockerfile: `USER 65534`. */
  readonly changes: readonly string[];
}

/** The archives of the image for amd64 and arm64, built once. Test files that run at once share them. */
export function builtImages(): { readonly image: string; readonly arm64: string } {
  const args = [`${FOLDER}.lock`, 'sh', '-c', BUILD_ONCE, process.execPath];
  const made = runToEnd('flock', args);
  if (made.status !== 0) throw new Error(`docker build: ${made.output}`);
  return { image: join(FOLDER, 'image.tar'), arm64: join(FOLDER, 'arm64.tar') };
}

/** Imports a root with these files and with the libraries of their programs. */
export function importRoot(t: CleanUps, docker: Docker, tag: string, root: Root): void {
  const path = folder(t);
  for (const [name, source] of Object.entries(root.files)) place(path, name, source);
  mkdirSync(join(path, 'tmp'), { mode: 0o1777 });
  const archive = `${folder(t)}/root.tar`;
  const packed = runToEnd('tar', ['-C', path, '-cf', archive, '.']);
  if (packed.status !== 0) throw new Error(packed.output);
  const changes = [`ENV PATH=${PATH}`, ...root.changes].flatMap((change) => ['--change', change]);
  docker.ok('import', ...changes, archive, tag);
}

function place(root: string, name: string, source: string): void {
  const target = join(root, name);
  if (existsSync(target)) return;
  mkdirSync(dirname(target), { recursive: true });
  cpSync(source, target, { recursive: true, verbatimSymlinks: true });
  for (const library of librariesOf(source)) place(root, library, realpathSync(library));
}

/** The shared libraries that a program names, with the loader of programs; none of any other file. */
function librariesOf(file: string): readonly string[] {
  const { stdout } = runToEnd('ldd', [file]);
  return [...stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, path = '']) => path);
}

/** What the Dockerfile builds with and runs on, under the names that it gives them. */
export function importBases(t: CleanUps, docker: Docker): void {
  const architecture = ARCHITECTURES[ARCH];
  if (architecture === undefined) throw new Error(`no Node.js for ${ARCH}`);
  const path = folder(t);
  mkdirSync(join(path, 'runtime'));
  addRuntime(architecture, path);
  const node = join(path, 'runtime/node');
  const { build, runtime } = basesOf(readFileSync('deploy/Dockerfile', 'utf8'));
  importRoot(t, docker, build, builder(node, path));
  importRoot(t, docker, runtime, {
    files: { '/nodejs/bin/node': node, [CERTIFICATES]: CERTIFICATES },
    changes: ['USER 65532', 'ENTRYPOINT ["/nodejs/bin/node"]'],
  });
}

function basesOf(dockerfile: string) {
  const [, runtime = ''] = /^ARG RUNTIME=(\S+)$/m.exec(dockerfile) ?? [];
  const [, build = ''] = /^FROM .*(node:\S+) AS build$/m.exec(dockerfile) ?? [];
  return { build, runtime };
}

/** Node.js, npm and a shell, with what npm needs to reach its registry from this machine. */
function builder(node: string, path: string): Root {
  const npm = join(path, 'npm');
  output('npm', ['install', '--global', '--prefix', npm, '--prefer-offline', 'npm@11']);
  const npmrc = join(path, 'npmrc');
  const settings = ['registry', 'cafile'].map((name) => {
    const value = output('npm', ['config', 'get', name]).trim();
    return value === 'null' || value === '' ? '' : `${name}=${value}\n`;
  });
  writeFileSync(npmrc, settings.join(''));
  const tools = ['sh', 'env', 'mkdir'].map((name) => [`/usr/bin/${name}`, programOf(name)]);
  return {
    files: {
      ...Object.fromEntries(tools),
      '/bin/sh': programOf('sh'),
      '/usr/local': npm,
      '/usr/local/bin/node': node,
      '/usr/local/etc/npmrc': npmrc,
      [CERTIFICATES]: CERTIFICATES,
    },
    changes: [`ENV NODE_EXTRA_CA_CERTS=${CERTIFICATES}`],
  };
}

/** The file of a program of this machine, which may be a link: `sh` is `dash`. */
export function programOf(name: string): string {
  return realpathSync(pathOf(name));
}
