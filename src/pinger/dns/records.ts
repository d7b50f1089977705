/** DNS record types that SIP uses (RFC 3263), and the answer to a lookup of one of them. */

import type { ResolutionFailure } from '../../shared/resolution.js';

export type RecordType = 'A' | 'AAAA' | 'SRV' | 'NAPTR';

export interface AddressRecord {
  readonly type: 'A' | 'AAAA';
  /** IPv6 without brackets. */
  readonly address: string;
  readonly ttlSeconds: number;
}

/** RFC 2782. */
export interface SrvRecord {
  readonly type: 'SRV';
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** In lower case, without the final dot; empty when the service is not offered. */
  readonly target: string;
  readonly ttlSeconds: number;
}

/** RFC 3403 4.1, without the fields that RFC 3263 4.1 does not use. */
export interface NaptrRecord {
  readonly type: 'NAPTR';
  readonly order: number;
  readonly preference: number;
  /** In lower case: `s` leads to SRV records, `a` to addresses. */
  readonly flags: string;
  /** In upper case: `SIP+D2U`. */
  readonly service: string;
  /** In lower case, without the final dot. */
  readonly replacement: string;
  readonly ttlSeconds: number;
}

export type DnsRecord = AddressRecord | SrvRecord | NaptrRecord;

export type DnsAnswer =
  | {
      readonly kind: 'records';
      /** At least one; all have the queried type. */
      readonly records: readonly DnsRecord[];
      /** The smallest TTL of the records and of the aliases that led to them. */
      readonly ttlSeconds: number;
      /** Number of records that were dropped because there were too many; absent for none. */
      readonly cut?: number;
    }
  | { readonly kind: 'failed'; readonly reason: ResolutionFailure; readonly detail: string };

/** Whether DNS answered that there are no such records (RFC 2308), as opposed to a failure. */
export function isNegativeAnswer(reason: ResolutionFailure): boolean {
  return reason === 'nxdomain' || reason === 'nodata';
}
