/** Finds the statements `modparam("module", "name", value)` of a kamailio.cfg. */

import type { PlacedToken, Preprocessor } from './preprocessor.js';

export type Value =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number }
  /** A value that only Kamailio knows; `reason` says why. */
  | { readonly kind: 'unknown'; readonly reason: string };

export interface ModParam {
  readonly place: string;
  readonly module: Value;
  readonly name: Value;
  /** Undefined when the statement is invalid; `problem` says why. */
  readonly value: Value | undefined;
  readonly problem: string;
  /** Whether the statement is within braces, where Kamailio does not accept it. */
  readonly isInBlock: boolean;
}

/** Yields all `modparam` and `modparamx` statements in order. */
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
  /** The next token, if it was peeked at. */
  #ahead: PlacedToken | undefined;

  constructor(tokens: Preprocessor) {
    this.#tokens = tokens;
  }

  take(): PlacedToken {
    const token = this.#ahead ?? this.#tokens.next();
    this.#ahead = undefined;
    return token;
  }

  /** Parses a statement after its keyword; undefined when it has no module. */
  modParam(isEvaluated: boolean, place: string): Omit<ModParam, 'isInBlock'> | undefined {
    if (!this.#takes('(')) return undefined;
    const module = this.#value(false);
    if (module === undefined) return undefined;
    const nothing: Value = { kind: 'text', text: '' };
    const fail = (expected: string, name: Value = nothing) => {
      const problem = `expected ${expected}, got ${tokenText(this.#peek())}`;
      return { place, module, name, value: undefined, problem };
    };
    if (!this.#takes(',')) return fail('a comma after the module');
    const name = this.#value(false);
    if (name === undefined) return fail('a parameter name');
    if (!this.#takes(',')) return fail('a comma after the parameter name', name);
    const value = this.#value(isEvaluated);
    if (value === undefined) return fail('a string or a number', name);
    if (!this.#takes(')')) return fail('a closing parenthesis', name);
    return { place, module, name, value, problem: '' };
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
        return { kind: 'unknown', reason: unknownValue(token.text) };
      case 'variable':
        if (!isEvaluated) return undefined;
        this.take();
        return { kind: 'unknown', reason: unknownValue(token.text) };
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
    if (unknown !== undefined) return { kind: 'unknown', reason: unknownValue(unknown) };
    if (isEvaluated && text.includes('$')) {
      return { kind: 'unknown', reason: unknownValue(text) };
    }
    return { kind: 'text', text };
  }

  #peek(): PlacedToken {
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

function unknownValue(text: string): string {
  return `only Kamailio knows the value of ${text.slice(0, 120)}`;
}

function tokenText(token: PlacedToken): string {
  if (token.kind === 'end') return 'the end';
  if (token.kind === 'number') return String(token.value);
  return JSON.stringify(token.text.slice(0, 120));
}
