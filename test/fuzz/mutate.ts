/** Mutations of inputs: bytes, lengths, numbers, words of the format, parts of other inputs. */

import type { Random } from './random.js';

/** Returns a changed copy. */
export type Mutation = (input: Buffer, random: Random) => Buffer;

/** Longer inputs are truncated. */
export const MAX_LENGTH = 64 * 1024;
const MAX_CHANGES = 6;
const MAX_REPEATS = 2000;
const BYTES = [0, 1, 9, 10, 13, 32, 34, 35, 44, 58, 59, 61, 92, 127, 128, 192, 255] as const;
const NUMBERS = [
  ...(['0', '1', '-1', '65535', '65536', '2147483647', '2147483648'] as const),
  ...(['4294967296', '99999999999999999999', '00000000000000000001'] as const),
] as const;
const WORDS = [0, 1, 2, 12, 255, 256, 0x7fff, 0x8000, 0xc00c, 0xfffe, 0xffff] as const;

const flipBit: Mutation = (input, random) => {
  const changed = Buffer.from(input);
  const at = random.below(changed.length);
  if (at < changed.length) changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
  return changed;
};

const setByte: Mutation = (input, random) => {
  const changed = Buffer.from(input);
  const at = random.below(changed.length);
  if (at < changed.length) changed[at] = random.pick(BYTES);
  return changed;
};

/** Two bytes in network order, as lengths and counts of binary formats. */
const setWord: Mutation = (input, random) => {
  if (input.length < 2) return input;
  const changed = Buffer.from(input);
  const at = random.below(changed.length - 1);
  const near = changed.readUInt16BE(at) + random.below(5) - 2;
  const value = random.below(2) === 0 ? random.pick(WORDS) : near;
  changed.writeUInt16BE(value & 0xffff, at);
  return changed;
};

const remove: Mutation = (input, random) => {
  const { start, end } = range(input, random);
  return Buffer.concat([input.subarray(0, start), input.subarray(end)]);
};

const cut: Mutation = (input, random) => input.subarray(0, random.below(input.length));

const repeat: Mutation = (input, random) => {
  const { start, end } = range(input, random);
  const piece = input.subarray(start, Math.min(end, start + 64));
  const max = Math.min(MAX_REPEATS, Math.floor(MAX_LENGTH / Math.max(piece.length, 1)));
  const times = random.below(8) === 0 ? random.below(max) : random.below(4);
  const pieces = Array.from({ length: times }, () => piece);
  return Buffer.concat([input.subarray(0, start), ...pieces, input.subarray(start)]);
};

const move: Mutation = (input, random) => {
  const { start, end } = range(input, random);
  const piece = Buffer.from(input.subarray(start, end));
  return insert(remove(input, random), piece, random);
};

const changeNumber: Mutation = (input, random) => {
  const text = input.toString('latin1');
  const numbers = [...text.matchAll(/\d+/g)];
  const chosen = numbers[random.below(numbers.length)];
  if (chosen === undefined) return input;
  const [digits] = chosen;
  const before = text.slice(0, chosen.index);
  const after = text.slice(chosen.index + digits.length);
  return Buffer.from(`${before}${random.pick(NUMBERS)}${after}`, 'latin1');
};

const GENERAL = [
  ...([flipBit, setByte, setWord, remove, cut, repeat, move, changeNumber] as const),
] as const;

/** Makes new inputs from known ones. */
export class Mutator {
  readonly #random: Random;
  readonly #mutations: readonly [Mutation, ...Mutation[]];

  /**
   * @param dictionary words of the format.
   * @param own mutations that know the format.
   */
  constructor(random: Random, dictionary: readonly string[], own: readonly Mutation[]) {
    this.#random = random;
    const [first, ...others] = dictionary.map((word) => Buffer.from(word, 'latin1'));
    const words: readonly Mutation[] =
      first === undefined
        ? []
        : [(input) => insert(input, random.pick([first, ...others]), random)];
    // Mutations of the format are about as likely as the others together.
    this.#mutations = [...GENERAL, ...words, ...words, ...own, ...own, ...own];
  }

  /** @param known at least one. */
  make(known: readonly [Buffer, ...Buffer[]]): Buffer {
    const random = this.#random;
    let input = random.pick(known);
    if (random.below(8) === 0) input = spliced(input, random.pick(known), random);
    for (let changes = 1 + random.below(MAX_CHANGES); changes > 0; changes--) {
      input = random.pick(this.#mutations)(input, random).subarray(0, MAX_LENGTH);
    }
    return input;
  }
}

function spliced(head: Buffer, tail: Buffer, random: Random): Buffer {
  const end = head.subarray(0, random.below(head.length));
  return Buffer.concat([end, tail.subarray(random.below(tail.length))]);
}

function insert(input: Buffer, piece: Buffer, random: Random): Buffer {
  const at = random.below(input.length + 1);
  const isOver = random.below(2) === 0;
  const rest = input.subarray(isOver ? Math.min(at + piece.length, input.length) : at);
  return Buffer.concat([input.subarray(0, at), piece, rest]);
}

function range(input: Buffer, random: Random): { readonly start: number; readonly end: number } {
  const start = random.below(input.length);
  const max = random.below(4) === 0 ? input.length - start : 16;
  return { start, end: Math.min(input.length, start + 1 + random.below(max)) };
}
