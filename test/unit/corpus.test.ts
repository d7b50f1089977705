import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { corpusFiles, corpusFolders, readCorpus } from '../support/corpus.js';

describe('the corpus', () => {
  for (const folder of corpusFolders()) {
    test(`${folder}: each file has one verdict, and each verdict a file and a reason`, () => {
      const cases = readCorpus(folder);
      assert.deepEqual(cases.map(({ file }) => file).sort(), corpusFiles(folder));
      const [first] = cases;
      for (const { file, verdict, why } of cases) {
        assert.equal(verdict.length, first?.verdict.length, file);
        assert.ok(
          [...verdict, why].every((column) => column !== ''),
          file,
        );
      }
    });
  }
});
