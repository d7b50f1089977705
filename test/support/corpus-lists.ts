/** The number of destinations and of remarks of a list of the corpus, as in verdicts.txt. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { KAMAILIO_LISTS, type KamailioList } from '../../src/config/source-settings.js';
import { readDispatcherList } from '../../src/discovery/dispatcher-list.js';
import { FileSd } from '../../src/discovery/file-sd.js';
import type { Findings } from '../../src/discovery/found.js';
import { readKamailioCfg } from '../../src/discovery/kamailio-cfg.js';
import { LISTS as LISTS_OF_KAMAILIO } from '../../src/discovery/kamailio-rpc/lists.js';
import { type Job, perform } from '../../src/discovery/parsing/job.js';
import { Parser } from '../../src/discovery/parsing/parser.js';
import { SourceError } from '../../src/discovery/source-error.js';
import { type DecodedText, decodeText } from '../../src/discovery/text.js';
import { systemClock } from '../../src/shared/clock.js';

const REFUSED = ['refused', '0'];

/** Readers of lists of destinations, by the folder of their cases. */
export const LISTS: Readonly<Record<string, (path: string) => Promise<string[]>>> = {
  dispatcher: async (path) => counts(readDispatcherList(contentOf(path), path, isLocal)),
  kamailio: async (path) => {
    const reading = readKamailioCfg(path, (name) => readFileSync(name), isLocal);
    return reading.errors.length > 0 ? REFUSED : counts(reading);
  },
  'kamailio-rpc': async (path) => {
    const list = KAMAILIO_LISTS.find((name) => basename(path).startsWith(name));
    assert.ok(list !== undefined, path);
    try {
      return counts(perform(listJob(list, readFileSync(path))));
    } catch (error) {
      if (error instanceof SourceError) return REFUSED;
      throw error;
    }
  },
  'file-sd': async (path) => {
    const look = await new FileSd([path], new Parser(systemClock)).read(
      new AbortController().signal,
    );
    return look.errors.length > 0 ? REFUSED : counts(look);
  },
};

/** A job that parses a response of a Kamailio with status 200. */
export function listJob(list: KamailioList, bytes: Uint8Array, knownDigest = ''): Job {
  return {
    ...{ kind: 'kamailio_list', list, attributes: ['carrier'], bytes, knownDigest },
    ...{ status: 200, contentType: 'application/json', place: LISTS_OF_KAMAILIO[list].method },
  };
}

function counts({ found, remarks }: Findings): string[] {
  return [String(found.length), String(remarks.length)];
}

function contentOf(path: string): DecodedText {
  return decodeText(readFileSync(path));
}

/** Whether this machine has the address, for the addresses in the cases. */
function isLocal(address: string): boolean {
  return address === '127.0.0.1';
}
