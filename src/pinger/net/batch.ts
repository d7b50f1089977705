/** The memory of a batch of messages for sendmmsg and recvmmsg: headers, vectors, addresses, control data. */

import { Arena, type Part } from './arena.js';
import { CMSGHDR, IOVEC, MMSGHDR, SOCKADDR } from './layout.js';
import type { SockaddrWords } from './sockaddr.js';

/** Maximum number of messages in a batch. */
export const BATCH = 64;

/** Receives a control message: its level and type, and the offset and length of its data. */
export type TakeControl = (level: number, type: number, at: number, length: number) => void;

export interface BatchOptions {
  /** Space for each message. */
  readonly slotBytes: number;
  /** Space for the control data of each message; 0 for none. */
  readonly controlBytes: number;
}

export class Batch {
  readonly slotBytes: number;
  readonly #controlBytes: number;
  readonly #data: Buffer;
  readonly #names: Buffer;
  readonly #vectors: Buffer;
  readonly #control: Buffer;
  readonly #headers: Buffer;
  /** 32-bit views: the upper halves of 64-bit lengths stay 0. */
  readonly #headerWords: Uint32Array;
  readonly #nameWords: Uint32Array;
  readonly #vectorWords: Uint32Array;
  readonly #controlWords: Uint32Array;

  /** Number of bytes of an arena that a batch takes. */
  static bytes({ slotBytes, controlBytes }: BatchOptions): number {
    const each = [slotBytes, SOCKADDR.bytes, IOVEC.bytes, controlBytes, MMSGHDR.bytes];
    return each.reduce((sum, bytes) => sum + Arena.rounded(BATCH * bytes), 0);
  }

  constructor(arena: Arena, { slotBytes, controlBytes }: BatchOptions) {
    const part = (bytes: number): Part => arena.allocate(BATCH * bytes);
    const data = part(slotBytes);
    const names = part(SOCKADDR.bytes);
    const vectors = part(IOVEC.bytes);
    const control = part(controlBytes);
    const headers = part(MMSGHDR.bytes);
    this.slotBytes = slotBytes;
    this.#controlBytes = controlBytes;
    this.#data = data.bytes;
    this.#names = names.bytes;
    this.#vectors = vectors.bytes;
    this.#control = control.bytes;
    this.#headers = headers.bytes;
    this.#headerWords = words(headers.bytes);
    this.#nameWords = words(names.bytes);
    this.#vectorWords = words(vectors.bytes);
    this.#controlWords = words(control.bytes);
    const address = (to: Part, bytes: number, i: number) => to.address + BigInt(i * bytes);
    for (let i = 0; i < BATCH; i++) {
      const vector = i * IOVEC.bytes;
      this.#vectors.writeBigUInt64LE(address(data, slotBytes, i), vector + IOVEC.base);
      this.#vectors.writeBigUInt64LE(BigInt(slotBytes), vector + IOVEC.length);
      const header = i * MMSGHDR.bytes;
      this.#headers.writeBigUInt64LE(address(names, SOCKADDR.bytes, i), header + MMSGHDR.name);
      this.#headers.writeBigUInt64LE(address(vectors, IOVEC.bytes, i), header + MMSGHDR.vector);
      this.#headers.writeBigUInt64LE(1n, header + MMSGHDR.vectorLength);
      if (controlBytes === 0) continue;
      this.#headers.writeBigUInt64LE(address(control, controlBytes, i), header + MMSGHDR.control);
    }
  }

  /** The headers from index `from` on, as an argument of sendmmsg and recvmmsg. */
  headers(from = 0): Buffer {
    return from === 0 ? this.#headers : this.#headers.subarray(from * MMSGHDR.bytes);
  }

  /** Prepares all messages for receiving. */
  clear(): void {
    for (let i = 0; i < BATCH; i++) {
      this.#set(i, MMSGHDR.nameLength, SOCKADDR.bytes);
      this.#set(i, MMSGHDR.controlLength, this.#controlBytes);
    }
  }

  /**
   * Writes message `i`. A message longer than a slot extends into the following slots, so it must be the
   * only one in its batch.
   *
   * @param peer its sockaddr.
   */
  fill(i: number, message: Uint8Array, peer: SockaddrWords): void {
    this.#data.set(message, i * this.slotBytes);
    this.#vectorWords[(i * IOVEC.bytes + IOVEC.length) / 4] = message.length;
    const nameAt = (i * SOCKADDR.bytes) / 4;
    for (let word = 0; word < peer.length; word++) this.#nameWords[nameAt + word] = peer[word] ?? 0;
    this.#set(i, MMSGHDR.nameLength, 4 * peer.length);
  }

  /** Whether a message of this length fits into the whole batch. */
  fits(length: number): boolean {
    return length <= this.#data.length;
  }

  /** The bytes of received message `i`: a view, valid until the next batch. */
  message(i: number): Buffer {
    const start = i * this.slotBytes;
    const length = this.#headerWords[(i * MMSGHDR.bytes + MMSGHDR.length) / 4] ?? 0;
    return this.#data.subarray(start, start + Math.min(length, this.slotBytes));
  }

  /** The sockaddr of message `i`: a view. */
  name(i: number): Buffer {
    const start = i * SOCKADDR.bytes;
    const length = this.#headerWords[(i * MMSGHDR.bytes + MMSGHDR.nameLength) / 4] ?? 0;
    return this.#names.subarray(start, start + Math.min(length, SOCKADDR.bytes));
  }

  /** Calls `take` for each complete control message of message `i`. */
  eachControl(i: number, take: TakeControl): void {
    const first = i * this.#controlBytes;
    const used = this.#headerWords[(i * MMSGHDR.bytes + MMSGHDR.controlLength) / 4] ?? 0;
    const end = first + Math.min(used, this.#controlBytes);
    let at = first;
    while (at + CMSGHDR.bytes <= end) {
      const length = this.word(at + CMSGHDR.length);
      if (length < CMSGHDR.bytes || at + length > end) return;
      const level = this.word(at + CMSGHDR.level);
      const type = this.word(at + CMSGHDR.type);
      take(level, type, at + CMSGHDR.bytes, length - CMSGHDR.bytes);
      at += Math.ceil(length / CMSGHDR.alignment) * CMSGHDR.alignment;
    }
  }

  /** 32 bits of control data. @param at a multiple of 4. */
  word(at: number): number {
    return this.#controlWords[at / 4] ?? 0;
  }

  /** A byte of control data. */
  byte(at: number): number {
    return this.#control[at] ?? 0;
  }

  #set(i: number, field: number, value: number): void {
    this.#headerWords[(i * MMSGHDR.bytes + field) / 4] = value;
  }
}

function words(part: Buffer): Uint32Array {
  return new Uint32Array(part.buffer, part.byteOffset, part.length / 4);
}
