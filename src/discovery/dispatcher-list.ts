/** Destinations from the file of Kamailio's dispatcher module (its parameter `list_file`). */

import type { Findings, Found, Skipped } from '../shared/found.js';
import { UriError } from '../shared/uri.js';
import { readAttributes } from './dispatcher/attributes.js';
import { FLAG_DISABLED, FLAG_NO_PING, type Line, readLine } from './dispatcher/line.js';
import { SETTINGS, type Settings, TargetReader } from './dispatcher/settings.js';
import { nameFault } from './names.js';

/** A destination, with all the lines that name it. */
interface Entry {
  readonly place: string;
  readonly uri: string;
  readonly settings: Settings;
  readonly setids: Set<string>;
  readonly duids: Set<string>;
}

type Written = Extract<Line, { kind: 'entry' }>;

/**
 * Reads a dispatcher.list. Sets say who shares traffic, not whom to ping: a URI that is in several
 * of them is one destination, unless it is pinged from elsewhere, through another proxy and the like.
 *
 * @param path of the file, for the places.
 * @param isLocal whether pings can be sent from an IP address (IPv6 without brackets).
 */
export function readDispatcherList(
  text: string,
  path: string,
  isLocal: (address: string) => boolean,
): Findings {
  const entries = new Map<string, Entry>();
  const skipped: Skipped[] = [];
  const reader = new TargetReader(isLocal);
  text.split('\n').forEach((lineText, index) => {
    const place = `${path}:${index + 1}`;
    const line = readLine(lineText);
    const report = (reason: string) => skipped.push({ place, reason });
    if (line.kind === 'bad') report(line.why);
    if (line.kind === 'entry') addEntry(entries, line, place, reader, report);
  });
  return { found: named([...entries.values()], skipped), skipped };
}

function addEntry(
  entries: Map<string, Entry>,
  { setid, uri: uriText, flags, attrs }: Written,
  place: string,
  reader: TargetReader,
  report: (reason: string) => void,
): void {
  // Inactive, trying and probing are states to begin with; names we resolve ourselves (16).
  if (flags & FLAG_DISABLED) return void report(`${uriText}: disabled (flag ${FLAG_DISABLED})`);
  if (flags & FLAG_NO_PING) return void report(`${uriText}: not pinged (flag ${FLAG_NO_PING})`);
  const attributes = readAttributes(attrs);
  try {
    const { uri, settings } = reader.read(uriText, attributes, report);
    if (attributes.rest !== '') {
      report(`expected attributes name=value;…, got ${JSON.stringify(attributes.rest)}: not used`);
    }
    const key = keyOf(uri, settings);
    const entry = entries.get(key) ?? {
      ...{ place, uri, settings },
      ...{ setids: new Set<string>(), duids: new Set<string>() },
    };
    entries.set(key, entry);
    entry.setids.add(setid);
    const duid = attributes.values.get('duid') ?? '';
    if (duid !== '') entry.duids.add(duid);
  } catch (error) {
    if (!(error instanceof UriError)) throw error;
    report(error.message);
  }
}

/** No part of it has a line break. */
function keyOf(uri: string, settings: Settings): string {
  let key = uri;
  for (const name of SETTINGS) key += `\n${settings[name] ?? ''}`;
  return key;
}

function named(entries: readonly Entry[], skipped: Skipped[]): Found[] {
  const byUri = new Map<string, Entry[]>();
  for (const entry of entries) {
    const others = byUri.get(entry.uri);
    if (others === undefined) byUri.set(entry.uri, [entry]);
    else others.push(entry);
  }
  const several = [...byUri.values()].filter(({ length }) => length > 1);
  const nameOf = new Map(several.flatMap(namesOf));
  return entries.flatMap((entry) => {
    const { place, uri, settings, setids, duids } = entry;
    const name = nameOf.get(entry) ?? uri;
    const fault = nameFault(name);
    if (fault !== undefined) {
      skipped.push({ place, reason: fault });
      return [];
    }
    const duid = duids.size === 0 ? {} : { duid: [...duids].join(',') };
    const labels = { setid: [...setids].join(','), ...duid };
    const ownName = name === uri ? {} : { name };
    return [{ place, owner: undefined, entry: { uri, ...ownName, labels, ...settings } }];
  });
}

/** `URI via X`, X being what tells it from the others with this URI, whatever their order. */
function namesOf(entries: readonly Entry[]): [Entry, string][] {
  const isTelling = (key: (typeof SETTINGS)[number]) =>
    new Set(entries.map(({ settings }) => settings[key])).size > 1;
  const telling = SETTINGS.filter(isTelling);
  const taken = new Set<string>();
  return entries.map((entry) => {
    const { uri, settings } = entry;
    const given = telling.filter((key) => settings[key] !== undefined);
    const short = given.map((key) => settings[key]).join(', ');
    const long = given.map((key) => `${key} ${settings[key]}`).join(', ');
    const name = given.length === 0 ? uri : `${uri} via ${taken.has(short) ? long : short}`;
    taken.add(short);
    return [entry, name];
  });
}
