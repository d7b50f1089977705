/** What `#!define` and the like say. */

export interface Define {
  /** Undefined when only Kamailio knows it. */
  readonly value: string | undefined;
}

/** Kamailio's own: which version it is nobody here can know. */
const VERSION_ID = /^KAMAILIO_(?:\d+(?:_\d+)*|VERSION)$/;
/** Expansions within one another, and the characters that all of them may come to. */
const DEEPEST = 10;
const MAX_CHARACTERS = 1 << 20;
/** What an expansion costs besides its text, in characters; one that is refused costs as much. */
const EXPANSION_COST = 64;

export class Defines {
  readonly #defines = new Map<string, Define>([['OS_NAME', { value: undefined }]]);
  #expanded = 0;

  get(name: string): Define | undefined {
    return this.#defines.get(name);
  }

  /** What is wrong with it, if anything is. */
  set(
    name: string,
    value: string | undefined,
    kind: 'new' | 'if-new' | 'again',
  ): string | undefined {
    const isThere = this.#defines.has(name);
    if (isThere && kind === 'if-new') return undefined;
    if (isThere && kind === 'new') return `${name} is defined already: the first definition stands`;
    this.#defines.set(name, { value });
    return undefined;
  }

  delete(name: string): void {
    this.#defines.delete(name);
  }

  /** Whether `name` is defined, and why that is not sure. */
  test(name: string): { readonly isDefined: boolean; readonly lookupError: string | undefined } {
    const define = this.#defines.get(name);
    if (define === undefined && VERSION_ID.test(name)) {
      return {
        isDefined: false,
        lookupError: `the version of Kamailio is not known: ${name} is taken as not defined`,
      };
    }
    return { isDefined: define !== undefined, lookupError: undefined };
  }

  /** Why a value may not be put in at this depth. */
  refusal(value: string, depth: number): string | undefined {
    this.#expanded += value.length + EXPANSION_COST;
    if (this.#expanded > MAX_CHARACTERS) return 'defines come to too much text';
    return depth >= DEEPEST ? 'defines that lead to one another, or too deep' : undefined;
  }
}
