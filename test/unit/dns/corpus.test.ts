import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bytesOf, readCorpus } from '../../support/corpus.js';
import { readingOf, typeOf } from '../../support/corpus-dns.js';

describe('a DNS answer', () => {
  for (const one of readCorpus('dns')) {
    const [, wanted] = one.verdict;
    test(`${one.file}: ${one.why}`, () => {
      const reading = readingOf(bytesOf(one), typeOf(one));
      if (wanted !== 'any') assert.equal(reading, wanted);
    });
  }
});
