/** Which destinations a caller means, and which of several speaks for all of them. */

import type { RegisteredDestination } from '../shared/destination.js';
import { TRANSPORTS } from '../shared/outcome.js';
import { canonicalUri } from '../shared/uri.js';
import type { DestinationView } from './describe.js';
import type { StatusContext } from './freshness.js';

/** Up if any is; not known while one of the others may be; else down. */
export function bestOf(described: readonly DestinationView[]): DestinationView | undefined {
  return (
    described.find(({ code }) => code === 1) ??
    described.find(({ code }) => code === -1) ??
    described[0]
  );
}

/** By name, else by canonical URI. @throws UriError when it is neither. */
export function find(
  { registry }: Pick<StatusContext, 'registry'>,
  asked: string,
): readonly RegisteredDestination[] {
  const named = registry.named(asked);
  if (named !== undefined) return [named];
  // Which port is the default one, and so no part of the canonical form, depends on the wire.
  const uris = new Set(TRANSPORTS.map((transport) => canonicalUri(asked, transport)));
  return [...uris].flatMap((uri) => registry.withUri(uri));
}
