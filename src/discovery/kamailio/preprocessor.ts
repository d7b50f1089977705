/** Executes the directives of a kamailio.cfg (defines, includes, conditions) and returns the other tokens. */

import type { Remark, RemarkKind } from '../found.js';
import { remark } from '../remark.js';
import { Conditions } from './conditions.js';
import { Defines } from './defines.js';
import type { Includes, OpenedFile } from './includes.js';
import { Lexer, type Token } from './lexer.js';
import {
  MAX_SUBSTITUTIONS,
  readSubstitution,
  type Substitution,
  substitute,
} from './substitutions.js';

export type PlacedToken = { readonly place: string } & (
  | Exclude<Token, { kind: 'directive' | 'unterminated' }>
  /** A define whose value only Kamailio knows. */
  | { readonly kind: 'unknown'; readonly text: string; readonly line: number }
);

/** A file, or the value of a define that is being expanded. */
interface Frame {
  readonly lexer: Lexer;
  readonly path: string;
  readonly isValue: boolean;
}

const ID = /[A-Za-z_][A-Za-z0-9_]*/y;
const DEFINES: Readonly<Record<string, 'new' | 'if-new' | 'again'>> = {
  ...{ define: 'new', def: 'new', trydefine: 'if-new', trydef: 'if-new' },
  ...{ redefine: 'again', redef: 'again' },
};

export class Preprocessor {
  readonly #frames: Frame[] = [];
  readonly #defines = new Defines();
  readonly #conditions = new Conditions();
  readonly #substitutions: Substitution[] = [];
  readonly #includes: Includes;
  readonly #remarks: Remark[];
  /** Remarks so far, because nested defines repeat the same one many times. */
  readonly #reported = new Set<string>();

  /** @param remarks receives remarks about what is skipped or adjusted. */
  constructor(main: OpenedFile, includes: Includes, remarks: Remark[]) {
    this.#includes = includes;
    this.#remarks = remarks;
    this.#enter(main);
  }

