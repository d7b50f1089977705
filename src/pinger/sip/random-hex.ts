import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 64 * 1024;
const HEX = Buffer.from('0123456789abcdef', 'latin1');

/** Cryptographically secure random bytes as hex digits. Bytes are generated in bulk to save time. */
export class RandomHex {
  readonly #pool = new Uint8Array(POOL_BYTES);
  #next = POOL_BYTES;

  /** Writes `bytes` random bytes, as twice as many hex digits, at the offset `at` of `into`. */
  writeHex(into: Uint8Array, at: number, bytes: number): void {
    if (this.#next + bytes > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#next = 0;
    }
    for (let i = 0; i < bytes; i++) {
      const byte = this.#pool[this.#next++] ?? 0;
      into[at + 2 * i] = HEX[byte >> 4] ?? 0;
      into[at + 2 * i + 1] = HEX[byte & 15] ?? 0;
    }
  }

  /** `bytes` random bytes as text. */
  hex(bytes: number): string {
    const digits = Buffer.alloc(2 * bytes);
    this.writeHex(digits, 0, bytes);
    return digits.toString('latin1');
  }
}
