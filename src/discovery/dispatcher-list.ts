/** Destinations from the file of Kamailio's dispatcher module (its parameter `list_file`). */

import { UriError } from '../shared/uri.js';
import { readAttributes } from './dispatcher/attributes.js';
import { FLAG_DISABLED, FLAG_NO_PING, type Line, readLine } from './dispatcher/line.js';
import { UnusableSocket } from './dispatcher/socket.js';
import { type Report, type Target, TargetReader } from './dispatcher/target.js';
import type { Findings, FoundDestination, Skipped } from './found.js';
import { MAX_ENTRIES, tooManyEntries } from './limits.js';
import { nameFault } from './names.js';
import { remark } from './remark.js';
import { type DecodedText, decoded } from './text.js';

/** A destination, with all the lines that name it. */
interface Entry {
  readonly place: string;
  readonly target: Target;
  readonly setids: Set<string>;
  readonly duids: Set<string>;
}

const IS_ASCII = /^\p{ASCII}*$/u;

type Written = Extract<Line, { kind: 'entry' }>;

/**
 * Reads a dispatcher.list. Sets say who shares traffic, not whom to ping: a URI that is in several
 * of them is one destination, unless it is pinged from elsewhere, through another proxy and the like.
 *
 * @param path of the file, for the places.
 * @param isLocal whether pings can be sent from an IP address (IPv6 without brackets).
 * @throws SourceError when there are more lines with something on them than can be watched.
 */
export function readDispatcherList(
  content: DecodedText | string,
  path: string,
  isLocal: (address: string) => boolean,
): Findings {
  const { text, latin1Lines } = typeof content === 'string' ? decoded(content) : content;
  const entries = new Map<string, Entry>();
  const skipped: Skipped[] = [];
  const reader = new TargetReader(isLocal);
  for (const [index, lineText] of text.split('\n').entries()) {
    const place = `${path}:${index + 1}`;
    const isLatin1 = latin1Lines.has(index + 1);
    const line = readLine(lineText, isLatin1);
    if (line.kind === 'nothing') continue;
    const report = (reason: string) => skipped.push(remark(place, reason));
    if (line.kind === 'bad') report(line.why);
    else if (isLatin1 && !IS_ASCII.test(line.uri)) report('the URI is not UTF-8');
    else if (isLatin1) {
      report('the line is not UTF-8; it is read as ISO-8859-1');
      addEntry(entries, line, place, reader, report);
    } else addEntry(entries, line, place, reader, report);
    if (entries.size + skipped.length > MAX_ENTRIES) throw tooManyEntries(path);
  }
  return { found: [...entries.values()].flatMap((entry) => foundOf(entry, skipped)), skipped };
}

function addEntry(
  entries: Map<string, Entry>,
  { setid, uri: uriText, flags, attrs, rest }: Written,
  place: string,
  reader: TargetReader,
  report: Report,
): void {
  // Inactive, trying and probing are states to begin with; names we resolve ourselves (16).
  if (flags & FLAG_DISABLED) return void report(`${uriText}: disabled (flag ${FLAG_DISABLED})`);
  if (flags & FLAG_NO_PING) return void report(`${uriText}: not pinged (flag ${FLAG_NO_PING})`);
  const attributes = readAttributes(attrs);
  try {
    const target = reader.read(uriText, attributes, report);
    if (attributes.rest !== '') {
      report(`expected attributes name=value;…, got ${JSON.stringify(attributes.rest)}: not used`);
    }
    if (rest !== '') {
      const got = JSON.stringify(rest.slice(0, 120));
      report(`attributes end at a blank: ${got} is not used, and Kamailio passes over it too`);
    }
    const { name } = target;
    const sets = { setids: new Set<string>(), duids: new Set<string>() };
    const entry = entries.get(name) ?? { place, target, ...sets };
    entries.set(name, entry);
    entry.setids.add(setid);
    const duid = attributes.values.get('duid') ?? '';
    if (duid !== '') entry.duids.add(duid);
  } catch (error) {
    if (!(error instanceof UriError || error instanceof UnusableSocket)) throw error;
    report(error.message);
  }
}

function foundOf(
  { place, target, setids, duids }: Entry,
  skipped: Skipped[],
): readonly FoundDestination[] {
  const { uri, name, settings } = target;
  const fault = nameFault(name);
  if (fault !== undefined) {
    skipped.push({ place, reason: fault });
    return [];
  }
  const duid = duids.size === 0 ? {} : { duid: [...duids].join(',') };
  const labels = { setid: [...setids].join(','), ...duid };
  const ownName = name === uri ? {} : { name };
  return [{ place, owner: undefined, entry: { uri, ...ownName, labels, ...settings } }];
}
