/** The Debian package, from the folder that the tarball is made of. */

import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { writeGzip } from './archives.js';
import { output, type Release } from './release.js';
import { normalize } from './stage.js';

const SCRIPTS = ['postinst', 'prerm', 'postrm'] as const;

/** Where the parts of the folder go; what is not listed goes to `/usr/lib/NAME`. */
const PLACES = (name: string): Readonly<Record<string, string>> => ({
  'config.yml': `etc/${name}/config.yml`,
  [`${name}.service`]: `lib/systemd/system/${name}.service`,
  [`${name}.socket`]: `lib/systemd/system/${name}.socket`,
  [`${name}.bash`]: `usr/share/bash-completion/completions/${name}`,
  rules: `usr/share/${name}/rules`,
  'alertmanager.yml': `usr/share/${name}/alertmanager.yml`,
  alertmanager: `usr/share/${name}/alertmanager`,
  'grafana/dashboards': `usr/share/${name}/dashboards`,
  docs: `usr/share/doc/${name}/docs`,
  'sbom.cdx.json': `usr/share/doc/${name}/sbom.cdx.json`,
});

/** Writes `NAME_VERSION_ARCH.deb` to `out`. Moves the content out of the folder. */
export function writeDebianPackage(
  release: Release,
  arch: string,
  folder: string,
  out: string,
): void {
  const { name, epoch } = release;
  const root = `${folder}.deb`;
  const at = (path: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    return join(root, path);
  };
  const library = at(`usr/lib/${name}`);
  renameSync(folder, library);
  for (const [from, to] of Object.entries(PLACES(name))) renameSync(join(library, from), at(to));
  addDocuments(release, library, at);
  copyFileSync('deploy/package/debian/default', at(`etc/default/${name}`));
  copyFileSync(
    'deploy/package/debian/lintian-overrides',
    at(`usr/share/lintian/overrides/${name}`),
  );
  mkdirSync(at('usr/bin'), { recursive: true });
  symlinkSync(`../lib/${name}/${name}`, at(`usr/bin/${name}`));
  normalize(root, epoch);
  addControl(release, arch, root);
  const file = join(out, `${name}_${debianVersion(release)}_${arch}.deb`);
  const compression = ['-Zgzip', '-z6'];
  process.env['SOURCE_DATE_EPOCH'] = String(epoch);
  output('dpkg-deb', ['--root-owner-group', ...compression, '--build', root, file]);
}

/** Documentation: compressed where the policy of Debian says so. */
function addDocuments(release: Release, library: string, at: (path: string) => string): void {
  const { name } = release;
  const documents = `usr/share/doc/${name}`;
  for (const [from, to] of [
    ['NOTICE', `${documents}/NOTICE.gz`],
    ['CHANGELOG.md', `${documents}/CHANGELOG.md.gz`],
    [`${name}.1`, `usr/share/man/man1/${name}.1.gz`],
  ] as const) {
    writeGzip(at(to), readFileSync(join(library, from), 'utf8'));
    rmSync(join(library, from));
  }
  for (const path of ['LICENSE', 'grafana', 'runtime/LICENSE'])
    rmSync(join(library, path), { recursive: true });
  writeGzip(at(`${documents}/changelog.gz`), changelog(release));
  copyFileSync('deploy/package/debian/copyright', at(`${documents}/copyright`));
}

/** The changelog in the format of Debian, which refers to ours. */
function changelog(release: Release): string {
  const date = new Date(release.epoch * 1000).toUTCString().replace('GMT', '+0000');
  return `${release.name} (${debianVersion(release)}) unstable; urgency=medium

  * Version ${release.version}; see CHANGELOG.md.gz.

 -- ${maintainer(release)}  ${date}
`;
}

/** The scripts of the package, its description and the checksums of its files. */
function addControl(release: Release, arch: string, root: string): void {
  const folder = join(root, 'DEBIAN');
  const kilobytes = Number(output('du', ['-sk', '--apparent-size', root]).split('\t')[0]);
  mkdirSync(folder);
  for (const script of SCRIPTS) {
    copyFileSync(`deploy/package/debian/${script}`, join(folder, script));
    chmodSync(join(folder, script), 0o755);
  }
  const files = filesOf(root, '').filter((file) => !file.startsWith('DEBIAN/'));
  const conffiles = files.filter((file) => file.startsWith('etc/'));
  const sums = output(
    'md5sum',
    files.filter((file) => !conffiles.includes(file)),
    root,
  );
  writeFileSync(join(folder, 'md5sums'), sums);
  writeFileSync(join(folder, 'conffiles'), conffiles.map((file) => `/${file}\n`).join(''));
  writeFileSync(join(folder, 'control'), control(release, arch, kilobytes));
  normalize(folder, release.epoch);
}

/** The libraries are those that Node.js is linked with, in the versions whose symbols it uses. */
function control(release: Release, arch: string, kilobytes: number): string {
  return `Package: ${release.name}
Version: ${debianVersion(release)}
Architecture: ${arch}
Maintainer: ${maintainer(release)}
Installed-Size: ${kilobytes}
Depends: adduser, libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 5)
Section: net
Priority: optional
Homepage: ${release.homepage}
Description: Prometheus exporter that pings SIP destinations
 Pings SIP servers with OPTIONS over UDP, TCP, TLS and WebSocket, decides for
 each whether it is up, measures every round trip, and exports the results to
 Prometheus. The package contains the Node.js that it needs.
`;
}

function maintainer({ name, owner }: Release): string {
  return `${name} <${owner}@users.noreply.github.com>`;
}

/** A release candidate (`1.0.0-rc.1`) is older than its release. */
function debianVersion({ version }: Release): string {
  return version.replace('-', '~');
}

/** The paths of all regular files below a folder, in order. */
function filesOf(root: string, below: string): readonly string[] {
  return readdirSync(join(root, below), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(below, entry.name);
      if (entry.isDirectory()) return filesOf(root, path);
      return entry.isFile() ? [path] : [];
    });
}
