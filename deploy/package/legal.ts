/** NOTICE and the bill of materials. */

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { output, type Release } from './release.js';

interface Package {
  readonly name: string;
  readonly version: string;
}

/**
 * Writes `sbom.cdx.json` (CycloneDX): the packages in `node_modules` as npm lists them, and Node.js.
 * Without the random number and the time of npm, so that two runs are equal. Removes the lock file.
 */
export function writeSbom(release: Release, node: Package, folder: string): void {
  const args = ['sbom', '--omit=dev', '--sbom-format=cyclonedx', '--sbom-type=application'];
  const { serialNumber, ...sbom } = JSON.parse(output('npm', args, folder));
  sbom.metadata.timestamp = new Date(release.epoch * 1000).toISOString();
  sbom.metadata.component.name = release.name;
  sbom.components.push({
    'bom-ref': `${node.name}@${node.version}`,
    type: 'platform',
    name: 'node',
    version: node.version,
    scope: 'required',
    purl: `pkg:npm/${node.name}@${node.version}`,
    licenses: [{ license: { id: 'MIT' } }],
  });
  writeFileSync(join(folder, 'sbom.cdx.json'), `${JSON.stringify(sbom, null, 2)}\n`);
  rmSync(join(folder, 'package-lock.json'));
}

/** The licences of everything in a package. */
export function notice(folder: string): string {
  const parts = packageFolders(join(folder, 'node_modules')).map((path) => {
    const { name, version, license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
    return part(`${name} ${version} (${license ?? 'see below'})`, licenceText(path));
  });
  const node = readFileSync(join(folder, 'runtime/LICENSE'), 'utf8');
  return [
    'sip-keepalive-exporter is licensed under the Apache License 2.0; see LICENSE.',
    'This package also contains the following software.',
    ...parts,
    part('Node.js, and the libraries that it contains', node),
  ].join('\n');
}

function part(title: string, text: string): string {
  return `\n${'='.repeat(80)}\n${title}\n${'='.repeat(80)}\n\n${text.trim()}\n`;
}

/** The licence of the package in this folder, or of the one that it belongs to (`@koromix/koffi-…`). */
function licenceText(folder: string): string {
  const find = (path: string) =>
    readdirSync(path).find((file) => /^(licen[sc]e|copying)/i.test(file));
  const parent = folder.replace(/@koromix\/koffi-.*$/, 'koffi');
  for (const path of [folder, parent]) {
    const file = find(path);
    if (file !== undefined) return readFileSync(join(path, file), 'utf8');
  }
  throw new Error(`${folder}: no licence found`);
}

/** The folders of all packages, nested ones too, in order. */
function packageFolders(modules: string): readonly string[] {
  if (!existsSync(modules)) return [];
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .sort()
    .flatMap((name) => {
      const path = join(modules, name);
      if (name.startsWith('@')) return packageFolders(path);
      return [path, ...packageFolders(join(path, 'node_modules'))];
    });
}
