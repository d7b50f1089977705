/** Kamailio's two kinds of files as sources. */

import { networkInterfaces } from 'node:os';
import { readDispatcherList } from './dispatcher-list.js';
import { readKamailioCfg } from './kamailio-cfg.js';
import { type Look, type Reader, readText, stampOf } from './reader.js';

export class DispatcherList implements Reader {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  stamp(): string {
    return stampOf([this.#path]);
  }

  async read(): Promise<Look> {
    const text = readText(this.#path);
    return { ...readDispatcherList(text, this.#path, localAddresses()), troubles: [] };
  }
}

export class KamailioCfg implements Reader {
  readonly #path: string;
  /** With those that it includes. */
  #files: readonly string[];

  constructor(path: string) {
    this.#path = path;
    this.#files = [path];
  }

  stamp(): string {
    return stampOf(this.#files);
  }

  async read(): Promise<Look> {
    const { files, ...findings } = readKamailioCfg(this.#path, readText);
    this.#files = files;
    return { ...findings, troubles: [] };
  }
}

/** Tells whether a socket of this machine can have an address, as things are now. */
function localAddresses(): (address: string) => boolean {
  const all = new Set(
    Object.values(networkInterfaces()).flatMap((list) => list?.map((one) => one.address) ?? []),
  );
  return (address) => /^127\./.test(address) || address === '::1' || all.has(address);
}
