/**
 * The program as a file for each thread, which starts a third faster than its 400 modules do. V8 keeps
 * the text, so it has no comments and no indents; names stay, for the stack in a log.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build, type Plugin, transform } from 'esbuild';
import { NOT_BUNDLED } from './modules.js';

/** The command, the health check of the image and the threads, by their paths in `dist/src`. */
const ENTRIES = [
  'main.js',
  'health-check.js',
  'pinger/worker.js',
  'discovery/parsing/worker.js',
  'http/guards/password-worker.js',
] as const;
/** Lines of a whole statement or more, so that the place in a stack says something. */
const LINE_LIMIT = 160;
/** CommonJS packages call it. */
const REQUIRE = `import { createRequire as requireFrom } from 'node:module';
const require = requireFrom(import.meta.url);`;

/** Bundles the modules in the folder `from` into the folder `to`, with the packages that they import. */
export async function bundle(from: string, to: string): Promise<void> {
  for (const entry of ENTRIES) {
    const file = join(from, entry);
    const { outputFiles } = await build({
      ...{ entryPoints: [file], bundle: true, write: false, platform: 'node' },
      ...{ format: 'esm', target: 'node20', banner: { js: REQUIRE }, external: [...NOT_BUNDLED] },
      ...{ legalComments: 'none', logLevel: 'warning', plugins: [keepPlaces(dirname(file))] },
      nodePaths: ['node_modules'],
    });
    mkdirSync(dirname(join(to, entry)), { recursive: true });
    // esbuild names the source of each part, in a folder that has another name each time.
    const text = (outputFiles[0]?.text ?? '').replaceAll(`${relative('.', from)}/`, 'src/');
    const { code } = await transform(text, { minifyWhitespace: true, lineLimit: LINE_LIMIT });
    writeFileSync(join(to, entry), ascii(code));
  }
}

/** V8 keeps a text in half the memory when it is ASCII: letters in regular expressions are escaped too. */
function ascii(text: string): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return text.replaceAll(/[^\0-\x7f]/g, escaped);
}

/** Every module finds its neighbours where they were, although it is now part of a file in this folder. */
function keepPlaces(folder: string): Plugin {
  return {
    name: 'keep places',
    setup({ onLoad }) {
      onLoad({ filter: /\/src\/.*\.js$/ }, ({ path }) => {
        if (path.includes('/node_modules/')) return undefined;
        const place = JSON.stringify(relative(folder, path));
        const url = `new URL(${place}, import.meta.url).href`;
        return { contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', url) };
      });
    },
  };
}
