/** The entry file of the thread that checks passwords, because bcrypt is slow by design. */

import { constants, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';
import { costOf, type PasswordReply, type PasswordRequest } from './passwords.js';

const port = parentPort;
if (port === null) throw new Error('expected to run in a worker thread');

// setpriority(2): on Linux, 0 means the calling thread; elsewhere the whole process.
if (process.platform === 'linux') {
  try {
    setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Not permitted: the thread keeps its priority.
  }
}

port.on('message', ({ id, password, hash, cost }: PasswordRequest) => {
  port.postMessage({ id, isRight: isRight(password, hash, cost) } satisfies PasswordReply);
});

/**
 * Checks a password. A wrong password takes 2^cost rounds for every user, existing or not, so that timing
 * does not reveal which users exist. After a hash of cost c < cost, dummy hashes are compared:
 * 2^c + 2^c + 2^(c+1) + … = 2^cost.
 */
function isRight(password: string, hash: string | undefined, cost: number): boolean {
  if (hash === undefined) {
    compareSync(password, dummyHash(cost));
    return false;
  }
  if (compareSync(password, hash)) return true;
  for (let c = costOf(hash); c < cost; c++) compareSync(password, dummyHash(c));
  return false;
}

/** A hash of an unknown password. */
function dummyHash(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$abcdefghijklmnopqrstuuhAyr5AeZi9EDH0IBzJwYtCdXRXjCEbS`;
}
