/** Names that records lead to: which of them can be looked up. */

import { readAddress } from '../../shared/address.js';

/** RFC 1035 2.3.4; underscores as in RFC 2782. */
const MAX_NAME_LENGTH = 253;
const LABEL = /^[a-z0-9_-]{1,63}$/;
const MAX_SHOWN_LENGTH = 60;

/**
 * Why a record's name leads nowhere; undefined when it can be looked up.
 *
 * @param name lower case, without its last dot.
 */
export function hostNameProblem(name: string): string | undefined {
  const ip = readAddress(name);
  if (ip !== undefined) return `${name} is an address, where a name is wanted (RFC 2782)`;
  const labels = name.split('.');
  if (name.length <= MAX_NAME_LENGTH && labels.every((label) => LABEL.test(label)))
    return undefined;
  const shown = name.length > MAX_SHOWN_LENGTH ? `${name.slice(0, MAX_SHOWN_LENGTH)}…` : name;
  return `${JSON.stringify(shown)} is no name of a host`;
}
