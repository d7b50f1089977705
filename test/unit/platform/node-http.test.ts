import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runToEnd } from '../../support/process.js';

test('the program is loaded without the fetch client of Node.js, which costs 13 MB', () => {
  const program = new URL('../../../src/program.js', import.meta.url).href;
  const code = `import(${JSON.stringify(program)}).then(() => console.log(process.moduleLoadList.join()))`;
  const { status, stdout } = runToEnd(process.execPath, ['-e', code]);
  assert.equal(status, 0);
  assert.match(stdout, /NativeModule http,/);
  assert.doesNotMatch(stdout, /undici\/undici/);
});
