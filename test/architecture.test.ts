import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, normalize, relative } from 'node:path';
import { describe, test } from 'node:test';
import { ARROWS } from './support/arrows.js';

/** The tests run from dist/; the sources are relative to the working directory of npm. */
const SRC = join(process.cwd(), 'src');
/** Maximum length of a file in `src/`. */
const MAX_LINES = 260;
/** Tables, and codecs of one layout: splitting them would make them harder to read. */
const TABLES: readonly string[] = [
  'config/formats.ts',
  'config/ping-schema.ts',
  'metrics/families.ts',
  'pinger/sip/scanner.ts',
  'shared/ledger/writer.ts',
];
/** Files that read the time themselves. */
const AMBIENT: readonly string[] = [
  'http/server/pieces.ts',
  // Compares the clock of libc with that of Node.js.
  'pinger/net/libc.ts',
  'pinger/transport/once-ports.ts',
  'pinger/transport/udp-ports.ts',
  'pinger/transport/udp.ts',
];

/** Calls whose promises are voided without a catch, each with the reason why they never reject. */
const NEVER_REJECT: Readonly<Record<string, string>> = {
  'discovery/source.ts: this.#pollNow': 'catches what a read throws; else it writes log lines',
  'http/guards/login-attempts.ts: this.#run': 'catches what a check throws; else it resolves',
  'webhooks/webhook.ts: this.#deliverAll': 'a failed attempt is a value; else it writes log lines',
};

interface SourceFile {
  /** Relative to `src/`: `pinger/receiver.ts`. */
  readonly path: string;
  readonly text: string;
  /** The text without comments and strings. */
  readonly code: string;
  /** Files of this repository as paths relative to `src/`, packages by name. */
  readonly imports: readonly string[];
  /** The imports of types only. */
  readonly typeImports: readonly string[];
}

function readSources(): SourceFile[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = readFileSync(join(SRC, path), 'utf8');
      const typesAlone = text.match(/^(?:import|export) type [^;]*;/gm) ?? [];
      return {
        ...{ path, text, code: codeOf(text), imports: importsOf(path, text) },
        typeImports: importsOf(path, typesAlone.join('\n')),
      };
    });
}

