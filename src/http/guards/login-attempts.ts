/** Checks the passwords of login attempts one at a time; the others wait. */

import type { ServerResponse } from 'node:http';
import { FairQueue } from './fair-queue.js';
import type { PasswordCheck, PasswordTask } from './passwords.js';

/** `busy`: too many attempts wait, so it was not checked; `gone`: its client has disconnected. */
export type LoginResult = 'right' | 'wrong' | 'busy' | 'gone';

/** Attempts that may wait. */
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
  /** Those that wait or are being checked, by key. */
  readonly #pending = new Map<string, Attempt>();
  #isBusy = false;

  constructor(checkPassword: PasswordCheck, onError: (error: unknown) => void) {
    this.#checkPassword = checkPassword;
    this.#onError = onError;
  }

  /**
   * @param key the same for attempts that are equal: they are checked once.
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

  /** Never rejects: a check that fails answers `busy`. */
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
