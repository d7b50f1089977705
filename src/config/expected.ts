/** Formats, and the error that they throw. */

import { show } from '../platform/values.js';

/** A value that its format does not accept. The caller puts the path in front of the message. */
export class Expected extends Error {
  override readonly name = 'Expected';

  /** @param cause its message replaces the one made of `expected` and `got`. */
  constructor(expected: string, got: unknown, cause?: Error) {
    super(cause?.message ?? `expected ${expected}, got ${show(got)}`, { cause });
  }

  /** Ignored: convict would add the value to the message. */
  set value(_: unknown) {}
}

/** Turns a value as a user writes it into the value that is used. @throws Expected */
export type Format<T> = (given: unknown) => T;
