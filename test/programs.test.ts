import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathOf } from './support/tools.js';

/** The tests run from dist/; the sources are relative to the working directory of npm. */
const FOLDER = 'test';
/** The only file that may start processes. */
const STARTS = 'support/process.ts';

/** Exists on every system. */
const SHELL = 'sh';

/** A top-level statement, with the programs that it may run. */
interface Statement {
  /** The declared name; empty for a call of `test` or `describe`. */
  readonly name: string;
  readonly text: string;
  readonly words: ReadonlySet<string>;
  /** Programs that it names. */
  readonly programs: readonly string[];
}

interface TestFile {
  readonly path: string;
  readonly text: string;
  readonly statements: readonly Statement[];
}

const files: readonly TestFile[] = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => {
    const text = readFileSync(join(FOLDER, path), 'utf8');
    return { path, text, statements: statementsOf(text) };
  });

/** Good enough for sources formatted by Biome, where the parts of a statement are indented. */
function statementsOf(text: string): Statement[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return code.split(/\n(?=[A-Za-z])/).map((statement) => {
    const [, name = ''] =
      /^(?:export )?(?:async )?(?:const|let|function|class) (\w+)/.exec(statement) ?? [];
    const programs = [...statement.matchAll(/\b(?:run\(\s*\w+,|runToEnd\(|pathOf\()\s*'([^']+)'/g)]
      .map(([, program = '']) => program)
      .filter((program) => program !== SHELL);
    return { name, text: statement, words: new Set(statement.match(/\w+/g)), programs };
  });
}

const exported = new Map(
  files
    .filter(({ path }) => path.startsWith('support/'))
    .flatMap(({ statements }) => statements)
    .filter(({ text }) => text.startsWith('export '))
    .map((statement) => [statement.name, statement]),
);
/** The declarations that the names in a statement may refer to. */
const scopes = new Map(
  files.flatMap(({ statements }) => {
    const scope = new Map([...exported, ...statements.map((one) => [one.name, one] as const)]);
    return statements.map((statement) => [statement, scope] as const);
  }),
);

/** The programs that the statement runs, directly and through functions of its file and test/support. */
function programsOf(statement: Statement): ReadonlySet<string> {
  const seen = new Set([statement]);
  // The loop also visits members that are added meanwhile.
  for (const one of seen) {
    for (const word of one.words) {
      const other = scopes.get(one)?.get(word);
      if (other !== undefined) seen.add(other);
    }
  }
  return new Set([...seen].flatMap(({ programs }) => programs));
}

/** The programs that the statement declares as needed; a module of Kamailio needs Kamailio. */
function declaredIn(statement: Statement): ReadonlySet<string> {
  // A helper such as needsNamespace needs its arguments and what it declares itself.
  const helpers = [...exported.values()].filter(
    ({ name }) => /^needs./.test(name) && statement.words.has(name),
  );
  const calls = [statement, ...helpers].flatMap(({ text }) =>
    [...text.matchAll(/\bneeds\w*\(([^)]*)\)/g)].map(([, list = '']) => list),
  );
  const names = calls.flatMap((list) => [...list.matchAll(/'([^']+)'/g)].map(([, name]) => name));
  return new Set(names.map((name = '') => name.replace(/\/.*/, '')));
}

describe('a program that a test runs', () => {
  test(`is started by test/${STARTS}; other files start only Node.js, or a program from pathOf`, () => {
    const starts = /(?<!\.)\b(?:spawn|exec|execFile|fork)(?:Sync)?\(\s*([\w.'"`[]+)/g;
    const others = files
      .filter(({ path }) => path !== STARTS)
      .filter(({ text }) => /^(?:import .*|\}) from 'node:child_process';$/m.test(text))
      .flatMap(({ path, text }) => [...text.matchAll(starts)].map(([, what]) => `${path}: ${what}`))
      .filter((text) => !/: (?:process\.execPath|pathOf)$/.test(text));
    assert.deepEqual(others, []);
  });

  test('is one that the test declares as needed', () => {
    const undeclared: string[] = [];
    let count = 0;
    for (const file of files.filter(({ path }) => path.endsWith('.test.ts'))) {
      for (const statement of file.statements) {
        if (!/\b(?:test|describe)\(/.test(statement.text) || statement.name !== '') continue;
        const declared = declaredIn(statement);
        for (const program of programsOf(statement)) {
          count++;
          const line = statement.text.split('\n').slice(0, 2).join(' ');
          if (!declared.has(program)) undeclared.push(`${file.path}: ${line} runs ${program}`);
        }
      }
    }
    assert.deepEqual(undeclared, []);
    assert.ok(count > 20, `${count} are known`);
  });

  test('is in the table of test/support/tools.ts, with its package', () => {
    const all = new Set(
      files.flatMap(({ statements }) => statements.flatMap(({ programs }) => programs)),
    );
    assert.ok(all.size > 8);
    const table = readFileSync(join(FOLDER, 'support/tools.ts'), 'utf8');
    for (const name of all) assert.match(table, new RegExp(`^  (?:${name}|'${name}'): '`, 'm'));
  });

  test('that is not installed or not in the table leads to an error that names it', () => {
    const unknown = 'no-such-program';
    assert.throws(() => pathOf(unknown), /no-such-program is not in test\/support/);
    assert.equal(pathOf(process.execPath), process.execPath);
  });
});

test('.ci/run installs the package of every program that a test runs', () => {
  const script = readFileSync('.ci/run', 'utf8');
  const table = readFileSync(join(FOLDER, 'support/tools.ts'), 'utf8');
  const packages = [...table.matchAll(/^ {2}['\w/-]+: '([\w-]+)',$/gm)].map(([, name]) => name);
  assert.ok(packages.length > 10);
  for (const name of new Set(packages)) {
    assert.match(script, new RegExp(`(^|\\s)${name}(\\s|$)`, 'm'), name);
  }
});
