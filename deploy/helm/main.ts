/** `npm run chart`: updates what is made from other files: in the chart, and in deploy/kubernetes. */

import { writeFileSync } from 'node:fs';
import { chartFiles } from './chart.js';
import { buildHelm } from './helm.js';
import { manifests } from './manifests.js';

write(chartFiles());
write(manifests(buildHelm()));

function write(files: ReadonlyMap<string, string>): void {
  for (const [path, text] of files) {
    writeFileSync(path, text);
    process.stdout.write(`${path}\n`);
  }
}
