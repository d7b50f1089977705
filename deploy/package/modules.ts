/** The packages that stay in `node_modules` beside the bundles. */

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A library of the machine's; what the status page draws with; and tables of character sets, which are
 * read when a request has text in one.
 */
export const NOT_BUNDLED = ['koffi', 'uplot', 'iconv-lite'] as const;
/** What those need. */
const NEEDED = ['@koromix', 'safer-buffer'];

/** Removes the packages that are part of the bundles from `node_modules`. */
export function dropBundled(modules: string): void {
  const kept = new Set<string>([...NOT_BUNDLED, ...NEEDED]);
  for (const name of readdirSync(modules))
    if (!kept.has(name)) rmSync(join(modules, name), { recursive: true });
}
