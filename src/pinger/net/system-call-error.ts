/** Errors of system calls that were made by libc. */

import { getSystemErrorMap } from 'node:util';

/** An error of a system call, with the `code` and `syscall` that Node.js gives to such errors. */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError';
  readonly code: string;
  /** The call, or the option that it sets. */
  readonly syscall: string;

  constructor(syscall: string, code: string) {
    super(`${syscall}: ${code}`);
    this.code = code;
    this.syscall = syscall;
  }
}

/** Node.js makes a map of all errors with each call, and an empty socket is an error too. */
const ERRORS = getSystemErrorMap();

/** `ECONNREFUSED` of 111. */
export function errorCode(errno: number): string {
  const [code] = ERRORS.get(-errno) ?? [`errno ${errno}`];
  return code;
}
