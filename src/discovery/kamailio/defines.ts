/** The names that `#!define` and its variants set. */

export interface Define {
  /** Undefined when it is known to Kamailio only. */
  readonly value: string | undefined;
}

/** Kamailio defines these itself; its version is not known here. */
const VERSION_ID = /^KAMAILIO_(?:\d+(?:_\d+)*|VERSION)$/;
/** Limits of nested expansions, and of the characters of all expansions together. */
const MAX_DEPTH = 10;
const MAX_CHARACTERS = 1 << 20;
/** Cost of an expansion besides its text, in characters; the same for one that is refused. */
const EXPANSION_COST = 64;

export class Defines {
  readonly #defines = new Map<string, Define>([['OS_NAME', { value: undefined }]]);
  #expanded = 0;

  get(name: string): Define | undefined {
    return this.#defines.get(name);
  }

  /** Returns what is wrong, if anything is. */
  set(
    name: string,
    value: string | undefined,
    kind: 'new' | 'if-new' | 'again',
  ): string | undefined {
    const isThere = this.#defines.has(name);
    if (isThere && kind === 'if-new') return undefined;
    if (isThere && kind === 'new')
      return `${name} is already defined: the first definition is used`;
    this.#defines.set(name, { value });
    return undefined;
  }

  delete(name: string): void {
    this.#defines.delete(name);
  }

  /** Whether `name` is defined, and what makes that uncertain. */
  test(name: string): { readonly isDefined: boolean; readonly doubt: string | undefined } {
    const define = this.#defines.get(name);
    if (define === undefined && VERSION_ID.test(name)) {
      return {
        isDefined: false,
        doubt: `the version of Kamailio is not known here: ${name} counts as not defined`,
      };
    }
    return { isDefined: define !== undefined, doubt: undefined };
  }

  /** Why a value cannot be expanded at this depth; undefined when it can. */
  refusal(value: string, depth: number): string | undefined {
    this.#expanded += value.length + EXPANSION_COST;
    if (this.#expanded > MAX_CHARACTERS)
      return `its defines expand to more than ${MAX_CHARACTERS} characters`;
    return depth >= MAX_DEPTH
      ? `defines refer to one another, or more than ${MAX_DEPTH} are nested`
      : undefined;
  }
}
