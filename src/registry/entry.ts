/** Destinations that are added at run time. */

import type { Destination } from '../shared/destination.js';

/** In the words of the configuration's `destinations`. */
export type Entry = Readonly<Record<string, unknown>>;

/** Reads an entry. Throws when it is wrong. */
export type ReadEntry = (entry: Entry) => Destination;

/** What was asked for is wrong, or cannot be. */
export class RuntimeDestinationError extends Error {
  override readonly name = 'AdditionError';
}
