/** The notes of a release: its section of the changelog, in the form of Keep a Changelog. */

/** What is to be released does not fit together. */
export class ReleaseError extends Error {
  override readonly name = 'ReleaseError';
}

const HEADING = /^## \[([^\]]+)\](.*)$/gm;
const DATE = /^ - \d{4}-\d{2}-\d{2}$/;
/** At the end of the changelog: the links of its headings. */
const LINKS = /^\[[^\]]+\]: .*$/gm;

/** @throws ReleaseError when the tag is not that of the version in package.json. */
export function checkTag(tag: string, version: string): void {
  if (tag === `v${version}`) return;
  throw new ReleaseError(`tag: expected v${version}, the version in package.json, got ${tag}`);
}

/** The section of a version, without its heading. @throws ReleaseError without such a section, its date or its content. */
export function releaseNotes(changelog: string, version: string): string {
  const headings = [...changelog.matchAll(HEADING)];
  const at = headings.findIndex(([, name]) => name === version);
  const [line = '', , date = ''] = headings[at] ?? [];
  const wanted = `CHANGELOG.md: expected "## [${version}] - YYYY-MM-DD"`;
  if (line === '') {
    const names = headings.map(([, name]) => name).join(', ');
    throw new ReleaseError(`${wanted}, got ${names || 'no section'}`);
  }
  if (!DATE.test(date)) throw new ReleaseError(`${wanted}, got "${line}"`);
  const start = (headings[at]?.index ?? 0) + line.length;
  const notes = changelog
    .slice(start, headings[at + 1]?.index)
    .replaceAll(LINKS, '')
    .trim();
  if (notes === '') throw new ReleaseError(`CHANGELOG.md: nothing is below "${line}"`);
  return `${notes}\n`;
}
