/** The setting `ip_protocol`: which address families are pinged. */

import type { IpAddress } from '../../shared/address.js';
import type { IpProtocol } from '../../shared/destination.js';

export function matchesIpProtocol(
  { family }: Pick<IpAddress, 'family'>,
  ipProtocol: IpProtocol,
): boolean {
  return ipProtocol === 'any' || ipProtocol === `ip${family}`;
}
