/** Questions of one kind to the pinger thread, and who waits for their answers. */

/** Why a question has no answer: there are too many, or the pinger is not there. */
export class UnavailableError extends Error {
  override readonly name = 'AskError';
}

interface Waiting<T> {
  readonly resolve: (answer: T) => void;
  readonly reject: (error: unknown) => void;
}

export class PendingRequests<T> {
  readonly #most: number;
  readonly #waiting = new Map<number, Waiting<T>>();
  #lastId = 0;

  /** @param most that may wait at one moment. */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Asks by `post`, which gets the number of the question.
   *
   * @throws AskError when too many wait already, or once `fail` is called; the reason of `signal`
   *   when that aborts, after `cancel` with the number.
   */
  async ask(
    post: (id: number) => void,
    signal?: AbortSignal,
    cancel?: (id: number) => void,
  ): Promise<T> {
    if (this.#waiting.size >= this.#most)
      throw new UnavailableError(`more than ${this.#most} wait already`);
    const id = ++this.#lastId;
    post(id);
    try {
      return await new Promise<T>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        const give = () => {
          cancel?.(id);
          reject(signal?.reason);
        };
        if (signal?.aborted) give();
        else signal?.addEventListener('abort', give, { once: true });
      });
    } finally {
      this.#waiting.delete(id);
    }
  }

  answer(id: number, answer: T): void {
    this.#waiting.get(id)?.resolve(answer);
  }

  /** This one will not be answered. */
  refuse(id: number, error: UnavailableError): void {
    this.#waiting.get(id)?.reject(error);
  }

  /** Nobody will be answered any more. */
  fail(error: UnavailableError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
  }
}
