/** A queue of limited size that serves clients round-robin, however many entries each has. */

export interface FairQueueOptions {
  /** Maximum number of entries of all clients together. */
  readonly maxSize: number;
  readonly maxPerClient: number;
}

export class FairQueue<T> {
  readonly #options: FairQueueOptions;
  /** The first client is served next. Entries are in order of arrival. */
  readonly #clients = new Map<string, T[]>();
  #size = 0;

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds an entry. If a limit is exceeded, returns the dropped entry: the oldest of this client or of the one with the most. */
  add(client: string, entry: T): T | undefined {
    const entries = this.#clients.get(client) ?? [];
    this.#clients.set(client, entries);
    entries.push(entry);
    this.#size++;
    if (entries.length > this.#options.maxPerClient) return this.#shift(client, entries);
    if (this.#size > this.#options.maxSize) return this.#shift(...this.#longest());
    return undefined;
  }

  /** Takes the newest entry of the next client, because the sender of an old one has probably given up. */
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
