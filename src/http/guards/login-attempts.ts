/** Checks the passwords of login attempts one at a time. Other attempts wait. */

import type { ServerResponse } from 'node:http';
import { FairQueue } from './fair-queue.js';
import type { PasswordCheck, PasswordTask } from './passwords.js';

/** `busy`: not checked, because too many attempts are waiting; `gone`: the client has disconnected. */
export type LoginResult = 'right' | 'wrong' | 'busy' | 'gone';

/** Maximum number of waiting attempts. */
const MAX_SIZE = 64;
const MAX_PER_CLIENT = 10;

interface Attempt {
  readonly key: string;
  readonly task: PasswordTask;
  readonly waiting: Set<(result: LoginResult) => void>;
}

export class LoginAttempts {
  readonly #checkPassword: PasswordCheck;
  readonly #onError: (error: unknown) => void;
  readonly #queue = new FairQueue<Attempt>({ maxSize: MAX_SIZE, maxPerClient: MAX_PER_CLIENT });
  /** Attempts that wait or are being checked, by key. */
  readonly #pending = new Map<string, Attempt>();
  #isBusy = false;

  constructor(checkPassword: PasswordCheck, onError: (error: unknown) => void) {
    this.#checkPassword = checkPassword;
    this.#onError = onError;
  }

  /**
   * @param key equal attempts have the same key and are checked once.
   * @param client clients are served round-robin.
   */
  check(
    key: string,
    client: string,
    task: PasswordTask,
    response: ServerResponse,
  ): Promise<LoginResult> {
    return new Promise((resolve) => {
      const known = this.#pending.get(key);
      const attempt = known ?? { key, task, waiting: new Set() };
      attempt.waiting.add(resolve);
      response.once('close', () => {
        attempt.waiting.delete(resolve);
        resolve('gone');
      });
      if (known !== undefined) return;
      this.#pending.set(key, attempt);
      const dropped = this.#queue.add(client, attempt);
      if (dropped !== undefined) this.#settle(dropped, 'busy');
      void this.#run();
    });
  }

  /** Checks the queue. Never rejects, because a failed check results in `busy`. */
  async #run(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#queue.take(); next !== undefined; next = this.#queue.take()) {
      this.#settle(next, next.waiting.size === 0 ? 'gone' : await this.#compare(next.task));
    }
    this.#isBusy = false;
  }

  async #compare(task: PasswordTask): Promise<LoginResult> {
    try {
      return (await this.#checkPassword(task)) ? 'right' : 'wrong';
    } catch (error) {
      this.#onError(error);
      return 'busy';
    }
  }

  #settle(attempt: Attempt, result: LoginResult): void {
    this.#pending.delete(attempt.key);
    for (const resolve of attempt.waiting) resolve(result);
  }
}
