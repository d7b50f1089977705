/** Finds the statements `loadmodule "name"` and `modparam("module", "name", value)` of a kamailio.cfg. */

import type { PlacedToken, Preprocessor } from './preprocessor.js';

export type Value =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number }
  /** A value that only Kamailio knows; `reason` says why. */
  | { readonly kind: 'unknown'; readonly reason: string };

export interface LoadModule {
  readonly kind: 'loadmodule';
  readonly place: string;
  /** A name such as `dispatcher.so` or `dispatcher`, or a path. */
  readonly file: Value;
}

export interface ModParam {
  readonly kind: 'modparam';
  readonly place: string;
  readonly module: Value;
  readonly name: Value;
  /** Undefined when the statement is invalid; `problem` says why. */
  readonly value: Value | undefined;
  readonly problem: string;
  /** Whether the statement is within braces, where Kamailio does not accept it. */
  readonly isInBlock: boolean;
}

/** Yields all `loadmodule`, `loadmodulex`, `modparam` and `modparamx` statements in order. */
export function* statementsOf(tokens: Preprocessor): Generator<LoadModule | ModParam> {
  const parser = new Parser(tokens);
  let depth = 0;
  for (let token = parser.take(); token.kind !== 'end'; token = parser.take()) {
    if (token.kind === 'mark' && token.text === '{') depth++;
    if (token.kind === 'mark' && token.text === '}') depth = Math.max(0, depth - 1);
    if (token.kind !== 'word') continue;
    const { text, place } = token;
    if (text === 'loadmodule' || text === 'loadmodulex') {
      const file = parser.file();
      if (file !== undefined) yield { kind: 'loadmodule', place, file };
    } else if (text === 'modparam' || text === 'modparamx') {
      const statement = parser.modParam(text === 'modparamx', place);
      if (statement !== undefined) yield { kind: 'modparam', ...statement, isInBlock: depth > 0 };
    }
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

  /** Parses the file of a `loadmodule` statement. Kamailio 5.6 has no parentheses there, later ones may. */
  file(): Value | undefined {
    this.#takes('(');
    return this.#value(false);
  }

  /** Parses a `modparam` statement after its keyword; undefined when it has no module. */
  modParam(isEvaluated: boolean, place: string): Omit<ModParam, 'kind' | 'isInBlock'> | undefined {
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
