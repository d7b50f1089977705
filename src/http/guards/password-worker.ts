/** The entry of the thread that compares passwords: bcrypt is slow on purpose. */

import { constants, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';
import { costOf, type PasswordAnswer, type PasswordQuestion } from './passwords.js';

const port = parentPort;
if (port === null) throw new Error('passwords are compared in a thread of their own');

// setpriority(2): on Linux 0 is the calling thread, elsewhere it is the whole process.
if (process.platform === 'linux') {
  try {
    setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Then it has the priority of the others.
  }
}

port.on('message', ({ id, password, hash, cost }: PasswordQuestion) => {
  port.postMessage({ id, isRight: isRight(password, hash, cost) } satisfies PasswordAnswer);
});

/**
 * A wrong password takes the same work for every user, and for one that does not exist: 2^cost
 * rounds. What a cheaper hash has taken less is made up for, 2^c + 2^c + 2^(c+1) + … = 2^cost.
 */
function isRight(password: string, hash: string | undefined, cost: number): boolean {
  if (hash === undefined) {
    compareSync(password, nobody(cost));
    return false;
  }
  if (compareSync(password, hash)) return true;
  for (let c = costOf(hash); c < cost; c++) compareSync(password, nobody(c));
  return false;
}

/** A hash of which nobody knows the password. */
function nobody(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$abcdefghijklmnopqrstuuhAyr5AeZi9EDH0IBzJwYtCdXRXjCEbS`;
}
