/** Reads destinations from the file of Kamailio's dispatcher module (its parameter `list_file`). */

import { UriError } from '../shared/uri.js';
import { readAttributes } from './dispatcher/attributes.js';
import { FLAG_DISABLED, FLAG_NO_PING, type Line, readLine } from './dispatcher/line.js';
import { UnusableSocket } from './dispatcher/socket.js';
import { type Target, TargetReader } from './dispatcher/target.js';
import type { Findings, FoundDestination, Remark } from './found.js';
import { MAX_ENTRIES, tooManyEntries } from './limits.js';
import { nameProblem } from './names.js';
import { type Report, reporter } from './remark.js';
import { type DecodedText, decoded, READ_AS_LATIN1 } from './text.js';

/** All lines for one destination name. */
interface Group {
  /** Place of the first line. */
  readonly place: string;
  readonly target: Target;
  readonly setids: Set<string>;
  readonly duids: Set<string>;
}

const IS_ASCII = /^\p{ASCII}*$/u;

type EntryLine = Extract<Line, { kind: 'entry' }>;

/**
 * Reads a dispatcher.list. A URI in several sets is one destination, unless it is pinged from different
 * addresses, through different proxies or with different From headers.
 *
 * @param path of the file, for the places.
 * @param isLocal whether pings can be sent from an IP address (IPv6 without brackets).
 * @throws SourceError when the file has more entries than can be monitored.
 */
export function readDispatcherList(
  content: DecodedText | string,
  path: string,
  isLocal: (address: string) => boolean,
): Findings {
  const { text, latin1Lines } = typeof content === 'string' ? decoded(content) : content;
  const groups = new Map<string, Group>();
  const remarks: Remark[] = [];
  const reader = new TargetReader(isLocal);
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
      addLine(groups, line, place, reader, report);
    }
    if (groups.size + remarks.length > MAX_ENTRIES) throw tooManyEntries(path);
  }
  return { found: [...groups.values()].flatMap((group) => destinationOf(group, remarks)), remarks };
}

function addLine(
  groups: Map<string, Group>,
  { setid, uri: uriText, flags, attrs, rest }: EntryLine,
  place: string,
  reader: TargetReader,
  report: Report,
): void {
  // Flags 1, 2 and 8 are initial states. Flag 16 is about DNS, which is always used here.
  if (flags & (FLAG_DISABLED | FLAG_NO_PING)) {
    const flag = flags & FLAG_DISABLED ? 'disabled (flag 4)' : 'not to be pinged (flag 32)';
    report('skipped', `${uriText}: ${flag}`);
    return;
  }
  const attributes = readAttributes(attrs);
  try {
    const target = reader.read(uriText, attributes, (reason) => report('adjusted', reason));
    if (attributes.rest !== '') {
      const got = JSON.stringify(attributes.rest);
      report('adjusted', `expected attributes name=value;…, got ${got}: ignored`);
    }
    if (rest !== '') {
      const got = JSON.stringify(rest.slice(0, 120));
      report('adjusted', `attributes end at a space, also in Kamailio: ${got} is ignored`);
    }
    const { name } = target;
    const group = groups.get(name) ?? { place, target, setids: new Set(), duids: new Set() };
    groups.set(name, group);
    group.setids.add(setid);
    const duid = attributes.values.get('duid') ?? '';
    if (duid !== '') group.duids.add(duid);
  } catch (error) {
    if (!(error instanceof UriError || error instanceof UnusableSocket)) throw error;
    report('skipped', error.message);
  }
}

function destinationOf(
  { place, target, setids, duids }: Group,
  remarks: Remark[],
): readonly FoundDestination[] {
  const { uri, name, settings } = target;
  const problem = nameProblem(name);
  if (problem !== undefined) {
    reporter(remarks, place)('skipped', problem);
    return [];
  }
  const duid = duids.size === 0 ? {} : { duid: [...duids].join(',') };
  const labels = { setid: [...setids].join(','), ...duid };
  const ownName = name === uri ? {} : { name };
  return [{ place, owner: undefined, entry: { uri, ...ownName, labels, ...settings } }];
}
