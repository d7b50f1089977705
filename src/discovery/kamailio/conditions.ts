/** Tracks which branches of `#!ifdef`, `#!else` and `#!endif` are used. */

interface Condition {
  /** Place of its beginning: `file:line`. */
  readonly place: string;
  isUsed: boolean;
}

export class Conditions {
  readonly #open: Condition[] = [];
  /** Number of open conditions whose current branch is not used. */
  #unused = 0;

  get isSkipping(): boolean {
    return this.#unused > 0;
  }

  /** The places of conditions without `#!endif` so far. */
  get open(): readonly string[] {
    return this.#open.map(({ place }) => place);
  }

  begin(place: string, isUsed: boolean): void {
    this.#open.push({ place, isUsed });
    if (!isUsed) this.#unused++;
  }

  /** Handles `#!else`. Returns false when no condition is open. */
  invert(): boolean {
    const condition = this.#open.at(-1);
    if (condition === undefined) return false;
    this.#unused += condition.isUsed ? 1 : -1;
    condition.isUsed = !condition.isUsed;
    return true;
  }

  /** Handles `#!endif`. Returns false when no condition is open. */
  end(): boolean {
    const condition = this.#open.pop();
    if (condition?.isUsed === false) this.#unused--;
    return condition !== undefined;
  }
}
