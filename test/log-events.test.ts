import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { LOG_EVENTS } from '../src/shared/log-events.js';

const DOC = readFileSync('docs/operations.md', 'utf8').split('## Log events')[1] ?? '';
/** The rows of the tables: name and meaning. */
const ROWS = [...DOC.matchAll(/^\| `([^`]+)` \| (.+) \|$/gm)].map(
  ([, name = '', meaning = '']) => [name, meaning] as const,
);

describe('log events', () => {
  test('are in the tables of docs/operations.md, in the same order', () => {
    assert.deepEqual(
      ROWS.map(([name]) => name),
      [...LOG_EVENTS],
    );
  });

  test('have unique names in snake_case and unique meanings', () => {
    for (const name of LOG_EVENTS) assert.match(name, /^[a-z]+(?:_[a-z]+)+$/);
    assert.equal(new Set(LOG_EVENTS).size, LOG_EVENTS.length);
    assert.equal(new Set(ROWS.map(([, meaning]) => meaning)).size, ROWS.length);
  });

  test('are used in the code', () => {
    const code = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.endsWith('log-events.ts'))
      .map((path) => readFileSync(join('src', path), 'utf8'))
      .join('\n');
    // Some are made of two words: `destination_${to}`.
    const isLogged = (name: string) =>
      code.includes(`'${name}'`) || code.includes(`\`${name.replace(/[^_]+$/, '')}\${`);
    assert.deepEqual(
      LOG_EVENTS.filter((name) => !isLogged(name)),
      [],
    );
  });
});
