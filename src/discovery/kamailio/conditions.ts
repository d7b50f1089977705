/** Which branches of `#!ifdef`, `#!else` and `#!endif` are taken. */

interface Condition {
  /** Where it began: `file:line`. */
  readonly place: string;
  isTaken: boolean;
}

export class Conditions {
  readonly #open: Condition[] = [];
  /** How many of them are not taken. */
  #untaken = 0;

  get isSkipping(): boolean {
    return this.#untaken > 0;
  }

  /** The places of those that were never closed. */
  get open(): readonly string[] {
    return this.#open.map(({ place }) => place);
  }

  begin(place: string, isTaken: boolean): void {
    this.#open.push({ place, isTaken });
    if (!isTaken) this.#untaken++;
  }

  /** False when there is none to turn. */
  turn(): boolean {
    const condition = this.#open.at(-1);
    if (condition === undefined) return false;
    this.#untaken += condition.isTaken ? 1 : -1;
    condition.isTaken = !condition.isTaken;
    return true;
  }

  /** False when there is none to end. */
  end(): boolean {
    const condition = this.#open.pop();
    if (condition?.isTaken === false) this.#untaken--;
    return condition !== undefined;
  }
}
