/** Reads the two kinds of Kamailio files. */

import type { Parser } from './parsing/parser.js';
import { fileNamed, type Reader, type ReadResult, readBytes, stampOf } from './reader.js';

export class DispatcherList implements Reader {
  readonly #path: string;
  readonly #parser: Parser;

  constructor(path: string, parser: Parser) {
    this.#path = path;
    this.#parser = parser;
  }

  stamp(): string {
    return stampOf([fileNamed(this.#path)]);
  }

  async read(signal: AbortSignal): Promise<ReadResult> {
    const bytes = await readBytes(fileNamed(this.#path));
    const job = { kind: 'dispatcher_list', bytes, place: this.#path } as const;
    const { found, remarks } = await this.#parser.parse(job, signal);
    return { found, remarks, errors: [] };
  }
}

export class KamailioCfg implements Reader {
  readonly #path: string;
  readonly #parser: Parser;
  /** The file, those that it includes, and the list of dispatcher. */
  #files: readonly string[];
  /** The last result without errors. */
  #lastGood: ReadResult | undefined;

  constructor(path: string, parser: Parser) {
    this.#path = path;
    this.#parser = parser;
    this.#files = [path];
  }

  stamp(): string {
    return stampOf(this.#files.map(fileNamed));
  }

  async read(signal: AbortSignal): Promise<ReadResult> {
    const job = { kind: 'kamailio_cfg', place: this.#path } as const;
    const { files, found, remarks, errors = [] } = await this.#parser.parse(job, signal);
    const result = { found, remarks, errors };
    this.#files = files;
    if (errors.length === 0) this.#lastGood = result;
    // The previous destinations stay in use until the list can be read.
    return this.#lastGood === undefined ? result : { ...this.#lastGood, errors };
  }
}
