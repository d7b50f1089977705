/** The number of destinations and of remarks of a list of the corpus, as in verdicts.txt. */

import { readFileSync } from 'node:fs';
import { readDispatcherList } from '../../src/discovery/dispatcher-list.js';
import { FileSd } from '../../src/discovery/file-sd.js';
import type { Findings } from '../../src/discovery/found.js';
import { readKamailioCfg } from '../../src/discovery/kamailio-cfg.js';
import { Parser } from '../../src/discovery/parsing/parser.js';
import { type DecodedText, decodeConfig, decodeText } from '../../src/discovery/text.js';
import { systemClock } from '../../src/shared/clock.js';

const REFUSED = ['refused', '0'];

/** Readers of lists of destinations, by the folder of their cases. */
export const LISTS: Readonly<Record<string, (path: string) => Promise<string[]>>> = {
  dispatcher: async (path) => counts(readDispatcherList(contentOf(path), path, isLocal)),
  kamailio: async (path) =>
    counts(readKamailioCfg(path, (name) => decodeConfig(readFileSync(name)))),
  'file-sd': async (path) => {
    const look = await new FileSd([path], new Parser(systemClock)).read(
      new AbortController().signal,
    );
    return look.errors.length > 0 ? REFUSED : counts(look);
  },
};

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
