import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, normalize, relative } from 'node:path';
import { describe, test } from 'node:test';

/** The tests run from dist/; the sources are found from where npm starts them. */
const SRC = join(process.cwd(), 'src');
const MAX_FILE = 380;
/** The files that join the parts: the process, what it loads, and the library. */
const JOINS: readonly string[] = ['main.ts', 'daemon.ts', 'loading.ts', 'library.ts'];

interface SourceFile {
  /** From `src/`: `pinger/wheel.ts`. */
  readonly path: string;
  readonly text: string;
  /** Without comments and without what stands in quotes. */
  readonly code: string;
  /** Files of ours as paths from `src/`, packages by their names. */
  readonly imports: readonly string[];
}

function readSources(): SourceFile[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = readFileSync(join(SRC, path), 'utf8');
      return { path, text, code: codeOf(text), imports: importsOf(path, text) };
    });
}

function importsOf(path: string, text: string): string[] {
  const statements =
    /(?:^|;\s*)(?:import|export)\s(?:[^;]*?\sfrom\s*)?'([^']+)'|\bimport\(\s*'([^']+)'/gm;
  return [...text.matchAll(statements)].map(([, named, dynamic]) => {
    const target = named ?? dynamic ?? '';
    return target.startsWith('.')
      ? normalize(join(path, '..', target)).replace(/\.js$/, '.ts')
      : target;
  });
}

/** Good enough for sources that Biome has formatted. */
function codeOf(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .replace(/(^|\s)\/\/.*$/gm, '');
}

const sources = readSources();
const folderOf = (path: string) => (path.includes('/') ? (path.split('/')[0] ?? '') : '');
const within = (...folders: readonly string[]) =>
  sources.filter(({ path }) => folders.includes(folderOf(path)));
const isOurs = (imported: string) => imported.endsWith('.ts');

/** `path -> imported` for every import that is not allowed. */
function forbidden(files: readonly SourceFile[], isForbidden: (imported: string) => boolean) {
  return files.flatMap(({ path, imports }) =>
    imports.filter(isForbidden).map((imported) => `${path} -> ${imported}`),
  );
}

describe('arrows between folders', () => {
  for (const [folder, ...allowed] of [
    ['shared'],
    ['pinger', 'shared'],
    ['http', 'shared'],
    ['config', 'shared'],
    ['discovery', 'shared'],
    ['engine', 'shared'],
  ] as const) {
    test(`src/${folder} imports ${['itself', ...allowed].join(' and ')}, and nothing else of ours`, () => {
      const isElsewhere = (imported: string) =>
        isOurs(imported) && ![folder, ...allowed].some((known) => known === folderOf(imported));
      assert.deepEqual(forbidden(within(folder), isElsewhere), []);
    });
  }

  test('files at the top import shared, and nothing else of ours, but for those that join the parts', () => {
    const files = within('').filter(({ path }) => !JOINS.includes(path));
    assert.ok(files.length >= 4);
    const isElsewhere = (imported: string) => isOurs(imported) && folderOf(imported) !== 'shared';
    assert.deepEqual(forbidden(files, isElsewhere), []);
  });

  test('nothing imports main.ts or library.ts, and there are no folders that this test does not know', () => {
    assert.deepEqual(
      forbidden(sources, (imported) => imported === 'main.ts' || imported === 'library.ts'),
      [],
    );
    const folders = new Set(sources.map(({ path }) => folderOf(path)));
    assert.deepEqual([...folders].sort(), [
      ...['', 'config', 'discovery', 'engine', 'http', 'pinger', 'shared'],
    ]);
  });

  test('every import of ours is a file that is there', () => {
    const paths = new Set(sources.map(({ path }) => path));
    assert.deepEqual(
      forbidden(sources, (imported) => isOurs(imported) && !paths.has(imported)),
      [],
    );
    assert.ok(sources.flatMap(({ imports }) => imports).filter(isOurs).length > 50);
  });
});

describe('packages', () => {
  for (const [folder, ...packages] of [
    ['pinger', 'express', 'prom-client', 'node:fs', 'node:http', 'node:https'],
    ['http', 'sip', 'node:dgram'],
    [
      'shared',
      'express',
      'prom-client',
      'sip',
      'convict',
      'pino',
      'node:fs',
      'node:http',
      'node:dgram',
    ],
  ] as const) {
    test(`src/${folder} imports none of ${packages.join(', ')}`, () => {
      const isBanned = (imported: string) =>
        packages.some((name) => imported === name || imported.startsWith(`${name}/`));
      assert.deepEqual(forbidden(within(folder), isBanned), []);
    });
  }

  test('sip is imported by pinger/sip/request.ts alone', () => {
    const importers = sources.filter(({ imports }) => imports.includes('sip'));
    assert.deepEqual(
      importers.map(({ path }) => path),
      ['pinger/sip/request.ts'],
    );
  });

  test('every package that is imported is a dependency, and every dependency is imported', () => {
    const manifest: unknown = JSON.parse(readFileSync(join(SRC, '..', 'package.json'), 'utf8'));
    const { dependencies } = manifest as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    const imported = sources
      .flatMap(({ imports }) => imports)
      .filter((name) => !isOurs(name) && !name.startsWith('node:'));
    assert.deepEqual([...new Set(imported)].sort(), Object.keys(dependencies).sort());
  });
});

describe('sources', () => {
  const where = (isSo: (source: SourceFile) => boolean) =>
    sources.filter(isSo).map(({ path }) => path);

  test('read the environment and the arguments in main.ts alone', () => {
    const readers = where(({ code }) => /\bprocess\.(?:env|argv)\b/.test(code));
    assert.deepEqual(readers, ['main.ts']);
  });

  test(`are no longer than ${MAX_FILE} lines`, () => {
    assert.deepEqual(
      where(({ text }) => text.split('\n').length - 1 > MAX_FILE),
      [],
    );
  });

  test('annotate nothing with any', () => {
    assert.deepEqual(
      where(({ code }) => /(?::|\bas|<|\||&)\s*any\b/.test(code)),
      [],
    );
  });

  test('read all that a setting is declared with', () => {
    const declared = sources.find(({ path }) => path === 'config/setting.ts')?.code ?? '';
    const [, body = ''] = /interface Setting \{([\s\S]*?)\n\}/.exec(declared) ?? [];
    const members = [...body.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name);
    assert.ok(members.length >= 6);
    const unread = members.filter(
      (name) => !sources.some(({ code }) => new RegExp(`[.{,]\\s*${name}\\b(?!\\??:)`).test(code)),
    );
    assert.deepEqual(unread, []);
  });

  test('of the page use every element that has a name', () => {
    const folder = join(SRC, '..', 'page');
    const read = (end: string) =>
      readdirSync(folder)
        .filter((name) => name.endsWith(end))
        .map((name) => readFileSync(join(folder, name), 'utf8'))
        .join('\n');
    const ids = [...read('.html').matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id);
    assert.ok(ids.length > 0);
    const scripts = read('.js') + read('.html').replace(/ id="[^"]+"/g, '');
    assert.deepEqual(
      ids.filter((id) => !new RegExp(`['"#]${id}['"]`).test(scripts)),
      [],
    );
  });

  test('have no barrels', () => {
    assert.deepEqual(
      where(({ path }) => relative('.', path).endsWith('index.ts')),
      [],
    );
    assert.deepEqual(
      where(({ code }) => /^export \* from/m.test(code)),
      [],
    );
  });
});
