/** Code coverage by V8: an input that reaches new code is kept. */

import { type Profiler, Session } from 'node:inspector';

/** Parts of the URLs of code that counts. */
const COUNTED = ['/dist/src/', '/node_modules/dns-packet/', '/node_modules/js-yaml/'];

export class Coverage {
  readonly #session = new Session();
  /** Covered offsets of each script. */
  readonly #covered = new Map<string, Uint8Array>();
  /** Added by the last reading. */
  #added: { readonly covered: Uint8Array; readonly at: number }[] = [];

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  close(): void {
    this.#session.disconnect();
  }

  /** Number of offsets covered for the first time since the last reading. */
  take(): number {
    let scripts: readonly Profiler.ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error === null) scripts = result;
    });
    this.#added = [];
    for (const script of scripts.filter(({ url }) => COUNTED.some((part) => url.includes(part)))) {
      this.#add(script);
    }
    return this.#added.length;
  }

  /** Undoes the last reading. */
  undo(): void {
    for (const { covered, at } of this.#added) covered[at] = 0;
    this.#added = [];
  }

  #add({ url, functions }: Profiler.ScriptCoverage): void {
    const end = Math.max(0, ...functions.flatMap(({ ranges }) => ranges.map((r) => r.endOffset)));
    const known = this.#covered.get(url) ?? new Uint8Array(end);
    const covered = known.length < end ? new Uint8Array(end) : known;
    if (covered !== known) covered.set(known);
    this.#covered.set(url, covered);
    // The ranges of a function are nested, the outer first.
    const ran = new Uint8Array(end);
    for (const { ranges } of functions) {
      for (const { startOffset, endOffset, count } of ranges) {
        ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
      }
    }
    for (let at = 0; at < end; at++) {
      if (ran[at] === 0 || covered[at] === 1) continue;
      covered[at] = 1;
      this.#added.push({ covered, at });
    }
  }
}
