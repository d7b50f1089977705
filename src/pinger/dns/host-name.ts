/** Checks whether host names in DNS records can be looked up. */

import { readAddress } from '../../shared/address.js';

/** RFC 1035 2.3.4; underscores as in RFC 2782. */
const MAX_NAME_LENGTH = 253;
const LABEL = /^[a-z0-9_-]{1,63}$/;
const MAX_QUOTED_LENGTH = 60;

/**
 * Why a name in a record cannot be looked up; undefined when it can.
 *
 * @param name in lower case, without the final dot.
 */
export function hostNameProblem(name: string): string | undefined {
  if (readAddress(name) !== undefined) {
    return `${name} is an IP address, not a host name (RFC 2782)`;
  }
  const isValid =
    name.length <= MAX_NAME_LENGTH && name.split('.').every((label) => LABEL.test(label));
  if (isValid) return undefined;
  const quoted = name.length > MAX_QUOTED_LENGTH ? `${name.slice(0, MAX_QUOTED_LENGTH)}…` : name;
  return `${JSON.stringify(quoted)} is not a host name`;
}
