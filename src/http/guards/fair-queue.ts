/** A bounded queue in which clients take turns, however many entries each of them has. */

export interface FairQueueOptions {
  /** Entries in all. */
  readonly most: number;
  /** Entries of one client. */
  readonly mostOfOne: number;
}

export class FairQueue<T> {
  readonly #options: FairQueueOptions;
  /** The client whose turn is next comes first; its entries in the order in which they came. */
  readonly #clients = new Map<string, T[]>();
  #size = 0;

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  /** Returns the entry that has no room any more: the oldest of this client, or of the one with the most. */
  add(client: string, entry: T): T | undefined {
    const entries = this.#clients.get(client) ?? [];
    this.#clients.set(client, entries);
    entries.push(entry);
    this.#size++;
    if (entries.length > this.#options.mostOfOne) return this.#shift(client, entries);
    if (this.#size > this.#options.most) return this.#shift(...this.#longest());
    return undefined;
  }

  /** The newest entry of the client whose turn it is: what has waited long is seldom waited for. */
  take(): T | undefined {
    const [next] = this.#clients;
    if (next === undefined) return undefined;
    const [client, entries] = next;
    this.#clients.delete(client);
    const entry = entries.pop();
    this.#size--;
    if (entries.length > 0) this.#clients.set(client, entries);
    return entry;
  }

  #longest(): readonly [client: string, entries: T[]] {
    let longest: readonly [string, T[]] = ['', []];
    for (const one of this.#clients) if (one[1].length > longest[1].length) longest = one;
    return longest;
  }

  #shift(client: string, entries: T[]): T | undefined {
    this.#size--;
    const entry = entries.shift();
    if (entries.length === 0) this.#clients.delete(client);
    return entry;
  }
}
