/** Names that are completed by a search list (resolv.conf(5)). */

import type { LocateFailure, LocateResult } from './locate.js';
import { isNegativeAnswer } from './records.js';
import type { ResolvConf } from './resolv-conf.js';

/** RFC 1035 2.3.4, as text. */
const MAX_NAME_LENGTH = 253;

/** What `host` may stand for, in the order in which it is tried. */
export function completedNames(
  host: string,
  { search, ndots }: Pick<ResolvConf, 'search' | 'ndots'>,
): readonly string[] {
  const completed = search
    .map((domain) => `${host}.${domain}`)
    .filter((name) => name.length <= MAX_NAME_LENGTH);
  const dots = host.split('.').length - 1;
  return dots < ndots ? [...completed, host] : [host, ...completed];
}

/** What one of the names came to. */
export interface NameResult {
  readonly result: LocateResult;
  /** There are records of this name, or of a service of it. */
  readonly hasRecords: boolean;
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
  locateOne: (name: string) => Promise<NameResult>,
): Promise<LocateResult> {
  const absent = new Map<string, LocateFailure>();
  const withTroubles = <T extends LocateResult>(result: T): T => {
    // That a name is not there is no trouble once another one is.
    const before = [...absent.values()]
      .filter(({ reason }) => result.kind === 'failed' || !isNegativeAnswer(reason))
      .flatMap(({ errors }) => errors);
    return { ...result, errors: [...before, ...result.errors] };
  };
  for (const name of names) {
    const { result, hasRecords } = await locateOne(name);
    if (result.kind === 'located') return withTroubles(result);
    const isAbsent = isNegativeAnswer(result.reason) || result.reason === 'servfail';
    if (hasRecords || !isAbsent) return withTroubles(result);
    absent.set(name, result);
  }
  return withTroubles(nowhere(host, absent));
}

/** The failure of a name that is not there however it is completed. */
function nowhere(host: string, absent: ReadonlyMap<string, LocateFailure>): LocateFailure {
  const failures = [...absent.values()];
  const unknown = failures.find(({ reason }) => !isNegativeAnswer(reason));
  const failure = unknown ?? absent.get(host) ?? failures[0];
  if (failure === undefined) {
    return {
      kind: 'failed',
      reason: 'nodata',
      detail: `no name to look up for ${host}`,
      errors: [],
    };
  }
  const others = [...absent.keys()].filter((name) => absent.get(name) !== failure);
  const also = others.length === 0 ? '' : ` (nothing either for ${others.join(', ')})`;
  return { ...failure, detail: `${failure.detail}${also}`, errors: [] };
}
