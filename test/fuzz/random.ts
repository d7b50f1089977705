/** Reproducible random numbers (xorshift128, Marsaglia 2003). */
export class Random {
  readonly #state: Uint32Array;

  constructor(seed: number) {
    this.#state = Uint32Array.of(seed, 0x9e3779b9, 0x243f6a88, 0xb7e15162);
    for (let i = 0; i < 16; i++) this.next();
  }

  /** 0 to 2^32 - 1. */
  next(): number {
    const state = this.#state;
    const [a = 0, , , d = 0] = state;
    let t = a ^ (a << 11);
    t ^= t >>> 8;
    state.copyWithin(0, 1);
    state[3] = d ^ (d >>> 19) ^ t;
    return state[3] ?? 0;
  }

  /** 0 to `end` - 1. */
  below(end: number): number {
    return end <= 0 ? 0 : this.next() % end;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }
}
