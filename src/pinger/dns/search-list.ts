/** Completes names with a search list (resolv.conf(5)). */

import type { LocateFailure, LocateResult } from './locate.js';
import { isNegativeAnswer } from './records.js';
import type { ResolvConf } from './resolv-conf.js';

/** RFC 1035 2.3.4: 255 bytes on the wire are 253 as text. */
const MAX_NAME_LENGTH = 253;

/** The names that `host` may stand for, in the order in which they are tried. */
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

/** The result for one of the names. */
export interface NameResult {
  readonly result: LocateResult;
  /** Whether the name, or a service of it, has records. */
  readonly hasRecords: boolean;
}

/**
 * The result for the first name that has records. After SERVFAIL the next name is tried, as in the C
 * library, because many search lists contain a domain without a server. A timeout ends the search,
 * because it says nothing about the name.
 *
 * @param host as the user wrote it; one of the names.
 */
export async function locateFirst(
  host: string,
  names: readonly string[],
  locateOne: (name: string) => Promise<NameResult>,
): Promise<LocateResult> {
  const absent = new Map<string, LocateFailure>();
  const withEarlierErrors = <T extends LocateResult>(result: T): T => {
    // A name that does not exist is not an error if another one exists.
    const earlier = [...absent.values()]
      .filter(({ reason }) => result.kind === 'failed' || !isNegativeAnswer(reason))
      .flatMap(({ errors }) => errors);
    return { ...result, errors: [...earlier, ...result.errors] };
  };
  for (const name of names) {
    const { result, hasRecords } = await locateOne(name);
    if (result.kind === 'located') return withEarlierErrors(result);
    const isAbsent = isNegativeAnswer(result.reason) || result.reason === 'servfail';
    if (hasRecords || !isAbsent) return withEarlierErrors(result);
    absent.set(name, result);
  }
  return withEarlierErrors(noSuchName(host, absent));
}

/** The failure of a name that does not exist with any completion. */
function noSuchName(host: string, absent: ReadonlyMap<string, LocateFailure>): LocateFailure {
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
  const also = others.length === 0 ? '' : ` (also tried ${others.join(', ')})`;
  return { ...failure, detail: `${failure.detail}${also}`, errors: [] };
}
