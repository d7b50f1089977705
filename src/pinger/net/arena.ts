/**
 * Memory whose address is passed to the kernel. V8 may move objects on its heap, including small
 * Buffers, so all parts are taken from one ArrayBuffer, which does not move while the arena is
 * referenced.
 */

import type { Libc } from './libc.js';

/** Size of a cache line in bytes: no two parts share one. */
const ALIGNMENT = 64;

/** A part of the arena, and its memory address. */
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

  /** @throws RangeError when the arena is full: its size must cover all parts. */
  allocate(length: number): Part {
    const start = this.#used;
    if (start + length > this.#memory.byteLength) {
      const left = this.#memory.byteLength - start;
      throw new RangeError(`expected ${length} free bytes in the arena, got ${left}`);
    }
    this.#used = Math.ceil((start + length) / ALIGNMENT) * ALIGNMENT;
    return {
      bytes: Buffer.from(this.#memory, start, length),
      address: this.#address + BigInt(start),
    };
  }

  /** Number of bytes of the arena that a part of this length takes, with padding. */
  static rounded(length: number): number {
    return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
  }
}
