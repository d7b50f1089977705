/** `npm run interop [-- STACK...]`: tests the stacks and writes the results to docs/interop.md. */

import { examine } from './examine.js';
import type { Stack } from './stack.js';
import { STACKS } from './stacks.js';
import { lineOf, writeRows } from './table.js';

async function run(stack: Stack): Promise<boolean> {
  const { skip } = stack.needs();
  if (skip !== false) return false;
  const ends: (() => unknown)[] = [];
  try {
    const rows = await examine({ after: (end?: unknown) => void ends.push(end as () => unknown) }, [
      stack,
    ]);
    writeRows(rows);
    for (const row of rows) console.log(lineOf(row));
    return true;
  } catch (error) {
    console.error(`${stack.name}: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

const names = process.argv.slice(2);
const chosen = STACKS.filter(({ name }) => names.length === 0 || names.includes(name));
let failures = 0;
for (const stack of chosen) if (!(await run(stack))) failures++;
console.log(`${chosen.length - failures} of ${chosen.length} stacks ran`);
process.exitCode = failures > 0 ? 1 : 0;
