import type { ResolutionFailure } from '../../shared/resolution.js';

/** What is asked of the DNS, and what it answers. */

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
  /** Lower case, without its last dot; empty when there is no such service. */
  readonly target: string;
  readonly ttlSeconds: number;
}

/** RFC 3403 4.1, as far as RFC 3263 4.1 needs it. */
export interface NaptrRecord {
  readonly type: 'NAPTR';
  readonly order: number;
  readonly preference: number;
  /** Lower case: `s` leads to SRV records, `a` to addresses. */
  readonly flags: string;
  /** Upper case: `SIP+D2U`. */
  readonly service: string;
  /** Lower case, without its last dot. */
  readonly replacement: string;
  readonly ttlSeconds: number;
}

export type DnsRecord = AddressRecord | SrvRecord | NaptrRecord;

export type DnsAnswer =
  | {
      readonly kind: 'records';
      /** At least one, all of the type that was asked for. */
      readonly records: readonly DnsRecord[];
      /** The smallest TTL on the way to them, aliases included. */
      readonly ttlSeconds: number;
      /** Records that the answer had besides; absent for none. */
      readonly cut?: number;
    }
  | { readonly kind: 'failed'; readonly reason: ResolutionFailure; readonly detail: string };

/** Whether it is certain that there are no such records, rather than not known. */
export function isNegativeAnswer(reason: ResolutionFailure): boolean {
  return reason === 'nxdomain' || reason === 'nodata';
}
