/** Attempts to log in that wait for their passwords to be compared, one at a time. */

import type { ServerResponse } from 'node:http';
import { FairQueue } from './fair-queue.js';
import type { PasswordCheck, PasswordTask } from './passwords.js';

/** `busy`: it was not compared, because there are too many; `gone`: nobody waits for it any more. */
export type Verdict = 'right' | 'wrong' | 'busy' | 'gone';

/** Attempts that may wait, in all and of one client. */
const MAX = 64;
const MAX_PER_CLIENT = 10;

interface Attempt {
  readonly key: string;
  readonly task: PasswordTask;
  readonly waiting: Set<(verdict: Verdict) => void>;
}

export class LoginAttempts {
  readonly #check: PasswordCheck;
  readonly #onError: (error: unknown) => void;
  readonly #queue = new FairQueue<Attempt>({ most: MAX, mostOfOne: MAX_PER_CLIENT });
  /** Those that wait or are being compared. */
  readonly #known = new Map<string, Attempt>();
  #isBusy = false;

  constructor(check: PasswordCheck, onError: (error: unknown) => void) {
    this.#check = check;
    this.#onError = onError;
  }

  /**
   * @param key of the same attempt: those that come together are compared once.
   * @param client whose turn it is.
   */
  verdict(
    key: string,
    client: string,
    task: PasswordTask,
    response: ServerResponse,
  ): Promise<Verdict> {
    return new Promise((resolve) => {
      const known = this.#known.get(key);
      const attempt = known ?? { key, task, waiting: new Set() };
      attempt.waiting.add(resolve);
      response.once('close', () => {
        attempt.waiting.delete(resolve);
        resolve('gone');
      });
      if (known !== undefined) return;
      this.#known.set(key, attempt);
      const turnedAway = this.#queue.add(client, attempt);
      if (turnedAway !== undefined) this.#settle(turnedAway, 'busy');
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#queue.take(); next !== undefined; next = this.#queue.take()) {
      this.#settle(next, next.waiting.size === 0 ? 'gone' : await this.#compare(next.task));
    }
    this.#isBusy = false;
  }

  async #compare(task: PasswordTask): Promise<Verdict> {
    try {
      return (await this.#check(task)) ? 'right' : 'wrong';
    } catch (error) {
      this.#onError(error);
      return 'busy';
    }
  }

  #settle(attempt: Attempt, verdict: Verdict): void {
    this.#known.delete(attempt.key);
    for (const resolve of attempt.waiting) resolve(verdict);
  }
}
