/** What a format is, and what it throws. */

import { show } from '../platform/values.js';

/** A value that is not what its format wants; whoever knows the path puts it in front. */
export class Expected extends Error {
  override readonly name = 'Expected';

  /** @param cause says it better, where it is given. */
  constructor(wanted: string, got: unknown, cause?: Error) {
    super(cause?.message ?? `expected ${wanted}, got ${show(got)}`, { cause });
  }

  /** convict would add the value to the message again. */
  set value(_: unknown) {}
}

/** A format turns what was given into what is used. @throws Expected */
export type Format<T> = (given: unknown) => T;
