/** Finds unit tests by name, for `npm run test:unit`. */

import { readdirSync } from 'node:fs';

/** All unit tests in a folder, such as `dns/lookup-cache`. */
export function unitTests(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.test\.[jt]s$/.test(file))
    .map((file) => file.replace(/\.test\.[jt]s$/, ''))
    .sort();
}

/**
 * The tests that a name means: `dns`, `dns/lookup-cache`, `lookup-cache` or
 * `test/unit/dns/lookup-cache.test.ts`. Without such a test, a part of a name is enough: `dns/cache`.
 */
export function testsNamed(name: string, all: readonly string[]): readonly string[] {
  const path = name
    .replace(/^(?:\.\/)?(?:test\/unit\/)?/, '')
    .replace(/(?:\.test)?\.[jt]s$/, '')
    .replace(/\/$/, '');
  const exact = all.filter(
    (test) => test === path || test.endsWith(`/${path}`) || test.startsWith(`${path}/`),
  );
  if (exact.length > 0) return exact;
  const leafAt = path.lastIndexOf('/') + 1;
  return all.filter(
    (test) =>
      test.slice(test.lastIndexOf('/') + 1).includes(path.slice(leafAt)) &&
      `/${test}`.includes(`/${path.slice(0, leafAt)}`),
  );
}
