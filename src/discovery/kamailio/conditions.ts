/** Which branches of `#!ifdef`, `#!else` and `#!endif` are used. */

interface Condition {
  /** Of its beginning: `file:line`. */
  readonly place: string;
  isUsed: boolean;
}

export class Conditions {
  readonly #open: Condition[] = [];
  /** Open conditions whose current branch is not used. */
  #unused = 0;

  get isSkipping(): boolean {
    return this.#unused > 0;
  }

  /** The places of conditions that have no `#!endif`. */
  get open(): readonly string[] {
    return this.#open.map(({ place }) => place);
  }

  begin(place: string, isUsed: boolean): void {
    this.#open.push({ place, isUsed });
    if (!isUsed) this.#unused++;
  }

  /** `#!else`. False when no condition is open. */
  invert(): boolean {
    const condition = this.#open.at(-1);
    if (condition === undefined) return false;
    this.#unused += condition.isUsed ? 1 : -1;
    condition.isUsed = !condition.isUsed;
    return true;
  }

  /** `#!endif`. False when no condition is open. */
  end(): boolean {
    const condition = this.#open.pop();
    if (condition?.isUsed === false) this.#unused--;
    return condition !== undefined;
  }
}
