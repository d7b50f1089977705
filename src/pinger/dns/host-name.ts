/** Names that records lead to: which of them can be looked up. */

import { readAddress } from '../../shared/address.js';

/** RFC 1035 2.3.4; underscores as in RFC 2782. */
const LONGEST_NAME = 253;
const LABEL = /^[a-z0-9_-]{1,63}$/;
const LONGEST_SHOWN = 60;

/**
 * Why a record's name leads nowhere; undefined when it can be looked up.
 *
 * @param name lower case, without its last dot.
 */
export function hostNameFault(name: string): string | undefined {
  const ip = readAddress(name);
  if (ip !== undefined) return `${name} is an address, where a name is wanted (RFC 2782)`;
  const labels = name.split('.');
  if (name.length <= LONGEST_NAME && labels.every((label) => LABEL.test(label))) return undefined;
  const shown = name.length > LONGEST_SHOWN ? `${name.slice(0, LONGEST_SHOWN)}…` : name;
  return `${JSON.stringify(shown)} is no name of a host`;
}
