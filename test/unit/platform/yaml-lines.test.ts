import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { yamlLines } from '../../../src/platform/yaml-lines.js';

describe('the lines of a YAML text', () => {
  for (const [title, text, expected] of [
    ['nothing', '', []],
    ['a single value', 'hello', []],
    [
      'keys, in blocks and in braces',
      'a: 1\n\nb:\n  c: { d: 2,\n    e: 3 }',
      ['a 1', 'b 3', 'b.c 4', 'b.c.d 4', 'b.c.e 5'],
    ],
    [
      'items of lists, and what is in them',
      '- x\n-\n  y: [1,\n    2]',
      ['[0] 1', '[1] 3', '[1].y 3', '[1].y[0] 3', '[1].y[1] 4'],
    ],
    [
      'keys in quotes, and text over several lines',
      '"a b": |\n  x\n  y\n\'c\': 2',
      ['a b 1', 'c 4'],
    ],
    [
      'an alias, which has no lines below it',
      'a: &a { b: 1 }\nc: *a\nd: [\n  *a]',
      ['a 1', 'a.b 1', 'c 2', 'd 3', 'd[0] 4'],
    ],
    ['JSON', '{\n\t"a": [\n\t\t{ "b": null }\n\t]\n}', ['a 2', 'a[0] 3', 'a[0].b 3']],
    ['lines that end in CR LF', 'a: 1\r\nb: 2\r\n', ['a 1', 'b 2']],
    ['a document with a start and comments', '# x\n---\n# y\na: 1', ['a 4']],
    ['mappings as keys, which have no path of their own', '? { x: 1 }\n: 2\nz: 3', ['x 1', 'z 3']],
    ['text that is not YAML', 'a: [', []],
  ] as const) {
    test(title, () => {
      const lines = [...yamlLines(text)].map(([path, line]) => `${path} ${line}`);
      assert.deepEqual(lines, expected);
    });
  }
});
