/**
 * Writes protobuf messages from their end to their beginning, so that the length of each part is known
 * when the bytes that say it are written (https://protobuf.dev/programming-guides/encoding).
 */

const FIRST_BYTES = 16 * 1024;
/** Enough for a tag, a length and a number. */
const MARGIN = 32;

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;

export class ReverseWriter {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  /** Where the last byte that was written is. */
  #at = FIRST_BYTES;

  /** Bytes written. */
  get length(): number {
    return this.#bytes.length - this.#at;
  }

  /** What was written, valid until the next call. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }

  /** The same as a string of one character for each byte. */
  text(): string {
    return this.#bytes.toString('latin1', this.#at);
  }

  clear(): void {
    this.#at = this.#bytes.length;
  }

  /** Ends a field with a message in it, which was written since the length was `end`. */
  message(field: number, end: number): void {
    this.varint(this.length - end);
    this.#tag(field, LENGTH_DELIMITED);
  }

  /** @param bytes one character for each byte. */
  raw(bytes: string): void {
    this.#reserve(bytes.length);
    this.#at -= bytes.length;
    // A loop: a call of `write` costs more than the hundred bytes of most labels.
    const [all, at] = [this.#bytes, this.#at];
    for (let i = 0; i < bytes.length; i++) all[at + i] = bytes.charCodeAt(i);
  }

  string(field: number, text: string): void {
    const length = Buffer.byteLength(text);
    this.#reserve(length);
    this.#at -= length;
    this.#bytes.write(text, this.#at);
    this.varint(length);
    this.#tag(field, LENGTH_DELIMITED);
  }

  double(field: number, value: number): void {
    this.#reserve(0);
    this.#at -= 8;
    this.#view.setFloat64(this.#at, value, true);
    this.#tag(field, FIXED64);
  }

  /** A whole number, not negative. */
  uint(field: number, value: number): void {
    this.varint(value);
    this.#tag(field, VARINT);
  }

  /** A number of the type `sint32` or `sint64`. */
  sint(field: number, value: number): void {
    this.uint(field, zigzag(value));
  }

  /** Items of a packed field of signed numbers, the last one first; {@link message} ends it. */
  packedSint(value: number): void {
    this.varint(zigzag(value));
  }

  #tag(field: number, type: number): void {
    this.varint(8 * field + type);
  }

  /** A number alone, such as the length before a message. */
  varint(value: number): void {
    this.#reserve(0);
    let size = 1;
    for (let rest = value; rest >= 128; rest /= 128) size++;
    this.#at -= size;
    let rest = value;
    for (let i = 0; i < size - 1; i++) {
      this.#bytes[this.#at + i] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at + size - 1] = rest;
  }

  /** Makes room for so many bytes, and for what is written before them. */
  #reserve(bytes: number): void {
    if (this.#at >= bytes + MARGIN) return;
    const { length } = this;
    const grown = Buffer.allocUnsafeSlow(2 * (this.#bytes.length + bytes + MARGIN));
    grown.set(this.bytes, grown.length - length);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
    this.#at = grown.length - length;
  }
}

/** Signed numbers as unsigned ones, those near 0 first. */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}
