/** Names that are completed by a search list (resolv.conf(5)). */

import type { Location, Unlocated } from './locate.js';
import { isCertain } from './records.js';
import type { ResolvConf } from './resolv-conf.js';

/** RFC 1035 2.3.4, as text. */
const LONGEST_NAME = 253;

/** What `host` may stand for, in the order in which it is tried. */
export function candidates(
  host: string,
  { search, ndots }: Pick<ResolvConf, 'search' | 'ndots'>,
): readonly string[] {
  const completed = search
    .map((domain) => `${host}.${domain}`)
    .filter((name) => name.length <= LONGEST_NAME);
  const dots = host.split('.').length - 1;
  return dots < ndots ? [...completed, host] : [host, ...completed];
}

/** What one of the names came to. */
export interface Attempt {
  readonly location: Location;
  /** There are records of this name, or of a service of it. */
  readonly isThere: boolean;
}

/**
 * Where the first of these names is served for which there is any record. A server's failure at one
 * name leads to the next, as in the C library: many a search list ends in a domain that nobody
 * serves. Silence does not, for it says nothing about the name.
 *
 * @param host what the user wrote, one of the names.
 */
export async function locateFirst(
  host: string,
  names: readonly string[],
  locateOne: (name: string) => Promise<Attempt>,
): Promise<Location> {
  const absent = new Map<string, Unlocated>();
  const withTroubles = <T extends Location>(location: T): T => {
    // That a name is not there is no trouble once another one is.
    const before = [...absent.values()]
      .filter(({ reason }) => location.kind === 'failed' || !isCertain(reason))
      .flatMap(({ troubles }) => troubles);
    return { ...location, troubles: [...before, ...location.troubles] };
  };
  for (const name of names) {
    const { location, isThere } = await locateOne(name);
    if (location.kind === 'located') return withTroubles(location);
    const isAbsent = isCertain(location.reason) || location.reason === 'servfail';
    if (isThere || !isAbsent) return withTroubles(location);
    absent.set(name, location);
  }
  return withTroubles(nowhere(host, absent));
}

/** The failure of a name that is not there however it is completed. */
function nowhere(host: string, absent: ReadonlyMap<string, Unlocated>): Unlocated {
  const failures = [...absent.values()];
  const unknown = failures.find(({ reason }) => !isCertain(reason));
  const failure = unknown ?? absent.get(host) ?? failures[0];
  if (failure === undefined) {
    return {
      kind: 'failed',
      reason: 'nodata',
      why: `no name to look up for ${host}`,
      troubles: [],
    };
  }
  const others = [...absent.keys()].filter((name) => absent.get(name) !== failure);
  const also = others.length === 0 ? '' : ` (nothing either for ${others.join(', ')})`;
  return { ...failure, why: `${failure.why}${also}`, troubles: [] };
}
