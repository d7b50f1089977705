/** Reads destinations from the file of Kamailio's dispatcher module (its parameter `list_file`). */

import { readAttributes } from './dispatcher/attributes.js';
import { Destinations } from './dispatcher/destinations.js';
import { FLAG_DISABLED, FLAG_NO_PING, type Line, readLine } from './dispatcher/line.js';
import { type ListDefaults, NO_DEFAULTS } from './dispatcher/target.js';
import type { Findings, Remark } from './found.js';
import { MAX_ENTRIES, tooManyEntries } from './limits.js';
import { type Report, reporter } from './remark.js';
import { type DecodedText, decoded, READ_AS_LATIN1 } from './text.js';

const IS_ASCII = /^\p{ASCII}*$/u;

type EntryLine = Extract<Line, { kind: 'entry' }>;

/**
 * Reads a dispatcher.list, as {@link Destinations}.
 *
 * @param path of the file, for the places.
 * @param isLocal whether pings can be sent from an IP address (IPv6 without brackets).
 * @param defaults the parameters of the module.
 * @throws SourceError when the file has more entries than can be monitored.
 */
export function readDispatcherList(
  content: DecodedText | string,
  path: string,
  isLocal: (address: string) => boolean,
  defaults: ListDefaults = NO_DEFAULTS,
): Findings {
  const { text, latin1Lines } = typeof content === 'string' ? decoded(content) : content;
  const destinations = new Destinations(isLocal, [], defaults);
  const remarks: Remark[] = [];
  for (const [index, lineText] of text.split('\n').entries()) {
    const place = `${path}:${index + 1}`;
    const isLatin1 = latin1Lines.has(index + 1);
    const line = readLine(lineText, isLatin1);
    if (line.kind === 'nothing') continue;
    const report = reporter(remarks, place);
    if (line.kind === 'invalid') report('skipped', line.reason);
    else if (isLatin1 && !IS_ASCII.test(line.uri)) report('skipped', 'the URI is not UTF-8');
    else {
      if (isLatin1) report('adjusted', READ_AS_LATIN1);
      addLine(destinations, line, place, report);
    }
    if (destinations.size + remarks.length > MAX_ENTRIES) throw tooManyEntries(path);
  }
  return { found: destinations.found(), remarks };
}

function addLine(
  destinations: Destinations,
  { setid, uri, flags, attrs, rest, comment }: EntryLine,
  place: string,
  report: Report,
): void {
  // Flags 1, 2 and 8 are initial states. Flag 16 is about DNS, which is always used here.
  if (flags & (FLAG_DISABLED | FLAG_NO_PING)) {
    const flag = flags & FLAG_DISABLED ? 'disabled (flag 4)' : 'not to be pinged (flag 32)';
    report('skipped', `${uri}: ${flag}`);
    return;
  }
  const entry = { setid, uri, attributes: readAttributes(attrs), description: comment };
  const index = destinations.add(entry, place, report);
  if (index === undefined || rest === '') return;
  const got = JSON.stringify(rest.slice(0, 120));
  report('adjusted', `attributes end at a space, also in Kamailio: ${got} is ignored`);
}