function importsOf(path: string, text: string): string[] {
  const statements =
    /(?:^|;\s*)(?:import|export)\s(?:[^;]*?\sfrom\s*)?'([^']+)'|(?:\bimport(?:\.meta\.resolve)?|\bcreateRequire\(import\.meta\.url\))\(\s*'([^']+)'/gm;
  return [...text.matchAll(statements)].map(([, named, dynamic]) => {
    const target = named ?? dynamic ?? '';
    return target.startsWith('.')
      ? normalize(join(path, '..', target)).replace(/\.js$/, '.ts')
      : target;
  });
}

/** Good enough for sources formatted by Biome. */
function codeOf(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .replace(/(^|\s)\/\/.*$/gm, '');
}

/** The operands of the operator `void`: `this.#run()`. */
function voided(code: string): string[] {
  return [...code.matchAll(/\bvoid (?=[\w(])/g)].map(({ index }) => {
    const rest = code.slice(index + 'void '.length);
    return rest.slice(0, endOfExpression(rest));
  });
}

/** `f(x).catch(y)` as `f.catch`. */
function withoutArguments(call: string): string {
  const outer = call.replace(/\([^()]*\)/g, '');
  return outer === call ? call.trimEnd() : withoutArguments(outer);
}

/** Where the first expression ends: at a bracket that it did not open, a comma or a semicolon. */
function endOfExpression(code: string): number {
  let depth = 0;
  for (const { 0: sign, index } of code.matchAll(/[()[\]{},;]/g)) {
    if ('([{'.includes(sign)) depth++;
    else if (depth === 0) return index;
    else if (')]}'.includes(sign)) depth--;
  }
  return code.length;
}

const sources = readSources();
/** `pinger/dns`, `http`; empty for the files at the top. */
function roomOf(path: string): string {
  const [first = '', second = '', third] = path.split('/');
  if (second === '') return '';
  return first === 'pinger' && third !== undefined ? `pinger/${second}` : first;
}

const bare = (room: string) => room.replace(' (types)', '');

function arrows(): { from: string; to: string; isType: boolean }[] {
  return sources.flatMap(({ path, imports, typeImports }) => {
    const from = roomOf(path);
    const drawn = imports.filter(isOurs).map((imported) => {
      const ofTypes = typeImports.filter((one) => one === imported).length;
      const isType = ofTypes === imports.filter((one) => one === imported).length;
      return { from, to: roomOf(imported), isType };
    });
    return drawn.filter(({ to }) => to !== from && to !== 'shared');
  });
}

const isOurs = (imported: string) => imported.endsWith('.ts');

/** `path -> imported` for every import that is not allowed. */
function forbidden(files: readonly SourceFile[], isForbidden: (imported: string) => boolean) {
  return files.flatMap(({ path, imports }) =>
    imports.filter(isForbidden).map((imported) => `${path} -> ${imported}`),
  );
}

describe('arrows between rooms', () => {
  test('are exactly those of the table', () => {
    const found = new Map<string, Set<string>>();
    for (const { from, to, isType } of arrows()) {
      const known = found.get(from) ?? new Set();
      known.add(isType ? `${to} (types)` : to);
      found.set(from, known);
    }
    for (const [room, allowed] of Object.entries(ARROWS)) {
      const drawn = found.get(room) ?? new Set();
      const isAllowed = (to: string) => allowed.includes(to) || allowed.includes(bare(to));
      assert.deepEqual(
        [...drawn].filter((to) => !isAllowed(to)),
        [],
        `${room} imports rooms that the table does not allow`,
      );
      const isDrawn = (to: string) =>
        drawn.has(to) || (bare(to) === to && drawn.has(`${to} (types)`));
      const unused = allowed.filter((to) => !isDrawn(to));
      assert.deepEqual(unused, [], `the table allows ${room} imports that it does not need`);
    }
    assert.deepEqual(
      [...found.keys()].filter((room) => !(room in ARROWS)),
      [],
    );
  });

  test('every folder is a room of the table', () => {
    const rooms = new Set(sources.map(({ path }) => roomOf(path)));
    assert.deepEqual([...rooms].sort(), Object.keys(ARROWS).sort());
  });

  test('only program.ts imports daemon.ts, only main.ts imports program.ts, and nothing imports main.ts or library.ts', () => {
    const joined = ['main.ts', 'program.ts', 'daemon.ts', 'library.ts'];
    const main = sources.find(({ path }) => path === 'main.ts');
    assert.deepEqual(
      main?.imports.filter((imported) => joined.includes(imported)),
      ['program.ts'],
    );
    const program = sources.find(({ path }) => path === 'program.ts');
    assert.deepEqual(
      program?.imports.filter((imported) => joined.includes(imported)),
      ['daemon.ts'],
    );
    const files = sources.filter(({ path }) => path !== 'main.ts' && path !== 'program.ts');
    assert.deepEqual(
      forbidden(files, (imported) => joined.includes(imported)),
      [],
    );
  });

  test('main.ts loads nothing before it has checked the version of Node.js', () => {
    const [main] = sources.filter(({ path }) => path === 'main.ts');
    assert.ok(main !== undefined);
    const statically = importsOf('main.ts', main.text.replaceAll(/\bimport\([^)]*\)/g, ''));
    assert.deepEqual(statically, ['platform/node-version.ts']);
    assert.match(main.code, /nodeVersionProblem\([\s\S]*await import\(/);
    const [check] = sources.filter(({ path }) => path === 'platform/node-version.ts');
    assert.deepEqual(check?.imports, []);
  });

  test('every imported file exists', () => {
    const paths = new Set(sources.map(({ path }) => path));
    assert.deepEqual(
      forbidden(sources, (imported) => isOurs(imported) && !paths.has(imported)),
      [],
    );
    assert.ok(sources.flatMap(({ imports }) => imports).filter(isOurs).length > 50);
  });
});

describe('packages', () => {
  const MAIN_THREAD = Object.keys(ARROWS).filter(
    (room) => room !== 'shared' && !room.startsWith('pinger'),
  );
  for (const [rooms, ...packages] of [
    [
      Object.keys(ARROWS).filter((room) => room.startsWith('pinger')),
      ...['express', 'prom-client', 'convict', 'pino', 'node:fs', 'node:http', 'node:https'],
    ],
    [MAIN_THREAD, 'sip', 'dns-packet', 'ws', 'node:dgram', 'node:dns'],
    [
      ['shared'],
      ...['express', 'prom-client', 'sip', 'convict', 'pino', 'ws', 'dns-packet', 'js-yaml'],
      ...['node:fs', 'node:http', 'node:dgram'],
    ],
  ] as const) {
    test(`the rooms of the same thread as ${rooms[0]} do not import ${packages.join(', ')}`, () => {
      const isBanned = (imported: string) =>
        packages.some((name) => imported === name || imported.startsWith(`${name}/`));
      const files = sources.filter(({ path }) =>
        (rooms as readonly string[]).includes(roomOf(path)),
      );
      assert.ok(files.length > 0);
      assert.deepEqual(forbidden(files, isBanned), []);
    });
  }

  test('only pinger/sip/request.ts imports sip', () => {
    const importers = sources.filter(({ imports }) => imports.includes('sip'));
    assert.deepEqual(
      importers.map(({ path }) => path),
      ['pinger/sip/request.ts'],
    );
  });

  test('every imported package is a dependency, and every dependency is imported', () => {
    const manifest: unknown = JSON.parse(readFileSync(join(SRC, '..', 'package.json'), 'utf8'));
    const { dependencies, optionalDependencies } = manifest as Readonly<
      Record<string, Readonly<Record<string, string>>>
    >;
    const declared = Object.keys({ ...dependencies, ...optionalDependencies });
    const imported = sources
      .flatMap(({ imports }) => imports)
      .filter((name) => !isOurs(name) && !name.startsWith('node:'));
    assert.deepEqual([...new Set(imported)].sort(), declared.sort());
  });
});

describe('sources', () => {
  const where = (isSo: (source: SourceFile) => boolean) =>
    sources.filter(isSo).map(({ path }) => path);

  test('read environment and arguments only in main.ts', () => {
    const readers = where(({ code }) => /\bprocess\.(?:env|argv)\b/.test(code));
    assert.deepEqual(readers, ['main.ts']);
  });

  test(`have at most ${MAX_LINES} lines, except for tables`, () => {
    const long = where(({ text }) => text.split('\n').length - 1 > MAX_LINES);
    assert.deepEqual(long.sort(), [...TABLES].sort());
  });

  test('read the time and set timers only through shared/clock.ts', () => {
    const isAmbient = /(?<!\.)\b(?:setTimeout|setInterval|performance\.now|Date\.now)\(/;
    const readers = where(({ code }) => isAmbient.test(code));
    assert.deepEqual(readers.sort(), [...AMBIENT, 'shared/clock.ts']);
  });

  test('void no promise that may reject: each has a catch, is contained, or is listed with the reason', () => {
    const uncaught = sources.flatMap(({ path, code }) =>
      voided(code)
        .filter((call) => !/\.(?:catch|containAsync)$/.test(withoutArguments(call)))
        .map((call) => `${path}: ${/^[\w.#]*/.exec(call)?.[0]}`),
    );
    assert.deepEqual(uncaught.sort(), Object.keys(NEVER_REJECT));
  });

  test('do not use the type any', () => {
    assert.deepEqual(
      where(({ code }) => /(?::|\bas|<|\||&)\s*any\b/.test(code)),
      [],
    );
  });

  test('read every member of a setting', () => {
    const declared = sources.find(({ path }) => path === 'config/setting.ts')?.code ?? '';
    const [, body = ''] = /interface Setting \{([\s\S]*?)\n\}/.exec(declared) ?? [];
    const members = [...body.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name);
    assert.ok(members.length >= 6);
    const unread = members.filter(
      (name) => !sources.some(({ code }) => new RegExp(`[.{,]\\s*${name}\\b(?!\\??:)`).test(code)),
    );
    assert.deepEqual(unread, []);
  });

  test('of the page use every id', () => {
    const folder = join(SRC, '..', 'page');
    const read = (end: string) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
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

  test('have no files that only export others', () => {
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
