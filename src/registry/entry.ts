/** Destinations that are added at run time. */

/** In the words of the configuration's `destinations`. */
export type Entry = Readonly<Record<string, unknown>>;

/** What was asked for is wrong, or cannot be. */
export class RuntimeDestinationError extends Error {
  override readonly name = 'AdditionError';
}
