/** Which code of ours has run, as V8 counts it: an input that reaches new code is kept. */

import { type Profiler, Session } from 'node:inspector';

/** The code that counts, by a part of its URL. */
const OURS = ['/dist/src/', '/node_modules/dns-packet/', '/node_modules/js-yaml/'];

export class Coverage {
  readonly #session = new Session();
  /** By script: offsets of its text that have run. */
  readonly #covered = new Map<string, Uint8Array>();
  /** What the last look added. */
  #added: { readonly covered: Uint8Array; readonly at: number }[] = [];

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  close(): void {
    this.#session.disconnect();
  }

  /** Offsets of text that ran since the last look and had not run before. */
  take(): number {
    let scripts: readonly Profiler.ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error === null) scripts = result;
    });
    this.#added = [];
    for (const script of scripts.filter(({ url }) => OURS.some((part) => url.includes(part)))) {
      this.#add(script);
    }
    return this.#added.length;
  }

  /** As if the last look had not been. */
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
    // The ranges of a function lie within one another, the outer first.
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
