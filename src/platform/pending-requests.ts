/** Requests to a worker thread that wait for their answers. */

/** A request cannot be answered: too many are waiting, or the thread is not running. */
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

  /** @param max number of requests that may wait at the same time. */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Sends a request with `post`, which receives its ID, and waits for the answer.
   *
   * @throws UnavailableError when too many requests are waiting, or when `fail` is called. When `signal`
   *   aborts, calls `cancel` with the ID and throws the reason of `signal`.
   */
  async request(
    post: (id: number) => void,
    signal?: AbortSignal,
    cancel?: (id: number) => void,
  ): Promise<T> {
    if (this.#waiters.size >= this.#max) {
      throw new UnavailableError(`too many pending requests (${this.#max})`);
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
  reject(id: number, error: UnavailableError): void {
    this.#waiters.get(id)?.reject(error);
  }

  /** Fails all pending requests. */
  fail(error: UnavailableError): void {
    for (const { reject } of this.#waiters.values()) reject(error);
  }
}
