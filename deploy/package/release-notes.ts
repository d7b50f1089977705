/** `npm run --silent release-notes -- TAG`: checks the tag of a release and prints its notes. */

import { readFileSync } from 'node:fs';
import { checkTag, ReleaseError, releaseNotes } from './notes.js';

try {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  checkTag(process.argv[2] ?? 'none', version);
  process.stdout.write(releaseNotes(readFileSync('CHANGELOG.md', 'utf8'), version));
} catch (error) {
  if (!(error instanceof ReleaseError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
