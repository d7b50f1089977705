/** `npm run dashboards`: writes the dashboards to their files, and those for grafana.com to `dist/`. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { boards, fileOf, sharedFileOf, textOf } from './boards.js';
import { shared } from './sharing.js';

function write(path: string, board: object) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, textOf(board));
  process.stdout.write(`${path}\n`);
}

for (const board of boards()) {
  write(fileOf(board), board);
  write(sharedFileOf(board), shared(board));
}
