import { createHash } from 'node:crypto';
import { setImmediate as nextRound } from 'node:timers/promises';

/** Bytes that are hashed before other work may run: one or two milliseconds. */
const HASH_CHUNK_BYTES = 1 << 20;

/** The SHA-256 of a response, to see that it has not changed. */
export async function digestOf(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let from = 0; from < bytes.length; from += HASH_CHUNK_BYTES) {
    if (from > 0) await nextRound();
    hash.update(bytes.subarray(from, from + HASH_CHUNK_BYTES));
  }
  return hash.digest('base64');
}
