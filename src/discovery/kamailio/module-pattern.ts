/**
 * The first argument of modparam: a POSIX extended regular expression that names modules, whatever
 * their case. It is matched by following all ways at once, so that no pattern takes long.
 */

const MAX_PATTERN_LENGTH = 128;
const MAX_REPEATS = 32;

/** From a set of places in the word to the set of those that may come next; a bit for each place. */
type Step = (places: number) => number;

/** Whether the expression matches all of `word`; undefined when it is not understood. */
export function matchesModule(pattern: string, word: string): boolean | undefined {
  if (/^\w+$/.test(pattern)) return pattern.toLowerCase() === word.toLowerCase();
  if (pattern.length > MAX_PATTERN_LENGTH) return undefined;
  const parser = new PatternParser(pattern.toLowerCase(), word.toLowerCase());
  const step = parser.parse();
  return step === undefined ? undefined : (step(1) & (1 << word.length)) !== 0;
}

class PatternParser {
  readonly #pattern: string;
  readonly #word: string;
  #at = 0;

  constructor(pattern: string, word: string) {
    this.#pattern = pattern;
    this.#word = word;
  }

  parse(): Step | undefined {
    const step = this.#alternatives();
    return this.#at < this.#pattern.length ? undefined : step;
  }

  #alternatives(): Step | undefined {
    const steps: Step[] = [];
    do {
      const step = this.#sequence();
      if (step === undefined) return undefined;
      steps.push(step);
    } while (this.#takes('|'));
    return (places) => steps.reduce((all, step) => all | step(places), 0);
  }

  #sequence(): Step | undefined {
    const steps: Step[] = [];
    while (this.#at < this.#pattern.length && !/[|)]/.test(this.#pattern[this.#at] ?? '')) {
      const atom = this.#atom();
      const step = atom && this.#repeated(atom);
      if (step === undefined) return undefined;
      steps.push(step);
    }
    return (places) => steps.reduce((from, step) => step(from), places);
  }

  #repeated(atom: Step): Step | undefined {
    let step = atom;
    for (;;) {
      const once = step;
      if (this.#takes('*')) step = (places) => closure(once, places);
      else if (this.#takes('+')) step = (places) => closure(once, once(places));
      else if (this.#takes('?')) step = (places) => places | once(places);
      else if (this.#pattern[this.#at] === '{') {
        const [all, from = '', comma, to = ''] =
          /^\{(\d+)(,(\d*))?\}/.exec(this.#pattern.slice(this.#at)) ?? [];
        if (all === undefined || Math.max(Number(from), Number(to)) > MAX_REPEATS) return undefined;
        this.#at += all.length;
        const most = comma === undefined ? Number(from) : to === '' ? undefined : Number(to);
        step = (places) => times(once, Number(from), most, places);
      } else return step;
    }
  }

  #atom(): Step | undefined {
    if (this.#takes('(')) {
      const inner = this.#alternatives();
      return this.#takes(')') ? inner : undefined;
    }
    if (this.#takes('.')) return this.#char(() => true);
    if (this.#takes('^')) return (places) => places & 1;
    if (this.#takes('$')) return (places) => places & (1 << this.#word.length);
    const rest = this.#pattern.slice(this.#at);
    const [set, no = '', members = ''] = /^\[(\^?)(\]?[^\]]*)\]/.exec(rest) ?? [];
    if (set !== undefined) {
      // Classes by name and collating elements are left to those who need them.
      if (/\[[:.=]/.test(members)) return undefined;
      this.#at += set.length;
      return this.#char((char) => isIn(char, members) !== (no === '^'));
    }
    const [literal] = /^(?:\\[^a-z0-9]|[^\\[*+?{}])/.exec(rest) ?? [];
    if (literal === undefined) return undefined;
    this.#at += literal.length;
    return this.#char((char) => char === literal.at(-1));
  }

  #char(isOne: (char: string) => boolean): Step {
    const mask = [...this.#word].reduce(
      (all, char, at) => (isOne(char) ? all | (1 << at) : all),
      0,
    );
    return (places) => (places & mask) << 1;
  }

  #takes(char: string): boolean {
    const isThere = this.#pattern[this.#at] === char;
    if (isThere) this.#at++;
    return isThere;
  }
}

/** As often as it leads to new places, which is no more often than there are any. */
function closure(step: Step, places: number): number {
  const more = places | step(places);
  return more === places ? places : closure(step, more);
}

function times(step: Step, from: number, most: number | undefined, places: number): number {
  let at = places;
  for (let count = 0; count < from; count++) at = step(at);
  if (most === undefined) return closure(step, at);
  let all = most < from ? 0 : at;
  for (let count = from; count < most; count++) {
    at = step(at);
    all |= at;
  }
  return all;
}

function isIn(char: string, members: string): boolean {
  for (let at = 0; at < members.length; at++) {
    const first = members[at] ?? '';
    const last = members[at + 1] === '-' ? members[at + 2] : undefined;
    if (last === undefined) {
      if (first === char) return true;
    } else {
      if (first <= char && char <= last) return true;
      at += 2;
    }
  }
  return false;
}
