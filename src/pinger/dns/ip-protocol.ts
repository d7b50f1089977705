/** Addresses of a name, and which of them are pinged. */

import type { IpProtocol } from '../../shared/destination.js';

export interface Address {
  /** IPv6 without brackets. */
  readonly address: string;
  readonly family: 4 | 6;
}

export function matchesIpProtocol({ family }: Address, ipProtocol: IpProtocol): boolean {
  return ipProtocol === 'any' || ipProtocol === `ip${family}`;
}
