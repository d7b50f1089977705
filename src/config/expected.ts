/** Formats, and the error that they throw. */

import { show } from '../platform/values.js';

/** Thrown for a value that its format does not accept. The caller adds the path in front of the message. */
export class Expected extends Error {
  override readonly name = 'Expected';

  /** @param cause if given, its message is used instead. */
  constructor(expected: string, got: unknown, cause?: Error) {
    super(cause?.message ?? `expected ${expected}, got ${show(got)}`, { cause });
  }

  /** Ignores what convict sets here, because it would add the value to the message. */
  set value(_: unknown) {}
}

/** Checks and converts a value of the user. @throws Expected */
export type Format<T> = (given: unknown) => T;
