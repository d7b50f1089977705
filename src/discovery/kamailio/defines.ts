/** The names that `#!define` and its variants define. */

export interface Define {
  /** Undefined when only Kamailio knows it. */
  readonly value: string | undefined;
}

/** Names that Kamailio defines itself, with its version, which is unknown here. */
const VERSION_ID = /^KAMAILIO_(?:\d+(?:_\d+)*|VERSION)$/;
/** Maximum depth of nested expansions, and of the characters of all expansions together. */
const MAX_DEPTH = 10;
const MAX_CHARACTERS = 1 << 20;
/** Cost of an expansion in addition to its text, in characters; also for a rejected one. */
const EXPANSION_COST = 64;

export class Defines {
  readonly #defines = new Map<string, Define>([['OS_NAME', { value: undefined }]]);
  #expanded = 0;

  get(name: string): Define | undefined {
    return this.#defines.get(name);
  }

  /** Defines a name. Returns what is wrong; undefined if nothing is. */
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

  /** Whether `name` is defined, and why that is uncertain if it is. */
  test(name: string): { readonly isDefined: boolean; readonly doubt: string | undefined } {
    const define = this.#defines.get(name);
    if (define === undefined && VERSION_ID.test(name)) {
      return {
        isDefined: false,
        doubt: `the version of Kamailio is unknown: ${name} counts as not defined`,
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
      ? `defines refer to each other, or more than ${MAX_DEPTH} are nested`
      : undefined;
  }
}
