/** Splits a kamailio.cfg into tokens as Kamailio's scanner does. */

import { type Piece, readDouble, readSingle } from './strings.js';

export type Token = { readonly line: number } & (
  | { readonly kind: 'string'; readonly text: string; readonly isDouble: boolean }
  | { readonly kind: 'word' | 'mark' | 'variable'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number }
  /** `#!name` or `!!name`. Other methods read its arguments. */
  | { readonly kind: 'directive'; readonly name: string }
  /** A string, a comment or a parenthesis that begins here and has no end. */
  | { readonly kind: 'unterminated'; readonly what: string }
  | { readonly kind: 'end' }
);

/** Like Omit, but distributes over the union. */
type Bare<T> = T extends unknown ? Omit<T, 'line'> : never;

const BLANKS = /[ \t\b\r\n]*/y;
const RUN = /[A-Za-z0-9_]+/y;
/** A directive may be anywhere in a line. */
const DIRECTIVE =
  /(?:#!|!!)(?:((?:re|try|un)?def(?:ine)?|(?:try)?defenvs?|ifn?def|ifexp|(?:include|import)_file)(?=[ \t\b\r])|(subst(?:defs?)?)(?![A-Za-z0-9_])|(else|endif)(?=[ \t\b\r]*(?:\n|$)))/y;
/** In an unused branch nothing else has a meaning, not even the beginning of a comment. */
const CONDITIONAL = /(?:#!|!!)(?:(ifn?def|ifexp)(?=[ \t\b\r])|(else|endif)(?=[ \t\b\r]*(?:\n|$)))/g;
/** Directives that do not need `#!`. */
const BARE_DIRECTIVES: readonly string[] = ['include_file', 'import_file'];
const TRUE: readonly string[] = ['yes', 'true', 'on', 'enable'];
const FALSE: readonly string[] = ['no', 'false', 'off', 'disable'];

export class Lexer {
  /** Whether the text ends in a comment. After an expanded define, the comment continues to the end of the line. */
  endsInComment = false;
  readonly #text: string;
  readonly #fixedLine: number | undefined;
  #at = 0;
  #line = 1;
  /** Offset of the end of the last counted line. */
  #newline: number;

  /** @param fixedLine for the value of a define, which has no directives: the line that uses the define. */
  constructor(text: string, fixedLine?: number) {
    this.#text = text;
    this.#fixedLine = fixedLine;
    this.#newline = this.#newlineFrom(0);
  }

  next(): Token {
    for (;;) {
      this.#passBlanks();
      const { line } = this;
      const token = this.#bare();
      if (token !== undefined) return { ...token, line };
    }
  }

  /** Skips whitespace. Returns whether a `"` follows. */
  isAtQuote(): boolean {
    this.#passBlanks();
    return this.#text[this.#at] === '"';
  }

  isAtEnd(): boolean {
    this.#passBlanks();
    return this.#at >= this.#text.length;
  }

  /** Reads the rest of the line. */
  restOfLine(): string {
    const end = this.#text.indexOf('\n', this.#at);
    return this.#take(end < 0 ? this.#text.length : end);
  }

  /**
   * Reads the value of a define: the rest of the line, and the next lines as long as each ends in a
   * backslash. A single backslash is the whole value.
   */
  restOfLines(): string {
    const parts = [this.restOfLine().trimStart()];
    const isAlone = parts[0] === '\\';
    while (!isAlone && parts.at(-1)?.endsWith('\\') && this.#at < this.#text.length) {
      parts.push(parts.pop()?.slice(0, -1) ?? '');
      this.#take(this.#at + 1);
      parts.push(this.restOfLine());
    }
    return parts.join('');
  }

  /** Skips whitespace within the line and reads the text that matches; undefined if none does. */
  onLine(pattern: RegExp): string | undefined {
    return this.#match(/[ \t\b\r]*/y) === undefined ? undefined : this.#match(pattern);
  }

  /** Skips to the next conditional directive; undefined when there is none. */
  skipToConditional(): Extract<Token, { kind: 'directive' }> | undefined {
    CONDITIONAL.lastIndex = this.#at;
    const match = CONDITIONAL.exec(this.#text);
    this.#take(match === null ? this.#text.length : match.index);
    if (match === null) return undefined;
    const { line } = this;
    this.#take(match.index + match[0].length);
    return { kind: 'directive', name: match[1] ?? match[2] ?? '', line };
  }

  get line(): number {
    if (this.#fixedLine !== undefined) return this.#fixedLine;
    while (this.#newline < this.#at) {
      this.#line++;
      this.#newline = this.#newlineFrom(this.#newline + 1);
    }
    return this.#line;
  }

  /** The offset of the next line break; the length of the text without one, so that it is not searched again. */
  #newlineFrom(at: number): number {
    const newline = this.#text.indexOf('\n', at);
    return newline < 0 ? this.#text.length : newline;
  }

  /** The next token without its line; undefined for a comment. */
  #bare(): Bare<Token> | undefined {
    const char = this.#text[this.#at];
    if (char === undefined) return { kind: 'end' };
    if (char === '"') return this.#string(readDouble(this.#text, this.#at), true);
    if (char === "'") return this.#string(readSingle(this.#text, this.#at), false);
    if (char === '$') return this.#variable();
    const pair = this.#text.slice(this.#at, this.#at + 2);
    if (pair === '/*') return this.#blockComment();
    if (this.#fixedLine === undefined && (pair === '#!' || pair === '!!')) {
      DIRECTIVE.lastIndex = this.#at;
      const match = DIRECTIVE.exec(this.#text);
      if (match !== null) {
        this.#take(DIRECTIVE.lastIndex);
        return { kind: 'directive', name: match[1] ?? match[2] ?? match[3] ?? '' };
      }
    }
    if (char === '#' || pair === '//') {
      this.restOfLine();
      this.endsInComment = this.#at >= this.#text.length;
      return undefined;
    }
    const run = this.#match(RUN);
    if (run !== undefined) return this.#run(run);
    return { kind: 'mark', text: this.#take(this.#at + 1) };
  }

  #string(piece: Piece | undefined, isDouble: boolean): Bare<Token> {
    if (piece === undefined) return this.#unterminated('string');
    this.#take(piece.end);
    return { kind: 'string', text: piece.text, isDouble };
  }

  /** `$name`, `$(…)` or `$name(…)`, up to the closing parenthesis. */
  #variable(): Bare<Token> {
    const start = this.#at;
    this.#match(/\$[A-Za-z0-9_.]*/y);
    if (this.#text[this.#at] === '(') {
      const end = endOfNest(this.#text, this.#at, /[()]/g, '(');
      if (end === undefined) return this.#unterminated('parenthesis of a variable');
      this.#take(end);
    }
    return { kind: 'variable', text: this.#text.slice(start, this.#at) };
  }

  #blockComment(): Bare<Token> | undefined {
    const end = endOfNest(this.#text, this.#at, /\/\*|\*\//g, '/*');
    if (end === undefined) return this.#unterminated('comment');
    this.#take(end);
    return undefined;
  }

  #unterminated(what: string): Bare<Token> {
    this.#at = this.#text.length;
    return { kind: 'unterminated', what };
  }

  #run(run: string): Bare<Token> {
    if (TRUE.includes(run)) return { kind: 'number', value: 1 };
    if (FALSE.includes(run)) return { kind: 'number', value: 0 };
    if (this.#fixedLine === undefined && BARE_DIRECTIVES.includes(run)) {
      return { kind: 'directive', name: run };
    }
    const value = numberOf(run);
    return value === undefined ? { kind: 'word', text: run } : { kind: 'number', value };
  }

  #passBlanks(): void {
    this.#match(BLANKS);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [text] = pattern.exec(this.#text) ?? [];
    if (text !== undefined) this.#at += text.length;
    return text;
  }

  #take(end: number): string {
    const text = this.#text.slice(this.#at, end);
    this.#at = end;
    return text;
  }
}

function numberOf(run: string): number | undefined {
  if (/^(?:0|[1-9]\d*)$/.test(run)) return Number(run);
  if (/^0x[0-9a-fA-F]+$/.test(run)) return Number(run);
  if (/^0[0-7]+$/.test(run)) return Number.parseInt(run, 8);
  return /^[01]+b$/.test(run) ? Number.parseInt(run, 2) : undefined;
}

/** The end of the nested construct that opens at `start`; undefined when it is not closed. */
function endOfNest(text: string, start: number, marks: RegExp, opening: string) {
  marks.lastIndex = start;
  let depth = 0;
  for (let match = marks.exec(text); match !== null; match = marks.exec(text)) {
    depth += match[0] === opening ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
  return undefined;
}