  next(): PlacedToken {
    for (;;) {
      const frame = this.#frames.at(-1);
      if (frame === undefined) return { kind: 'end', line: 0, place: '' };
      const { lexer, path } = frame;
      const token = this.#conditions.isSkipping ? lexer.skipToConditional() : lexer.next();
      const place = `${path}:${token?.line ?? lexer.line}`;
      if (token === undefined || token.kind === 'end') this.#leave(frame);
      else if (token.kind === 'directive') this.#execute(token.name, lexer, place);
      else if (token.kind === 'unterminated')
        this.#report('skipped', place, `the ${token.what} has no end`);
      else if (token.kind === 'word') {
        const expanded = this.#expand(token.text, token.line, path);
        if (expanded !== 'expanded') return { ...(expanded ?? token), place };
      } else if (token.kind === 'string') return { ...token, text: this.#joined(token), place };
      else return { ...token, place };
    }
  }

  /** Applies the substitutions so far to a string. */
  substituted(text: string): ReturnType<typeof substitute> {
    return substitute(text, this.#substitutions);
  }

  #enter({ path, text }: OpenedFile): void {
    this.#frames.push({ lexer: new Lexer(text), path, isValue: false });
  }

  #leave({ isValue, lexer }: Frame): void {
    this.#frames.pop();
    if (isValue && lexer.endsInComment) this.#frames.at(-1)?.lexer.restOfLine();
    if (this.#frames.length > 0) return;
    for (const place of this.#conditions.open)
      this.#report('skipped', place, 'the condition has no #!endif');
  }

  /** Expands a name; undefined when it is not defined. */
  #expand(name: string, line: number, path: string): PlacedToken | 'expanded' | undefined {
    const define = this.#defines.get(name);
    if (define === undefined) return undefined;
    const place = `${path}:${line}`;
    if (define.value === undefined) return { kind: 'unknown', text: name, line, place };
    const depth = this.#frames.filter(({ isValue }) => isValue).length;
    const refusal = this.#defines.refusal(define.value, depth);
    if (refusal !== undefined) {
      this.#report('adjusted', place, `${name} is not replaced: ${refusal}`);
      return { kind: 'unknown', text: name, line, place };
    }
    this.#frames.push({ lexer: new Lexer(define.value, line), path, isValue: true });
    return 'expanded';
  }

  /** Joins adjacent strings in double quotes. */
  #joined(first: Extract<Token, { kind: 'string' }>): string {
    const parts = [first.text];
    if (!first.isDouble) return first.text;
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      if (frame.isValue && frame.lexer.isAtEnd()) {
        this.#frames.pop();
        continue;
      }
      if (!frame.lexer.isAtQuote()) break;
      const token = frame.lexer.next();
      if (token.kind === 'string') parts.push(token.text);
      if (token.kind === 'unterminated')
        this.#report('skipped', `${frame.path}:${token.line}`, 'the string has no end');
    }
    return parts.join('');
  }

  #execute(name: string, lexer: Lexer, place: string) {
    const kind = DEFINES[name];
    if (kind !== undefined) return this.#define(lexer, kind, place);
    switch (name) {
      case 'undef':
      case 'undefine':
        return this.#defines.delete(this.#id(lexer, place) ?? '');
      case 'ifdef':
      case 'ifndef':
        return this.#begin(lexer, name === 'ifdef', place);
      case 'ifexp':
        return this.#beginExpression(lexer, place);
      case 'else':
        if (!this.#conditions.invert())
          this.#report('adjusted', place, '#!else without a condition');
        return;
      case 'endif':
        if (!this.#conditions.end()) this.#report('adjusted', place, '#!endif without a condition');
        return;
      case 'include_file':
      case 'import_file':
        return this.#include(lexer, name === 'import_file', place);
      case 'subst':
      case 'substdef':
      case 'substdefs':
        return this.#substitute(lexer, name, place);
      default:
        return this.#defineFromEnvironment(lexer, name.startsWith('try'), place);
    }
  }

  #define(lexer: Lexer, kind: 'new' | 'if-new' | 'again', place: string) {
    const name = this.#id(lexer, place);
    const value = lexer.restOfLines().trim();
    const problem = name && this.#defines.set(name, value, kind);
    if (problem) this.#report('adjusted', place, problem);
  }

  /** Defines `NAME` or `NAME=VARIABLE` with an unknown value, because it is from Kamailio's environment. */
  #defineFromEnvironment(lexer: Lexer, isTry: boolean, place: string): void {
    const name = this.#id(lexer, place);
    lexer.restOfLine();
    const problem = name && this.#defines.set(name, undefined, isTry ? 'if-new' : 'new');
    if (problem) this.#report('adjusted', place, problem);
  }

  #begin(lexer: Lexer, isUsedWhenDefined: boolean, place: string): void {
    const name = this.#conditions.isSkipping ? '' : (this.#id(lexer, place) ?? '');
    lexer.restOfLine();
    const { isDefined, doubt } = this.#defines.test(name);
    if (doubt !== undefined) this.#report('adjusted', place, doubt);
    this.#conditions.begin(place, isDefined === isUsedWhenDefined);
  }

  #beginExpression(lexer: Lexer, place: string): void {
    const expression = lexer.restOfLine().trim().slice(0, 120);
    if (!this.#conditions.isSkipping) {
      this.#report(
        'adjusted',
        place,
        `#!ifexp is not evaluated here: ${expression} counts as false`,
      );
    }
    this.#conditions.begin(place, false);
  }

  #include(lexer: Lexer, isOptional: boolean, place: string) {
    const written = lexer.onLine(/[^ \t\r\n]+/y) ?? '';
    const quoted = this.#defines.get(written)?.value ?? this.substituted(written).text;
    const name = /^"(.*)"$/s.exec(quoted)?.[1]?.replace(/\\([\s\S])/g, '$1');
    if (name === undefined)
      return this.#report('skipped', place, `expected "a file name", got ${quoted.slice(0, 120)}`);
    const open = this.#frames.filter(({ isValue }) => !isValue).map(({ path }) => path);
    const opened = this.#includes.include(name, open, isOptional);
    if (typeof opened === 'string') this.#report('skipped', place, opened);
    else if (opened !== undefined) this.#enter(opened);
  }

  #substitute(lexer: Lexer, directive: string, place: string) {
    const token = lexer.next();
    if (token.kind !== 'string')
      return this.#report('skipped', place, `expected a string after #!${directive}`);
    const rule = readSubstitution(this.substituted(this.#joined(token)).text);
    if (typeof rule === 'string')
      return this.#report('adjusted', place, `#!${directive} is not applied: ${rule}`);
    if (this.#substitutions.length >= MAX_SUBSTITUTIONS) {
      return this.#report(
        'adjusted',
        place,
        `more than ${MAX_SUBSTITUTIONS} substitutions: it is not applied`,
      );
    }
    this.#substitutions.push(rule);
    if (directive === 'subst') return;
    const isQuoted = directive === 'substdefs' && rule.value !== undefined;
    const problem = this.#defines.set(rule.name, isQuoted ? `"${rule.value}"` : rule.value, 'new');
    if (problem !== undefined) this.#report('adjusted', place, problem);
  }

  #id(lexer: Lexer, place: string): string | undefined {
    const name = lexer.onLine(ID);
    if (name === undefined) this.#report('skipped', place, 'expected a name after the directive');
    return name;
  }

  #report(kind: RemarkKind, place: string, reason: string): void {
    const key = `${place} ${reason}`;
    if (this.#reported.has(key)) return;
    this.#reported.add(key);
    this.#remarks.push(remark(kind, place, reason));
  }
}
