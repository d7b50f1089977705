/** Distributes destinations among several exporters. */

import { createHash } from 'node:crypto';

/** One of `total` shards, counted from 0. */
export interface Shard {
  readonly ordinal: number;
  readonly total: number;
}

/** Whether the destination with this name is in the shard: the MD5 of the name modulo `total`. */
export function isInShard(name: string, { ordinal, total }: Shard): boolean {
  if (total === 1) return true;
  const digest = createHash('md5').update(name).digest();
  return Number(digest.readBigUInt64BE() % BigInt(total)) === ordinal;
}
