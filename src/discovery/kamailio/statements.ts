/** `modparam("module", "name", value)` among all that a kamailio.cfg says. */

import type { Placed, Preprocessor } from './preprocessor.js';

export type Value =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number }
  /** Only Kamailio knows it; `why` says so. */
  | { readonly kind: 'unknown'; readonly why: string };

export interface ModParam {
  readonly place: string;
  readonly module: Value;
  readonly name: Value;
  /** Undefined when the statement is not understood from here on: `fault` says so. */
  readonly value: Value | undefined;
  readonly fault: string;
  /** It stands within braces, where Kamailio takes none. */
  readonly isInBlock: boolean;
}

/** All of them, in their order. */
export function* modParams(tokens: Preprocessor): Generator<ModParam> {
  const parser = new Parser(tokens);
  let depth = 0;
  for (let token = parser.take(); token.kind !== 'end'; token = parser.take()) {
    if (token.kind === 'mark' && token.text === '{') depth++;
    if (token.kind === 'mark' && token.text === '}') depth = Math.max(0, depth - 1);
    if (token.kind !== 'word' || !/^modparamx?$/.test(token.text)) continue;
    const statement = parser.modParam(token.text === 'modparamx', token.place);
    if (statement !== undefined) yield { ...statement, isInBlock: depth > 0 };
  }
}

class Parser {
  readonly #tokens: Preprocessor;
  /** One that was looked at and not taken. */
  #ahead: Placed | undefined;

  constructor(tokens: Preprocessor) {
    this.#tokens = tokens;
  }

  take(): Placed {
    const token = this.#ahead ?? this.#tokens.next();
    this.#ahead = undefined;
    return token;
  }

  /** What follows the word; undefined when not even a module is named. */
  modParam(isEvaluated: boolean, place: string): Omit<ModParam, 'isInBlock'> | undefined {
    if (!this.#takes('(')) return undefined;
    const module = this.#value(false);
    if (module === undefined) return undefined;
    const nothing: Value = { kind: 'text', text: '' };
    const fail = (wanted: string, name: Value = nothing) => {
      const fault = `expected ${wanted}, got ${shown(this.#peek())}`;
      return { place, module, name, value: undefined, fault };
    };
    if (!this.#takes(',')) return fail('a comma after the module');
    const name = this.#value(false);
    if (name === undefined) return fail('a parameter name');
    if (!this.#takes(',')) return fail('a comma after the parameter name', name);
    const value = this.#value(isEvaluated);
    if (value === undefined) return fail('a string or a number', name);
    if (!this.#takes(')')) return fail('a closing parenthesis', name);
    return { place, module, name, value, fault: '' };
  }

  #value(isEvaluated: boolean): Value | undefined {
    const sign = this.#takes('-') ? -1 : 1;
    const token = this.#peek();
    if (sign === -1 && token.kind !== 'number') return undefined;
    switch (token.kind) {
      case 'number':
        this.take();
        return { kind: 'number', value: sign * token.value };
      case 'unknown':
        this.take();
        return { kind: 'unknown', why: `only Kamailio knows what ${token.text} is` };
      case 'variable':
        if (!isEvaluated) return undefined;
        this.take();
        return { kind: 'unknown', why: `only Kamailio knows what ${token.text.slice(0, 120)} is` };
      case 'string':
        this.take();
        return this.#text(token.text, isEvaluated);
      case 'word':
      case 'mark':
      case 'end':
        return undefined;
      default:
        return token satisfies never;
    }
  }

  #text(written: string, isEvaluated: boolean): Value {
    const { text, unknown } = this.#tokens.substituted(written);
    if (unknown !== undefined)
      return { kind: 'unknown', why: `only Kamailio knows what ${unknown} is` };
    if (isEvaluated && text.includes('$')) {
      return { kind: 'unknown', why: `only Kamailio knows what ${text.slice(0, 120)} comes to` };
    }
    return { kind: 'text', text };
  }

  #peek(): Placed {
    this.#ahead ??= this.#tokens.next();
    return this.#ahead;
  }

  #takes(mark: string): boolean {
    const token = this.#peek();
    const isThere = token.kind === 'mark' && token.text === mark;
    if (isThere) this.take();
    return isThere;
  }
}

function shown(token: Placed): string {
  if (token.kind === 'end') return 'the end';
  if (token.kind === 'number') return String(token.value);
  return JSON.stringify(token.text.slice(0, 120));
}
