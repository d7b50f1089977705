/**
 * Memory that is handed to the kernel. V8 moves what lies on its heap, small Buffers included, so all
 * of it is carved out of one ArrayBuffer, whose memory stays where it is for as long as the arena is
 * referenced.
 */

import type { Libc } from './libc.js';

/** A cache line: no two parts share one. */
const ALIGNMENT = 64;

/** A part of the arena, and its address. */
export interface Part {
  readonly bytes: Buffer;
  readonly address: bigint;
}

export class Arena {
  readonly #memory: ArrayBuffer;
  readonly #address: bigint;
  #used = 0;

  constructor(libc: Libc, bytes: number) {
    this.#memory = new ArrayBuffer(bytes);
    this.#address = libc.address(Buffer.from(this.#memory));
  }

  /** @throws RangeError when the arena is full: it is sized for all of its parts. */
  carve(length: number): Part {
    const start = this.#used;
    if (start + length > this.#memory.byteLength) {
      throw new RangeError(`the arena has ${this.#memory.byteLength - start} bytes, not ${length}`);
    }
    this.#used = Math.ceil((start + length) / ALIGNMENT) * ALIGNMENT;
    return {
      bytes: Buffer.from(this.#memory, start, length),
      address: this.#address + BigInt(start),
    };
  }

  /** What `carve` takes for a part of this length. */
  static rounded(length: number): number {
    return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
  }
}
