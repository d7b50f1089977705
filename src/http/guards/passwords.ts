/** Compares passwords with bcrypt hashes in a thread, which starts at the first request. */

import { Worker } from 'node:worker_threads';
import { PendingRequests, UnavailableError } from '../../platform/pending-requests.js';

export interface PasswordTask {
  readonly password: string;
  /** Undefined for a user that does not exist; the check takes the same time. */
  readonly hash: string | undefined;
  /** The highest cost of all users, which a wrong password takes for each of them. */
  readonly cost: number;
}

export interface PasswordRequest extends PasswordTask {
  readonly id: number;
}

export interface PasswordReply {
  readonly id: number;
  readonly isRight: boolean;
}

/** Checks whether a password is right. Rejects when it could not be checked. */
export type PasswordCheck = (task: PasswordTask) => Promise<boolean>;

/** Binary logarithm of a hash's rounds: 12 for `$2y$12$…`. */
export function costOf(hash: string): number {
  return Number(/^\$2[aby]?\$(\d\d)\$/.exec(hash)?.[1] ?? 0);
}

const MAX_PENDING = 100;

/** The thread does not keep the process alive. If it exits, the next request starts a new one. */
export function passwordThread(): PasswordCheck {
  const pending = new PendingRequests<boolean>(MAX_PENDING);
  let worker: Worker | undefined;
  const start = () => {
    const started = new Worker(new URL('./password-worker.js', import.meta.url));
    started.on('message', ({ id, isRight }: PasswordReply) => pending.answer(id, isRight));
    // 'exit' follows.
    started.on('error', () => {});
    started.on('exit', () => {
      worker = undefined;
      pending.fail(new UnavailableError('the password thread has exited'));
    });
    // After the listeners, because a listener for messages calls `ref`.
    started.unref();
    return started;
  };
  return async (task) => {
    const thread = worker ?? start();
    worker = thread;
    return pending.request((id) => thread.postMessage({ id, ...task } satisfies PasswordRequest));
  };
}
