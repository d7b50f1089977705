/** Compares passwords with bcrypt hashes, in a thread that is started when it is first needed. */

import { Worker } from 'node:worker_threads';
import { PendingRequests, UnavailableError } from '../../platform/pending-requests.js';

export interface PasswordTask {
  readonly password: string;
  /** Undefined for a user that does not exist, which takes as long. */
  readonly hash: string | undefined;
  /** The highest cost of any user: so much work a wrong password takes, whosever it is. */
  readonly cost: number;
}

export interface PasswordQuestion extends PasswordTask {
  readonly id: number;
}

export interface PasswordAnswer {
  readonly id: number;
  readonly isRight: boolean;
}

/** Whether the password is right. Rejects when nobody can say. */
export type PasswordCheck = (task: PasswordTask) => Promise<boolean>;

/** The logarithm of a hash's rounds: 12 of `$2y$12$…`. */
export function costOf(hash: string): number {
  return Number(/^\$2[aby]?\$(\d\d)\$/.exec(hash)?.[1] ?? 0);
}

const MAX_ASKED = 100;

/** The thread does not keep the process alive. One that ends is started again at the next need. */
export function passwordThread(): PasswordCheck {
  const asks = new PendingRequests<boolean>(MAX_ASKED);
  let worker: Worker | undefined;
  const start = () => {
    const started = new Worker(new URL('./password-worker.js', import.meta.url));
    started.on('message', ({ id, isRight }: PasswordAnswer) => asks.answer(id, isRight));
    // Its end follows.
    started.on('error', () => {});
    started.on('exit', () => {
      worker = undefined;
      asks.fail(new UnavailableError('the thread that compares passwords ended'));
    });
    // Not earlier: a listener for messages holds the process again.
    started.unref();
    return started;
  };
  return async (task) => {
    const thread = worker ?? start();
    worker = thread;
    return asks.ask((id) => thread.postMessage({ id, ...task } satisfies PasswordQuestion));
  };
}
