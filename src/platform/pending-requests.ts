/** Requests of one kind to the pinger thread that wait for their answers. */

/** Why a request has no answer: too many wait already, or the pinger is not running. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

interface Waiter<T> {
  readonly resolve: (answer: T) => void;
  readonly reject: (error: unknown) => void;
}

export class PendingRequests<T> {
  readonly #max: number;
  readonly #waiters = new Map<number, Waiter<T>>();
  #lastId = 0;

  /** @param max how many may wait at the same time. */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Sends a request by `post`, which gets its id.
   *
   * @throws UnavailableError when too many wait already, or once `fail` is called; the reason of
   *   `signal` when that aborts, after `cancel` with the id.
   */
  async ask(
    post: (id: number) => void,
    signal?: AbortSignal,
    cancel?: (id: number) => void,
  ): Promise<T> {
    if (this.#waiters.size >= this.#max) {
      throw new UnavailableError(`${this.#max} requests are waiting already`);
    }
    const id = ++this.#lastId;
    post(id);
    let abort = () => {};
    try {
      return await new Promise<T>((resolve, reject) => {
        this.#waiters.set(id, { resolve, reject });
        abort = () => {
          cancel?.(id);
          reject(signal?.reason);
        };
        if (signal?.aborted) abort();
        else signal?.addEventListener('abort', abort, { once: true });
      });
    } finally {
      this.#waiters.delete(id);
      signal?.removeEventListener('abort', abort);
    }
  }

  answer(id: number, answer: T): void {
    this.#waiters.get(id)?.resolve(answer);
  }

  /** Fails one request. */
  refuse(id: number, error: UnavailableError): void {
    this.#waiters.get(id)?.reject(error);
  }

  /** Fails every pending request. */
  fail(error: UnavailableError): void {
    for (const { reject } of this.#waiters.values()) reject(error);
  }
}
