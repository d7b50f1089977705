/** Reads the results of `dispatcher.list`, `keepalive.list` and `uac.reg_dump`. */

import type { KamailioList } from '../../config/source-settings.js';
import { isMapping, kindOf, show } from '../../platform/values.js';
import { Destinations } from '../dispatcher/destinations.js';
import type { Findings, Listing, Remark } from '../found.js';
import { MAX_ENTRIES, tooManyEntries } from '../limits.js';
import { reporter } from '../remark.js';
import { SourceError } from '../source-error.js';
import { readDispatcherEntry } from './dispatcher-entry.js';
import type { ListedEntry } from './entry.js';
import { type Located, mappingsWith } from './fields.js';
import { readKeepaliveEntry } from './keepalive-entry.js';
import { readRegistration } from './registration.js';

interface Kind {
  /** The method that returns the list. */
  readonly method: string;
  /** The field that every destination of the list has. */
  readonly field: string;
  readonly read: (located: Located) => ListedEntry;
  /** Whether it may have no destinations. A dispatcher without any is more likely one that lost its sets. */
  readonly mayBeEmpty: boolean;
}

export const LISTS: Readonly<Record<KamailioList, Kind>> = {
  dispatcher: {
    ...{ method: 'dispatcher.list', field: 'URI', mayBeEmpty: false },
    read: readDispatcherEntry,
  },
  keepalive: {
    ...{ method: 'keepalive.list', field: 'uri', mayBeEmpty: true },
    read: readKeepaliveEntry,
  },
  uac: {
    ...{ method: 'uac.reg_dump', field: 'r_domain', mayBeEmpty: true },
    read: readRegistration,
  },
};

export interface ListReading {
  readonly list: KamailioList;
  /** Names of attributes that become labels, in lower case. */
  readonly attributes: readonly string[];
  /** Whether pings can be sent from an IP address (IPv6 without brackets). */
  readonly isLocal: (address: string) => boolean;
}

/**
 * Reads the result of the method of a list. Fields may be missing or elsewhere, as long as the destinations
 * can be found.
 *
 * @throws SourceError when the list has no destinations although it must have some, or too many.
 */
export function readKamailioList(
  result: unknown,
  { list, attributes, isLocal }: ListReading,
): Findings & { readonly listings: readonly Listing[] } {
  const { method, field, read } = LISTS[list];
  const all = mappingsWith(field, result);
  if (all.length > MAX_ENTRIES) throw tooManyEntries(method);
  if (all.length === 0) checkEmpty(list, result);
  const remarks: Remark[] = [];
  const listings: Listing[] = [];
  const destinations = new Destinations(isLocal, attributes);
  // Kamailio's order of the sets depends on how they were loaded; the label `setid` must not.
  const entries = all.map(read).sort((a, b) => Number(a.setid) - Number(b.setid) || 0);
  for (const entry of entries) {
    const { setid, uri, duid, use } = entry;
    const place = `${method}${setid === '' ? '' : ` set ${setid}`} ${show(uri)}`;
    const report = reporter(remarks, place);
    if (use.kind === 'unknown') report('adjusted', use.reason);
    const skipped = use.kind === 'known' ? use.skipped : undefined;
    if (skipped !== undefined) report('skipped', skipped);
    const found = skipped === undefined ? destinations.add(entry, place, report) : undefined;
    if (use.kind === 'known') {
      listings.push({ ...{ found, module: use.module, setid, uri, duid }, ...use.listed });
    }
  }
  if (list === 'keepalive' && all.length === 1 && isMapping(result)) {
    reporter(remarks, method)('adjusted', ONE_OF_MANY);
  }
  return { found: destinations.found(), remarks, listings };
}

const ONE_OF_MANY =
  'Kamailio shows only one of several destinations here; also read its kamailio.cfg (kamailio_cfg)';

/** @throws SourceError */
function checkEmpty(list: KamailioList, result: unknown): void {
  const { method, field, mayBeEmpty } = LISTS[list];
  const isEmpty = typeof result === 'object' && result !== null && Object.keys(result).length === 0;
  if (isEmpty && mayBeEmpty) return;
  const got = typeof result === 'object' && result !== null ? 'none' : kindOf(result);
  throw new SourceError(`${method}: expected destinations with the field ${field}, got ${got}`);
}
