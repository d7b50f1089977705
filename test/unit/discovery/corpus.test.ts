import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WebConfigFile } from '../../../src/http/server/web-config.js';
import { WebConfigError } from '../../../src/http/server/web-config-error.js';
import { readCorpus } from '../../support/corpus.js';
import { LISTS } from '../../support/corpus-lists.js';

for (const [folder, read] of Object.entries(LISTS)) {
  describe(`a list: ${folder}:`, () => {
    for (const { file, path, verdict, why } of readCorpus(folder)) {
      test(`${file}: ${why}`, async () => {
        assert.deepEqual(await read(path), verdict);
      });
    }
  });
}

describe('a web configuration', () => {
  for (const { file, path, verdict, why } of readCorpus('web')) {
    test(`${file}: ${why}`, () => {
      assert.deepEqual([readingOfWebConfig(path)], verdict);
    });
  }
});

function readingOfWebConfig(path: string): string {
  try {
    new WebConfigFile(path).current();
    return 'accepted';
  } catch (error) {
    if (error instanceof WebConfigError) return 'refused';
    throw error;
  }
}
