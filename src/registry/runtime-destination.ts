/** A destination that was added at run time, and its records in the journal. */

import type { Destination } from '../shared/destination.js';

/** A destination in the format of the configuration's `destinations`. */
export type DestinationEntry = Readonly<Record<string, unknown>>;

/** The file in the state directory. */
export const RUNTIME_FILE = {
  name: 'runtime-destinations.jsonl',
  format: 'sip-keepalive-exporter run-time destinations',
  version: 1,
} as const;

/** Turns an entry into a destination. Throws when the entry is invalid. */
export type ReadEntry = (entry: DestinationEntry) => Destination;

/** The destination cannot be added or removed; the message says why. */
export class RuntimeDestinationError extends Error {
  override readonly name = 'RuntimeDestinationError';
}

export interface RuntimeDestination {
  readonly owner: string;
  /** Stays the same when the settings that it was derived from change. */
  readonly name: string;
  readonly entry: DestinationEntry;
}

export type RuntimeDestinationId = Pick<RuntimeDestination, 'owner' | 'name'>;

/** A line of the journal. */
export type JournalRecord =
  | ({ readonly op: 'add' } & RuntimeDestination)
  | ({ readonly op: 'del' } & RuntimeDestinationId);

export function isJournalRecord(value: unknown): value is JournalRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { op, owner, name, entry } = Object.fromEntries(Object.entries(value));
  if (typeof owner !== 'string' || typeof name !== 'string') return false;
  return op === 'del' || (op === 'add' && typeof entry === 'object' && entry !== null);
}

/** A unique key; neither part can contain a line break. */
export function keyOf({ owner, name }: RuntimeDestinationId): string {
  return `${owner}\n${name}`;
}
