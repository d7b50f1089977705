/** `npm run dashboards`: writes the dashboards to their files. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { boards, FOLDER, fileOf, textOf } from './boards.js';

mkdirSync(FOLDER, { recursive: true });
for (const board of boards()) {
  writeFileSync(fileOf(board), textOf(board));
  process.stdout.write(`${fileOf(board)}\n`);
}
